/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <kit/failure_tap.h>
#include <kit/uid.h>
#include <kit/url.h>
#include <stdlib.h>
#include <trolley/helpers.h>

#include "pages.h"
#include "plugins/dataset/attribute.h"

#define SEARCH_COMBINATIONS 256 /* most requests that lists of values may lead to */

static const char search_hierarchical[] = "qido-hierarchical";

/* ---- keys ---- */

static const struct trolley_query_key *search_key(const struct search *search, uint32_t i)
{
    return trolley_span_at(&search->query->keys, i);
}

/* Lists of UIDs go into one request [PS3.18 8.3.4.1]; other lists, and UIDs of upper levels, which
 * belong into the path, into one request a value. */
static bool search_key_is_list(const struct trolley_query *query,
                               const struct trolley_query_key *key)
{
    bool upper =
        !key->path && ((key->tag == TAG_STUDY_UID && query->level > TROLLEY_LEVEL_STUDY) ||
                       (key->tag == TAG_SERIES_UID && query->level > TROLLEY_LEVEL_SERIES));

    return strcmp(key->vr, "UI") == 0 && !upper;
}

const char *search_uid(const struct search *search, uint32_t level)
{
    uint32_t i;

    for (i = 0; i < search->query->keys.count; i++) {
        const struct trolley_query_key *key = search_key(search, i);
        const char *uid;

        if (key->tag != attribute_uid(level) || key->path) continue;
        if (search->choice[i] == REQUEST_LIST && key->values.count != 1) return NULL;
        uid = trolley_span_text(&key->values,
                                search->choice[i] == REQUEST_LIST ? 0 : search->choice[i]);
        return uid && kit_uid_valid(uid) ? uid : NULL;
    }
    return NULL;
}

static bool search_asks_level_of(const struct search *search, const struct trolley_span *keys,
                                 uint32_t level)
{
    uint32_t i;

    for (i = 0; i < keys->count; i++) {
        const struct trolley_query_key *key = trolley_span_at(keys, i);
        uint32_t own = attribute_key_level(key);

        if (key->tag == 0 && strstr(key->name, "_study_date") == NULL) continue;
        if (key->tag == attribute_uid(level) && !key->path && search_uid(search, level)) continue;
        if ((own < search->query->level ? own : search->query->level) == level) return true;
    }
    return false;
}

bool search_asks_level(const struct search *search, uint32_t level, bool keys_only)
{
    return search_asks_level_of(search, &search->query->keys, level) ||
           (!keys_only && search_asks_level_of(search, &search->query->include_fields, level));
}

/* ---- delivery ---- */

int search_deliver(struct search *search, struct kit_dicom_json *object,
                   const struct record_above *above)
{
    int r = 0;

    if (search->skip) {
        search->skip--;
    } else {
        r = record_deliver(search->sink, search->query->level, object, above);
        search->delivered++;
        if (r == 0 && search->delivered >= search->limit) r = SEARCH_ENOUGH;
    }
    kit_dicom_json_free(object);
    return r;
}

struct search_direct {
    struct search *search;
    struct record_above above;
};

static int search_direct_object(void *ctx, struct kit_dicom_json *object, size_t length)
{
    struct search_direct *direct = ctx;

    (void)length;
    return search_deliver(direct->search, object, &direct->above);
}

/* ---- one combination of values ---- */

static struct request search_request(const struct search *search)
{
    struct request request = {
        .style = &search->qido->style,
        .query = search->query,
        .choice = search->choice,
        .level = search->query->level,
    };

    if (request.level > TROLLEY_LEVEL_STUDY)
        request.study = search_uid(search, TROLLEY_LEVEL_STUDY);
    if (request.level > TROLLEY_LEVEL_SERIES && request.study)
        request.series = search_uid(search, TROLLEY_LEVEL_SERIES);
    return request;
}

/* Asks the one resource that fits. */
static int search_direct(struct search *search, const struct request *request, bool alone,
                         struct trolley_task *task, int32_t *ret_code)
{
    struct search_direct direct = {search, {.study = request->study, .series = request->series}};
    struct pages pages = {
        .source = &search->qido->source,
        .request = request,
        .task = task,
        .seen = &search->seen,
        .page_size = search->qido->page_size,
        .most = UINT64_MAX,
        .object = search_direct_object,
        .ctx = &direct,
    };
    uint64_t skip = search->skip;
    int r;

    if (search->limit != UINT64_MAX) pages.most = search->limit - search->delivered + skip;
    if (alone) {
        pages.offset = skip;
        if (pages.most != UINT64_MAX) pages.most -= skip;
        search->skip = 0;
    }
    r = pages_run(&pages);
    if (r <= 0 && alone && search->delivered == 0) search->skip = skip;
    *ret_code = pages.code;
    return r;
}

/* The first level a walk must ask: those whose UID is known and of which nothing else is wanted are
 * passed by. */
static uint32_t search_walk_from(const struct search *search)
{
    uint32_t from = TROLLEY_LEVEL_STUDY;

    while (from < search->query->level && search_uid(search, from) &&
           !search_asks_level(search, from, false))
        from++;
    return from;
}

static bool search_refused(int32_t code)
{
    return code == 400 || code == 404 || code == 405 || code == 501;
}

/* Some servers match keys of upper levels only where those levels are asked for: is an empty answer
 * to be had level by level before it is believed? */
static bool search_doubts(const struct search *search)
{
    bool narrowed = search_uid(search, TROLLEY_LEVEL_STUDY) ||
                    search_asks_level(search, TROLLEY_LEVEL_STUDY, true);

    return narrowed && (search_asks_level(search, TROLLEY_LEVEL_STUDY, true) ||
                        (search->query->level > TROLLEY_LEVEL_SERIES &&
                         search_asks_level(search, TROLLEY_LEVEL_SERIES, true)));
}

/* Nothing came from the resource that fits. */
static int search_again(struct search *search)
{
    uint64_t delivered = search->delivered;
    int r;

    if (!search_doubts(search)) return 0;
    r = walk_run(search, search_walk_from(search));
    if (search->delivered != delivered)
        trolley_note(search->task, TROLLEY_LOG_WARNING, 0, NULL,
                     "the server found nothing when asked across the hierarchy, and something when "
                     "asked level by level: query type %s saves a request",
                     search_hierarchical);
    return r;
}

/* One combination of values: the resource that fits, or the way down the hierarchy when the query
 * or the server wants it so. */
static int search_one(struct search *search, bool alone)
{
    const struct request request = search_request(search);
    bool walk = strcmp(search->query->type, search_hierarchical) == 0 ||
                !search->qido->relational ||
                (!request.study && atomic_load(&search->qido->shared->no_relational));
    uint64_t delivered = search->delivered;
    struct kit_failure_tap tap;
    int32_t code = 0;
    int r;

    if (request.level == TROLLEY_LEVEL_STUDY)
        return search_direct(search, &request, alone, search->task, &code);
    if (walk) return walk_run(search, search_walk_from(search));
    kit_failure_tap_init(&tap, search->task);
    r = search_direct(search, &request, alone, &tap.task, &code);
    if (r == 0 && search->delivered == delivered) return search_again(search);
    if (r >= 0) return r;
    if (!search_refused(code) || r == TROLLEY_ERR_AUTH || search->delivered != delivered)
        return kit_failure_tap_pass(&tap, r);
    r = walk_run(search, TROLLEY_LEVEL_STUDY);
    if (r >= 0 && !request.study && code != 400)
        atomic_store(&search->qido->shared->no_relational, true);
    return r;
}

/* ---- the whole query ---- */

/* The next combination of values; false behind the last. */
static bool search_next(struct search *search)
{
    uint32_t i;

    for (i = 0; i < search->query->keys.count; i++) {
        if (search->choice[i] == REQUEST_LIST) continue;
        if (++search->choice[i] < search_key(search, i)->values.count) return true;
        search->choice[i] = 0;
    }
    return false;
}

/* How many requests the lists of values make; more than SEARCH_COMBINATIONS stops the count. */
static uint64_t search_combinations(const struct trolley_query *query)
{
    uint64_t combinations = 1;
    uint32_t i;

    for (i = 0; i < query->keys.count && combinations <= SEARCH_COMBINATIONS; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (!search_key_is_list(query, key) && key->values.count) combinations *= key->values.count;
    }
    return combinations;
}

static int search_run(struct search *search)
{
    bool alone = search_combinations(search->query) == 1;
    uint32_t i;
    int r;

    for (i = 0; i < search->query->keys.count; i++)
        if (search_key_is_list(search->query, search_key(search, i)))
            search->choice[i] = REQUEST_LIST;
    do
        r = search_one(search, alone);
    while (r == 0 && search_next(search));
    return r < 0 ? r : 0;
}

/* A number of the query. false when it is none. */
static bool search_number(const struct trolley_query *query, const char *name, uint64_t *ret_number)
{
    const char *text = trolley_query_text(query, name);
    char *end = NULL;

    if (!text) return true;
    if (*text < '0' || *text > '9' || strlen(text) > 18) return false;
    *ret_number = strtoull(text, &end, 10);
    return *end == '\0';
}

int32_t qido_find(void *self, const struct trolley_query *query,
                  const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct search search = {
        .qido = self, .query = query, .sink = sink, .task = task, .limit = UINT64_MAX};
    int r = qido_check(self, query, task);

    if (r < 0) return r;
    (void)search_number(query, "limit", &search.limit);
    (void)search_number(query, "offset", &search.skip);
    if (search.limit == 0) return 0;
    search.choice = calloc((size_t)query->keys.count + 1, sizeof *search.choice);
    r = search.choice ? search_run(&search) : TROLLEY_ERR_NOMEM;
    free(search.choice);
    kit_uid_set_free(&search.seen);
    return r;
}

static bool check_parameter(const struct trolley_query *query, const struct trolley_query_key *key)
{
    static const char *const known[] = {"limit", "offset", "fuzzymatching", "min_study_date",
                                        "max_study_date"};
    uint64_t number;
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(key->name, known[i]) == 0) break;
    if (i < 2) return search_number(query, key->name, &number);
    return i < sizeof known / sizeof known[0];
}

int32_t qido_check(void *self, const struct trolley_query *query, struct trolley_task *task)
{
    uint32_t i;

    (void)self;
    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag == 0 && !check_parameter(query, key))
            return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                                "%s is no parameter of QIDO-RS, or its value is no number",
                                key->name);
    }
    if (search_combinations(query) > SEARCH_COMBINATIONS)
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                            "lists of values would take more than %d requests: QIDO-RS takes lists "
                            "of UIDs only",
                            SEARCH_COMBINATIONS);
    return 0;
}

static int ping_object(void *ctx, struct kit_dicom_json *object, size_t length)
{
    (void)ctx, (void)length;
    kit_dicom_json_free(object);
    return 0;
}

int32_t qido_ping(void *self, struct trolley_task *task)
{
    struct qido *qido = self;
    struct kit_buffer url = {0};
    struct page_result result;
    int r = kit_url_join(&url, qido->style.url, "/studies");

    if (r == 0) r = kit_url_query(&url, "limit", "1");
    if (r == 0) r = page_get(&qido->source, url.data, ping_object, NULL, task, &result);
    kit_buffer_free(&url);
    return r;
}
