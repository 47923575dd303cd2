/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <kit/match.h>
#include <stdlib.h>
#include <trolley/helpers.h>

#include "fields.h"

#define SEARCH_REQUESTS 1000  /* most requests that lists of values may make */
#define SEARCH_WANTED_MAX 256 /* include fields that nodes wait for */

/* ---- matching ---- */

static bool search_date_matches(const struct search *search, const char *date)
{
    const char *min = trolley_query_text(search->query, "min_study_date");
    const char *max = trolley_query_text(search->query, "max_study_date");
    char range[32];

    (void)snprintf(range, sizeof range, "%.8s-%.8s", min ? min : "", max ? max : "");
    return kit_match_value("DA", range, date);
}

static bool search_has_dates(const struct trolley_query *query)
{
    return trolley_query_find_key(query, "min_study_date") ||
           trolley_query_find_key(query, "max_study_date");
}

bool search_study_matches(struct search *search, const struct attributes *study)
{
    const struct trolley_query_key *key = trolley_query_find_key(search->query, "StudyInstanceUID");
    const char *const uid[] = {attributes_text(study, MINT_STUDY_UID)};
    const struct trolley_span uids = TROLLEY_SPAN(uid);
    const char *date = attributes_text(study, MINT_STUDY_DATE);
    bool matches = !key || kit_match("UI", &key->values, &uids);

    if (matches && search_has_dates(search->query)) {
        bool strict = search->mint->style.dialect == MINT_REFERENCE;

        if (!date && !strict) search->remarks.undated++;
        matches = date ? search_date_matches(search, date) : !strict;
    }
    if (!matches) search->remarks.dropped++;
    return matches;
}

void search_count(struct search *search, const struct answer *answer)
{
    const struct answer_counts *counts = answer_counts(answer);

    search->counts.no_uid += counts->no_uid;
    search->counts.malformed += counts->malformed;
    search->counts.late += counts->late;
    search->counts.childless += counts->childless;
}

/* ---- Vitrea's dialect: one answer holds all ---- */

static int vitrea_study(void *ctx, const struct attributes *study)
{
    struct search *search = ctx;
    bool fresh;
    int r;

    if (!search_study_matches(search, study)) return ANSWER_SKIP;
    r = kit_uid_set_add(&search->seen, attributes_text(study, MINT_STUDY_UID), &fresh);
    if (r < 0 || !fresh) return r;
    if (search->studies == search->limit) {
        search->enough = true;
        return TROLLEY_ERR_CANCELLED;
    }
    search->studies++;
    return 0;
}

static int vitrea_node(void *ctx, const struct attributes *const *sets, uint32_t count)
{
    struct search *search = ctx;

    return record_builder_emit(search->mint->builder, search->query->level, sets, count,
                               search->sink);
}

/* The tags of the include fields of one level: what the nodes below wait for. */
static uint32_t vitrea_wanted(const struct trolley_query *query, uint32_t level, uint32_t *tags)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < query->include_fields.count && count < SEARCH_WANTED_MAX - 1; i++) {
        const struct trolley_query_key *field = trolley_span_at(&query->include_fields, i);

        if (!field->path && fields_level(field->name) == level) tags[count++] = field->tag;
    }
    if (level == TROLLEY_LEVEL_STUDY && search_has_dates(query)) tags[count++] = MINT_STUDY_DATE;
    return count;
}

static int vitrea_request(struct search *search)
{
    static const struct answer_handler handler = {.study = vitrea_study, .node = vitrea_node};
    uint32_t study[SEARCH_WANTED_MAX], series[SEARCH_WANTED_MAX];
    const struct answer_settings settings = {
        .grammar = ANSWER_RESULTS,
        .level = search->query->level,
        .wanted = {NULL, study, series},
        .wanted_count = {0, vitrea_wanted(search->query, TROLLEY_LEVEL_STUDY, study),
                         vitrea_wanted(search->query, TROLLEY_LEVEL_SERIES, series)},
        .vr = search->mint->vr,
        .identify = search->query->level == TROLLEY_LEVEL_STUDY,
    };
    struct request request = {
        .style = &search->mint->style, .query = search->query, .choice = search->choice};
    struct kit_buffer url = {0};
    struct answer *answer = NULL;
    int r;

    if (search->limit != UINT64_MAX) request.limit = search->limit - search->studies;
    r = request_search(&request, &url);
    if (r == 0) r = answer_new(&settings, &handler, search, &answer);
    if (r == 0) {
        r = page_get(&search->mint->source, url.data, answer, search->task);
        search_count(search, answer);
    }
    if (search->enough) r = 0;
    answer_free(answer);
    kit_buffer_free(&url);
    return r;
}

/* ---- the whole query ---- */

/* The next combination of values that go along; false behind the last. */
static bool search_next(struct search *search)
{
    for (uint32_t i = 0; i < search->query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&search->query->keys, i);

        if (!request_sends(&search->mint->style, key)) continue;
        if (++search->choice[i] < key->values.count) return true;
        search->choice[i] = 0;
    }
    return false;
}

static int search_run(struct search *search)
{
    int r;

    do {
        r = search->mint->style.dialect == MINT_REFERENCE ? reference_run(search)
                                                          : vitrea_request(search);
        if (search->studies >= search->limit) search->enough = true;
    } while (r == 0 && !search->enough && search_next(search));
    return r;
}

static void search_note(const struct search *search, uint64_t count, const char *text)
{
    if (count)
        trolley_note(search->task, TROLLEY_LOG_WARNING, 0, NULL, "%llu %s",
                     (unsigned long long)count, text);
}

static void search_remark(const struct search *search)
{
    const struct search_remarks *remarks = &search->remarks;

    search_note(search, remarks->dropped,
                "studies do not match StudyInstanceUID or StudyDate of the query and were left out "
                "(the server ignores some parameter)");
    search_note(search, remarks->undated,
                "studies came without StudyDate: whether they lie in the range cannot be checked");
    if (search->mint->style.dialect == MINT_REFERENCE && search->mint->style.send_dates &&
        search_has_dates(search->query))
        trolley_note(search->task, TROLLEY_LOG_WARNING, 0, NULL,
                     "the server compares the range with the day of upload: studies uploaded "
                     "outside of it are not found (study_date = filter reads every study)");
    search_note(search, remarks->gone, "studies were gone when they were asked for (404, 410)");
    search_note(search, remarks->refused,
                "studies were left out: their studyUUID cannot stand in a URL");
    search_note(search, remarks->repeated,
                "pages brought no new study: the server repeats itself, the search ended there");
    search_note(search, search->counts.no_uid,
                "studies, series or instances without a UID were left out");
    search_note(search, search->counts.malformed, "malformed attributes were left out");
    search_note(search, search->counts.late,
                "attributes stood too far behind the objects they belong to and are missing there");
    search_note(search, search->counts.childless,
                "studies came without objects of the level asked for");
}

/* ---- checks without I/O ---- */

static int check_field(const struct mint *mint, const struct trolley_query *query,
                       const struct trolley_query_key *field, bool says, struct trolley_task *task)
{
    uint32_t level = field->path ? 0 : fields_level(field->name);
    bool reference = mint->style.dialect == MINT_REFERENCE;
    char text[256];

    if (level > 0 && level <= query->level) return 0;
    if (level == 0 && reference) return 0;
    if (level > 0)
        (void)snprintf(text, sizeof text,
                       "%.100s needs a query of level %s (this one is of level %s)", field->name,
                       fields_level_name(level), fields_level_name(query->level));
    else
        (void)snprintf(text, sizeof text, "%.100s is no include field of MINT", field->name);
    if (!mint->include_warns) return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM, "%s", text);
    if (says) trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL, "%s", text);
    return 0;
}

static int check_combinations(const struct mint *mint, const struct trolley_query *query,
                              struct trolley_task *task)
{
    uint64_t requests = 1;

    for (uint32_t i = 0; i < query->keys.count && requests <= SEARCH_REQUESTS; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (request_sends(&mint->style, key)) requests *= key->values.count;
    }
    if (requests <= SEARCH_REQUESTS) return 0;
    return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                        "lists of values would take more than %d requests: MINT takes one value a "
                        "parameter",
                        SEARCH_REQUESTS);
}

/* @param says  whether include fields that are let pass are noted */
static int check_query(const struct mint *mint, const struct trolley_query *query, bool says,
                       struct trolley_task *task)
{
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < query->include_fields.count; i++)
        r = check_field(mint, query, trolley_span_at(&query->include_fields, i), says, task);
    if (r == 0 && mint->style.dialect == MINT_REFERENCE) r = reference_check(mint, query, task);
    return r < 0 ? r : check_combinations(mint, query, task);
}

int32_t mint_check(void *self, const struct trolley_query *query, struct trolley_task *task)
{
    return check_query(self, query, true, task);
}

int32_t mint_find(void *self, const struct trolley_query *query,
                  const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct search search = {
        .mint = self, .query = query, .sink = sink, .task = task, .limit = UINT64_MAX};
    const char *limit = trolley_query_text(query, "limit");
    int r = check_query(self, query, false, task);

    if (r < 0) return r;
    if (limit) search.limit = strtoull(limit, NULL, 10);
    if (search.limit == 0) search.limit = UINT64_MAX;
    search.choice = calloc((size_t)query->keys.count + 1, sizeof *search.choice);
    r = search.choice ? search_run(&search) : TROLLEY_ERR_NOMEM;
    search_remark(&search);
    free(search.choice);
    kit_uid_set_free(&search.seen);
    return r;
}

/* ---- ping ---- */

static int ping_listed(void *ctx, const char *uuid, const char *modified)
{
    (void)ctx, (void)uuid, (void)modified;
    return 0;
}

int32_t mint_ping(void *self, struct trolley_task *task)
{
    static const struct answer_handler handler = {.listed = ping_listed};
    static const struct answer_settings settings = {.grammar = ANSWER_LIST,
                                                    .level = TROLLEY_LEVEL_STUDY};
    static const struct trolley_query query = {.size = sizeof query, .level = TROLLEY_LEVEL_STUDY};
    struct mint *mint = self;
    const struct request request = {.style = &mint->style, .query = &query, .limit = 1};
    struct kit_buffer url = {0};
    struct answer *answer = NULL;
    int r = request_search(&request, &url);

    if (r == 0) r = answer_new(&settings, &handler, NULL, &answer);
    if (r == 0) r = page_get(&mint->source, url.data, answer, task);
    answer_free(answer);
    kit_buffer_free(&url);
    return r;
}
