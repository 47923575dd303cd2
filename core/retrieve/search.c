/* SPDX-License-Identifier: MIT */
#include "core/retrieve/search.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "kit/uid.h"

/* What one find knows while records come. */
struct search {
    const struct trolley_query *query;
    const struct trolley_record_sink *sink;
    struct search_counts counts;
    uint8_t *seen; /* one byte a key: its attribute came back */
    uint8_t *seen_once;
    bool refilter, fuzzy;
};

static const uint32_t uid_tags[] = {0, 0x0020000d, 0x0020000e, 0x00080018};

const char *search_text(const struct trolley_record *record, uint32_t tag)
{
    uint32_t i;

    for (i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        if (element->tag == tag) return trolley_span_text(&element->values, 0);
    }
    return NULL;
}

static bool record_has_uids(const struct trolley_record *record, uint32_t level)
{
    uint32_t l;

    for (l = TROLLEY_LEVEL_STUDY; l <= level; l++) {
        const char *uid = search_text(record, uid_tags[l]);

        if (!uid || !kit_uid_valid(uid)) return false;
    }
    return true;
}

static int32_t search_record(void *ctx, const struct trolley_record *record)
{
    struct search *search = ctx;
    uint32_t i;

    if (record->level != search->query->level || !record_has_uids(record, record->level)) {
        search->counts.malformed++;
        return 0;
    }
    memset(search->seen_once, 0, search->query->keys.count);
    if (search->refilter && query_match_record(search->query, record, search->fuzzy,
                                               search->seen_once) == QUERY_MATCH_NO) {
        search->counts.contradicted++;
        return 0;
    }
    for (i = 0; i < search->query->keys.count; i++)
        search->seen[i] |= search->seen_once[i];
    search->counts.records++;
    return search->sink->record(search->sink->ctx, record);
}

/* Says what the user must know about answers that could not be trusted. */
static void search_remark(const struct search *search, struct trolley_task *task)
{
    uint32_t i;

    if (search->counts.contradicted)
        trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL,
                     "%llu answers contradicted the query and were dropped (the server ignores "
                     "some key)",
                     (unsigned long long)search->counts.contradicted);
    if (search->counts.malformed)
        trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL,
                     "%llu answers lacked a valid UID of their level and were dropped",
                     (unsigned long long)search->counts.malformed);
    for (i = 0; search->refilter && search->counts.records && i < search->query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&search->query->keys, i);

        if (!search->seen[i] && key->tag)
            trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL,
                         "%s never came back: whether the server honoured this key cannot be "
                         "checked",
                         key->name);
    }
}

int search_query(struct instance *searcher, const struct trolley_query *query,
                 const struct trolley_record_sink *sink, struct trolley_task *task,
                 struct search_counts *ret_counts)
{
    struct search search = {.query = query, .sink = sink};
    const struct trolley_record_sink checked = {&search, search_record};
    int r = TROLLEY_ERR_NOMEM;

    if (!(instance_levels(searcher) & TROLLEY_LEVEL_BIT(query->level)))
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED,
                            "it does not return objects of this level");
    search.refilter = component_integer(searcher->component, "refilter", 1) != 0;
    search.fuzzy = instance_fuzzy(searcher);
    search.seen = calloc(query->keys.count + 1, 1);
    search.seen_once = calloc(query->keys.count + 1, 1);
    if (search.seen && search.seen_once) {
        r = 0;
        if (searcher->ops.searcher.check)
            r = searcher->ops.searcher.check(searcher->self, query, task);
        if (r == 0) r = searcher->ops.searcher.find(searcher->self, query, &checked, task);
        search_remark(&search, task);
    }
    free(search.seen);
    free(search.seen_once);
    *ret_counts = search.counts;
    return r;
}

int search_builder(struct instance *searcher, const struct trolley_query_builder *builder,
                   const struct trolley_record_sink *sink, struct task *task,
                   struct search_counts *ret_counts, struct trolley_error *error)
{
    const struct trolley_query *query;
    int r = query_accept(builder, instance_query_types(searcher), instance_levels(searcher), &query,
                         error);

    memset(ret_counts, 0, sizeof *ret_counts);
    if (r < 0) {
        error_prefix(error, "%s", searcher->component->title);
        return r;
    }
    task_reset(task);
    r = search_query(searcher, query, sink, &task->abi, ret_counts);
    return r < 0 ? task_error(task, r, error) : 0;
}
