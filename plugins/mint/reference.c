/* The reference server's dialect: a search lists UUIDs by the page, each study is a request of its
 * own. SPDX-License-Identifier: MIT */
#include <kit/failure_tap.h>
#include <kit/match.h>
#include <string.h>
#include <trolley/helpers.h>

#include "fields.h"
#include "search.h"

#define REFERENCE_PAGE_BYTES ((size_t)64 << 20) /* most of one page's list */

/* One page: uuid and lastModified, each with its NUL, in turn. */
struct reference_page {
    struct kit_buffer list;
    uint64_t count;
};

/* One study being read. */
struct reference_study {
    struct search *search;
    uint32_t level;        /* of the nodes read: deep enough for every key */
    struct kit_buffer uid; /* of the object delivered last: deeper nodes match it once */
    bool delivered;
};

/* ---- filtering ---- */

/* Is this key answered by the server, or checked for every study anyway? */
static bool reference_honours(const struct mint *mint, const struct trolley_query_key *key)
{
    static const char *const here[] = {"limit", "min_study_date", "max_study_date",
                                       "StudyInstanceUID", "SeriesInstanceUID"};

    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        if (strcmp(key->name, here[i]) == 0) return true;
    return request_sends(&mint->style, key);
}

/* How deep nodes must be read to see a key's attribute. Those of equipment stand with the
 * instances, or normalised beside them. */
static uint32_t reference_key_level(const struct trolley_query_key *key)
{
    if (key->tag == 0) return TROLLEY_LEVEL_STUDY;
    if (strncmp(key->name, "Institution", 11) == 0) return TROLLEY_LEVEL_INSTANCE;
    if (key->tag == MINT_MODALITIES) return TROLLEY_LEVEL_SERIES;
    return fields_level(key->name) ? fields_level(key->name) : TROLLEY_LEVEL_INSTANCE;
}

static uint32_t reference_level(const struct trolley_query *query)
{
    uint32_t level = query->level;

    for (uint32_t i = 0; i < query->keys.count; i++) {
        uint32_t needed = reference_key_level(trolley_span_at(&query->keys, i));

        if (needed > level) level = needed;
    }
    return level;
}

/* The attribute as it holds for the node: the deepest set that has it. */
static bool reference_find(const struct attributes *const *sets, uint32_t count, uint32_t tag,
                           struct attribute *ret)
{
    for (uint32_t i = count; i > 0; i--)
        if (attributes_find(sets[i - 1], tag, ret)) return true;
    return tag == MINT_MODALITIES && reference_find(sets, count, MINT_MODALITY, ret);
}

static bool reference_key_matches(const struct trolley_query_key *key,
                                  const struct attributes *const *sets, uint32_t count)
{
    const struct trolley_span none = {NULL, 0, sizeof(const char *)};
    struct attribute found;
    const char *value;

    if (!reference_find(sets, count, key->tag, &found) || found.count == 0)
        return kit_match(key->vr, &key->values, &none);
    value = found.values;
    for (uint32_t i = 0; i < found.count; i++, value += strlen(value) + 1) {
        const char *const one[] = {value};
        const struct trolley_span span = TROLLEY_SPAN(one);

        if (kit_match(key->vr, &key->values, &span)) return true;
    }
    return false;
}

static bool reference_matches(const struct trolley_query *query,
                              const struct attributes *const *sets, uint32_t count)
{
    for (uint32_t i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag && !key->path && !reference_key_matches(key, sets, count)) return false;
    }
    return true;
}

/* ---- one study ---- */

static int reference_take_study(void *ctx, const struct attributes *study)
{
    struct reference_study *reading = ctx;

    return search_study_matches(reading->search, study) ? 0 : ANSWER_SKIP;
}

static int reference_take_node(void *ctx, const struct attributes *const *sets, uint32_t count)
{
    struct reference_study *reading = ctx;
    struct search *search = reading->search;
    uint32_t level = search->query->level;
    const char *uid;
    int r;

    if (!reference_matches(search->query, sets, count)) return 0;
    if (level < reading->level) {
        uid = attributes_text(sets[level - 1],
                              level == TROLLEY_LEVEL_STUDY ? MINT_STUDY_UID : MINT_SERIES_UID);
        if (reading->uid.length && strcmp(reading->uid.data, uid) == 0) return 0;
        kit_buffer_reset(&reading->uid);
        r = kit_buffer_text(&reading->uid, uid);
        if (r < 0) return r;
        count = level;
    }
    reading->delivered = true;
    return record_builder_emit(search->mint->builder, level, sets, count, search->sink);
}

/* Asks for the study of a listed UUID. One that is gone meanwhile is said, no more. */
static int reference_study(struct search *search, const char *uuid, const char *modified)
{
    static const struct answer_handler handler = {.study = reference_take_study,
                                                  .node = reference_take_node};
    struct reference_study reading = {search, reference_level(search->query), {0}, false};
    const struct answer_settings settings = {
        .grammar = ANSWER_STUDY,
        .level = reading.level,
        .vr = search->mint->vr,
        .identify = search->query->level == TROLLEY_LEVEL_STUDY,
        .uuid = uuid,
        .modified = *modified ? modified : NULL,
    };
    const char *document = reading.level == TROLLEY_LEVEL_INSTANCE ? "metadata" : "summary";
    struct kit_failure_tap tap;
    struct kit_buffer url = {0};
    struct answer *answer = NULL;
    int r = request_study(&search->mint->style, uuid, document, &url);

    kit_failure_tap_init(&tap, search->task);
    if (r == 0) r = answer_new(&settings, &handler, &reading, &answer);
    if (r == 0) {
        r = page_get(&search->mint->source, url.data, answer, &tap.task);
        search_count(search, answer);
    }
    if (r == TROLLEY_ERR_NOT_FOUND || r == TROLLEY_ERR_GONE) {
        search->remarks.gone++;
        r = 0;
    } else if (r < 0) {
        r = kit_failure_tap_pass(&tap, r);
    }
    search->studies += reading.delivered;
    answer_free(answer);
    kit_buffer_free(&reading.uid);
    kit_buffer_free(&url);
    return r;
}

/* ---- pages ---- */

static int reference_listed(void *ctx, const char *uuid, const char *modified)
{
    struct reference_page *page = ctx;
    int r = kit_buffer_append(&page->list, uuid, strlen(uuid) + 1);

    page->count++;
    return r < 0 ? r : kit_buffer_append(&page->list, modified, strlen(modified) + 1);
}

static int reference_get_page(struct search *search, uint64_t number, uint64_t size,
                              struct reference_page *page)
{
    static const struct answer_handler handler = {.listed = reference_listed};
    static const struct answer_settings settings = {.grammar = ANSWER_LIST,
                                                    .level = TROLLEY_LEVEL_STUDY};
    const struct request request = {.style = &search->mint->style,
                                    .query = search->query,
                                    .choice = search->choice,
                                    .limit = size,
                                    .offset = number};
    struct kit_buffer url = {0};
    struct answer *answer = NULL;
    int r = request_search(&request, &url);

    page->list.cap = REFERENCE_PAGE_BYTES;
    kit_buffer_reset(&page->list);
    page->count = 0;
    if (r == 0) r = answer_new(&settings, &handler, page, &answer);
    if (r == 0) r = page_get(&search->mint->source, url.data, answer, search->task);
    answer_free(answer);
    kit_buffer_free(&url);
    return r;
}

/* The studies of a page that have not come before. */
static int reference_take_page(struct search *search, const struct reference_page *page,
                               uint64_t *ret_fresh)
{
    const char *at = page->list.data;
    uint64_t fresh_ones = 0;
    int r = 0;

    for (uint64_t i = 0; r == 0 && i < page->count && search->studies < search->limit; i++) {
        const char *uuid = at;
        const char *modified = uuid + strlen(uuid) + 1;
        bool fresh;

        at = modified + strlen(modified) + 1;
        r = kit_uid_set_add(&search->seen, uuid, &fresh);
        if (r < 0 || !fresh) continue;
        fresh_ones++;
        if (request_uuid_is_safe(uuid))
            r = reference_study(search, uuid, modified);
        else
            search->remarks.refused++;
    }
    if (r == 0) *ret_fresh = fresh_ones;
    return r;
}

int reference_run(struct search *search)
{
    struct reference_page page = {.count = 0};
    uint64_t size = search->mint->page_size, number = 0, fresh = 0;
    int r;

    if (size > search->limit) size = search->limit;
    do {
        r = reference_get_page(search, ++number, size, &page);
        if (r == 0) r = reference_take_page(search, &page, &fresh);
        if (r == 0 && page.count >= size && fresh == 0) {
            search->remarks.repeated++;
            break;
        }
    } while (r == 0 && page.count >= size && search->studies < search->limit);
    kit_buffer_free(&page.list);
    return r;
}

/* ---- checks ---- */

int reference_check(const struct mint *mint, const struct trolley_query *query,
                    struct trolley_task *task)
{
    for (uint32_t i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (!mint->client_filter && !reference_honours(mint, key))
            return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                                "MINT's reference server cannot be asked for %s%s; with "
                                "client_filter = yes trolley reads every study and filters itself",
                                key->name,
                                names_of_key(key->name) == NAME_PATIENT_ID ||
                                        names_of_key(key->name) == NAME_ACCESSION_NUMBER
                                    ? " with wildcards"
                                    : "");
        if (key->tag == MINT_MODALITIES && query->level > TROLLEY_LEVEL_STUDY)
            return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                                "ModalitiesInStudy can be filtered in queries of level study only");
    }
    return 0;
}
