/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <kit/uid.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "keys.h"
#include "plugins/dataset/attribute.h"
#include "plugins/dataset/record.h"

#define SEARCH_COMBINATIONS 256         /* most C-FINDs that lists of values may lead to */
#define SEARCH_PARENTS 100000           /* most objects kept on the way down */
#define SEARCH_BYTES ((size_t)64 << 20) /* and their memory */

struct search {
    struct qr *qr;
    struct keys_source source;
    uint32_t *choice;
    const struct trolley_record_sink *sink;
    struct trolley_task *task;
    struct record *record;
    uint64_t limit, delivered;
    size_t bytes; /* of the answers kept */
    int32_t stop; /* what the sink wished */
};

/* One level of the way down: the objects above it, by level. */
struct step {
    struct search *search;
    uint32_t level;
    uint32_t first; /* of a relational query, the first level that it asks for; else level itself */
    const char *uids[KEYS_LEVELS];
    struct find_answer *above[KEYS_LEVELS];
    struct find_answer **found;
    size_t count, room, bytes;
};

static int search_down(struct search *search, uint32_t level, const char *const *uids,
                       struct find_answer *const *above);

static const char *qr_model(const struct qr *qr)
{
    return qr->settings.patient_root ? UID_PATIENT_ROOT_FIND : UID_STUDY_ROOT_FIND;
}

/* ---- delivery ---- */

static int fill_record(const struct step *step, struct find_answer *answer)
{
    struct record *record = step->search->record;
    uint32_t level;
    int r = 0;

    for (level = KEYS_LEVEL_PATIENT; level < step->level && r == 0; level++)
        if (step->uids[level] && !*find_answer_text(answer, keys_unique(level)))
            r = record_add(record, keys_unique(level), level ? "UI" : "LO", step->uids[level],
                           false, NULL);
    if (r == 0) r = find_answer_elements(answer, record);
    for (level = step->level; level > KEYS_LEVEL_PATIENT && r == 0; level--)
        if (step->above[level - 1]) r = find_answer_elements(step->above[level - 1], record);
    return r;
}

static int deliver(struct step *step, struct find_answer *answer)
{
    struct search *search = step->search;
    int r;

    record_reset(search->record);
    r = fill_record(step, answer);
    if (r == 0) {
        const struct trolley_record record = {
            .size = sizeof record,
            .level = step->level,
            .elements = {search->record->elements, search->record->count,
                         (uint32_t)sizeof search->record->elements[0]},
        };

        search->delivered++;
        search->stop = search->sink->record(search->sink->ctx, &record);
        if (search->stop) r = TROLLEY_ERR_CANCELLED;
    }
    record_reset(search->record);
    return r;
}

static int keep(struct step *step, struct find_answer *answer)
{
    struct search *search = step->search;

    step->bytes += find_answer_size(answer);
    if (step->count == SEARCH_PARENTS || search->bytes + step->bytes > SEARCH_BYTES) {
        find_answer_free(answer);
        return trolley_fail(search->task, TROLLEY_ERR_TOO_LARGE,
                            "over %zu objects on the way down the hierarchy: narrow the query, by "
                            "StudyDate for one",
                            step->count);
    }
    if (step->count == step->room) {
        size_t room = step->room ? step->room * 2 : 64;
        struct find_answer **found = realloc(step->found, room * sizeof *found);

        if (!found) {
            find_answer_free(answer);
            return TROLLEY_ERR_NOMEM;
        }
        step->found = found;
        step->room = room;
    }
    step->found[step->count++] = answer;
    return 0;
}

static int take_answer(void *ctx, struct find_answer *answer)
{
    struct step *step = ctx;
    int r;

    if (step->level < step->search->source.query->level) return keep(step, answer);
    r = deliver(step, answer);
    find_answer_free(answer);
    return r;
}

/* ---- the way down ---- */

static int ask(struct step *step)
{
    static const char *const names[] = {"PATIENT", "STUDY", "SERIES", "IMAGE"};
    struct search *search = step->search;
    bool last = step->level == search->source.query->level;
    struct keys keys;
    int r = keys_build(&search->source, step->first, step->level, step->uids, &keys);

    if (r == 0) {
        const struct find_request request = {
            .model = qr_model(search->qr),
            .level = names[step->level],
            .keys = keys.items,
            .count = keys.count,
            .limit = last ? search->limit - search->delivered : UINT64_MAX,
        };

        r = association_find(search->qr->association, &request, search->qr->charset, take_answer,
                             step);
    }
    keys_free(&keys);
    return r;
}

static bool unique_usable(uint32_t level, const char *text)
{
    return level == KEYS_LEVEL_PATIENT ? *text && !strpbrk(text, "*?\\") : kit_uid_valid(text);
}

/* Goes down into each object that was found. */
static int descend(struct step *step)
{
    struct search *search = step->search;
    size_t i;
    int r = 0;

    for (i = 0; i < step->count && r == 0 && search->delivered < search->limit; i++) {
        const char *unique = find_answer_text(step->found[i], keys_unique(step->level));

        if (!unique_usable(step->level, unique)) {
            trolley_note(search->task, TROLLEY_LOG_WARNING, 0, NULL,
                         "an answer without a valid unique key was dropped on the way down");
            continue;
        }
        step->uids[step->level] = unique;
        step->above[step->level] = step->found[i];
        r = search_down(search, step->level + 1, step->uids, step->above);
        find_answer_free(step->found[i]);
        step->found[i] = NULL;
    }
    return r;
}

static int search_down(struct search *search, uint32_t level, const char *const *uids,
                       struct find_answer *const *above)
{
    struct step step = {.search = search, .level = level, .first = level};
    size_t i;
    int r;

    memcpy(step.uids, uids, sizeof step.uids);
    memcpy(step.above, above, sizeof step.above);
    r = ask(&step);
    search->bytes += step.bytes;
    if (r == 0 && level < search->source.query->level) r = descend(&step);
    search->bytes -= step.bytes;
    for (i = 0; i < step.count; i++)
        find_answer_free(step.found[i]);
    free(step.found);
    return r;
}

/* What the PACS finds by itself, below the levels that were passed by [PS3.4 C.4.1.3.2]. */
static int search_relational(struct search *search, uint32_t first, const char *const *uids)
{
    struct step step = {.search = search, .level = search->source.query->level, .first = first};

    memcpy(step.uids, uids, sizeof step.uids);
    return ask(&step);
}

/* One combination of values, from the first level that must be asked: those whose unique key is
 * known and of which nothing else is wanted are passed by. */
static int search_one(struct search *search)
{
    uint32_t level = search->source.patient_root ? KEYS_LEVEL_PATIENT : TROLLEY_LEVEL_STUDY;
    struct find_answer *above[KEYS_LEVELS] = {NULL};
    const char *uids[KEYS_LEVELS] = {NULL};

    while (level < search->source.query->level && !keys_wanted(&search->source, level)) {
        uids[level] = keys_unique_value(&search->source, level);
        if (!uids[level]) break;
        level++;
    }
    if (level < search->source.query->level &&
        association_relational(search->qr->association, qr_model(search->qr)))
        return search_relational(search, level, uids);
    return search_down(search, level, uids, above);
}

/* ---- combinations of values ---- */

static bool is_list(const struct trolley_query_key *key)
{
    return strcmp(key->vr, "UI") == 0;
}

static uint64_t combinations(const struct trolley_query *query)
{
    uint64_t count = 1;
    uint32_t i;

    for (i = 0; i < query->keys.count && count <= SEARCH_COMBINATIONS; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (!is_list(key) && key->values.count) count *= key->values.count;
    }
    return count;
}

/* The next combination; false behind the last. */
static bool next_combination(struct search *search)
{
    const struct trolley_span *keys = &search->source.query->keys;
    uint32_t i;

    for (i = 0; i < keys->count; i++) {
        const struct trolley_query_key *key = trolley_span_at(keys, i);

        if (search->choice[i] == KEYS_LIST) continue;
        if (++search->choice[i] < key->values.count) return true;
        search->choice[i] = 0;
    }
    return false;
}

/* ---- the operations ---- */

/* An association for this query: the one that is open, if it still lives. */
static int associate(struct qr *qr, struct trolley_task *task)
{
    const struct dimse_context contexts[] = {
        {qr_model(qr), NULL, false, qr->relational},
        {UID_VERIFICATION, NULL, false, false},
    };

    if (qr->association && association_use(qr->association, task)) return 0;
    association_close(qr->association);
    qr->association = NULL;
    return association_open(&qr->settings, contexts, sizeof contexts / sizeof contexts[0], task,
                            &qr->association);
}

static bool number(const struct trolley_query *query, const char *name, uint64_t *ret_number)
{
    const char *text = trolley_query_text(query, name);

    if (!text) return true;
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18) return false;
    *ret_number = strtoull(text, NULL, 10);
    return true;
}

static int search_run(struct search *search)
{
    const struct trolley_query *query = search->source.query;
    uint32_t i;
    int r;

    search->choice = calloc((size_t)query->keys.count + 1, sizeof *search->choice);
    search->record = calloc(1, sizeof *search->record);
    if (!search->choice || !search->record) return TROLLEY_ERR_NOMEM;
    search->source.choice = search->choice;
    for (i = 0; i < query->keys.count; i++)
        if (is_list(trolley_span_at(&query->keys, i))) search->choice[i] = KEYS_LIST;
    r = associate(search->qr, search->task);
    if (r < 0) return r;
    do
        r = search_one(search);
    while (r == 0 && search->delivered < search->limit && next_combination(search));
    return r;
}

int32_t qr_find(void *self, const struct trolley_query *query,
                const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct search search = {
        .qr = self,
        .source = {.query = query, .patient_root = ((struct qr *)self)->settings.patient_root},
        .sink = sink,
        .task = task,
        .limit = UINT64_MAX,
    };
    int r = qr_check(self, query, task);

    if (r < 0) return r;
    (void)number(query, "limit", &search.limit);
    if (search.limit == 0) return 0;
    r = search_run(&search);
    free(search.choice);
    free(search.record);
    return search.stop ? search.stop : r;
}

int32_t qr_check(void *self, const struct trolley_query *query, struct trolley_task *task)
{
    uint64_t limit;
    uint32_t i;

    (void)self;
    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag || strcmp(key->name, "min_study_date") == 0 ||
            strcmp(key->name, "max_study_date") == 0)
            continue;
        if (strcmp(key->name, "limit") != 0 || !number(query, "limit", &limit))
            return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                                "%s is no parameter of C-FIND, or its value is no number",
                                key->name);
    }
    for (i = 0; i < query->include_fields.count; i++) {
        const struct trolley_query_key *field = trolley_span_at(&query->include_fields, i);

        if (field->tag >> 16 == 0x0002)
            return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                                "%s: C-FIND returns no file meta information", field->name);
    }
    if (combinations(query) > SEARCH_COMBINATIONS)
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                            "lists of values would take more than %d C-FINDs: lists of UIDs take "
                            "one",
                            SEARCH_COMBINATIONS);
    return 0;
}

int32_t qr_ping(void *self, struct trolley_task *task)
{
    struct qr *qr = self;
    int r = associate(qr, task);

    return r < 0 ? r : association_echo(qr->association);
}
