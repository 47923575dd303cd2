/* SPDX-License-Identifier: MIT */
#include "core/check/call.h"

#include <string.h>
#include <trolley/helpers.h>

#include "core/check/sample.h"
#include "core/model/query.h"

/* ---- searcher ------------------------------------------------------------------------------- */

/* Keys in the subject's style, each with its texts. */
static struct trolley_span call_keys(const struct subject *subject, struct pages *pages,
                                     const struct trolley_span *keys)
{
    enum { WIDER = 24, MOST = 8 };
    const size_t stride =
        sizeof(struct trolley_query_key) + (subject->style == SUBJECT_WIDE ? WIDER : 0);
    unsigned char all[MOST * (sizeof(struct trolley_query_key) + WIDER)];
    const uint32_t count = keys->count < MOST ? keys->count : MOST;
    const char *value;
    uint32_t i;

    if (subject->style == SUBJECT_PLAIN) return *keys;
    memset(all, 0xa5, sizeof all);
    for (i = 0; i < count; i++) {
        struct trolley_query_key key = *(const struct trolley_query_key *)trolley_span_at(keys, i);

        key.size = (uint32_t)stride;
        key.name = subject_text(subject, pages, key.name);
        value = subject_text(subject, pages, trolley_span_text(&key.values, 0));
        key.values.items = pages_put(pages, &value, sizeof value);
        memcpy(all + i * stride, &key, sizeof key);
    }
    return (struct trolley_span){pages_put(pages, all, count * stride), count, (uint32_t)stride};
}

/* The keys of a query for the sample; none where no query type takes them. */
static int call_query(const struct subject *subject, uint32_t level,
                      struct trolley_query_builder **ret_builder,
                      const struct trolley_query **ret_query)
{
    const struct trolley_span *types = instance_query_types(&subject->instance);
    struct trolley_query_builder *builder;
    int r = trolley_query_new(&builder, NULL);

    if (r < 0) return r;
    *ret_builder = builder;
    (void)trolley_query_set_level(builder,
                                  level == TROLLEY_LEVEL_STUDY    ? "study"
                                  : level == TROLLEY_LEVEL_SERIES ? "series"
                                                                  : "instance",
                                  NULL);
    r = query_set_uid(builder, TROLLEY_LEVEL_STUDY, SAMPLE_STUDY, NULL);
    if (r == 0 && level == TROLLEY_LEVEL_INSTANCE)
        r = query_set_uid(builder, TROLLEY_LEVEL_SERIES, SAMPLE_SERIES, NULL);
    if (r < 0) return r;
    return query_accept(builder, types, call_levels(subject), ret_query, NULL);
}

int32_t call_find(struct subject *subject, uint32_t level, struct record_probe *probe,
                  bool *ret_known)
{
    const struct trolley_searcher_ops *ops = &subject->instance.ops.searcher;
    struct trolley_query_builder *builder = NULL;
    const struct trolley_query *query, *argument;
    struct trolley_query copy;
    struct pages pages = subject_pages(subject);
    struct trolley_task *task;
    int32_t r;

    *ret_known = call_query(subject, level, &builder, &query) == 0;
    if (!*ret_known) {
        trolley_query_free(builder);
        return 0;
    }
    copy = *query;
    copy.type = subject_text(subject, &pages, query->type);
    copy.keys = call_keys(subject, &pages, &query->keys);
    argument = subject_open_struct(subject, &pages, &copy, sizeof copy);
    task = subject_task(subject, &pages);
    check_doing(subject->check, "check at level %u", level);
    r = ops->check ? ops->check(subject->instance.self, argument, task) : 0;
    *ret_known = r == 0;
    if (r == 0) {
        check_doing(subject->check, "find at level %u", level);
        r = ops->find(subject->instance.self, argument, &probe->sink, task);
    }
    probe->returned = true;
    subject_done(subject, &pages);
    trolley_query_free(builder);
    return r;
}

/* ---- downloader ----------------------------------------------------------------------------- */

int32_t call_fetch(struct subject *subject, uint32_t level, struct dataset_probe *probe)
{
    const struct trolley_downloader_ops *ops = &subject->instance.ops.downloader;
    struct pages pages = subject_pages(subject);
    struct trolley_ref ref = {
        .size = sizeof ref,
        .level = level,
        .study = subject_text(subject, &pages, SAMPLE_STUDY),
    };
    struct trolley_task *task;
    struct trolley_span refs;
    int32_t r;

    if (level >= TROLLEY_LEVEL_SERIES) ref.series = subject_text(subject, &pages, SAMPLE_SERIES);
    if (level >= TROLLEY_LEVEL_INSTANCE)
        ref.instance = subject_text(subject, &pages, SAMPLE_INSTANCE);
    refs = (struct trolley_span){subject_open_struct(subject, &pages, &ref, sizeof ref), 1, 0};
    refs.stride = ((const struct trolley_ref *)refs.items)->size;
    task = subject_task(subject, &pages);
    check_doing(subject->check, "fetch at level %u", level);
    r = ops->fetch(subject->instance.self, &refs, &probe->sink, task);
    probe->returned = true;
    subject_done(subject, &pages);
    return r;
}

uint32_t call_levels(const struct subject *subject)
{
    return instance_levels(&subject->instance);
}

int32_t call_ping(struct subject *subject)
{
    const struct trolley_ping_interface *ping =
        instance_interface(&subject->instance, TROLLEY_PING_INTERFACE);
    struct pages pages = subject_pages(subject);
    struct trolley_task *task;
    int32_t r;

    if (!ping) return 0;
    task = subject_task(subject, &pages);
    check_doing(subject->check, "ping");
    r = ping->ping(subject->instance.self, task);
    subject_done(subject, &pages);
    return r;
}

/* ---- everything ----------------------------------------------------------------------------- */

int32_t call_judge(struct subject *subject, const char *what, int32_t status)
{
    return subject->judged ? subject_judge(subject, what, status) : status;
}

static int32_t call_finds(struct subject *subject)
{
    int32_t r, worst = 0;
    uint32_t level;

    for (level = TROLLEY_LEVEL_STUDY; level <= TROLLEY_LEVEL_INSTANCE; level++) {
        struct record_probe probe;
        bool known;

        if (!(call_levels(subject) & TROLLEY_LEVEL_BIT(level))) continue;
        record_probe_init(&probe, 0, 0);
        r = call_judge(subject, "find", call_find(subject, level, &probe, &known));
        if (r < 0) worst = r;
    }
    return worst;
}

static int32_t call_fetches(struct subject *subject)
{
    const struct trolley_downloader_ops *ops = &subject->instance.ops.downloader;
    int32_t r, worst = 0;
    uint32_t level;

    if (ops->preferred_level) (void)ops->preferred_level(subject->instance.self);
    if (ops->batch) (void)ops->batch(subject->instance.self);
    if (ops->group_level) (void)ops->group_level(subject->instance.self);
    for (level = TROLLEY_LEVEL_STUDY; level <= TROLLEY_LEVEL_INSTANCE; level++) {
        struct dataset_probe probe;

        if (!(call_levels(subject) & TROLLEY_LEVEL_BIT(level))) continue;
        dataset_probe_init(&probe, PROBE_NONE, 0, 0);
        r = call_judge(subject, "fetch", call_fetch(subject, level, &probe));
        dataset_probe_clear(&probe);
        if (r < 0) worst = r;
    }
    return worst;
}

static int32_t call_storage(struct subject *subject)
{
    struct call_stored stored;
    int32_t r, worst = 0;

    r = call_judge(subject, "exists", call_exists(subject, SAMPLE_INSTANCE, &stored));
    if (r < 0 && r != TROLLEY_ERR_NOT_FOUND) worst = r;
    r = call_judge(subject, "storing", call_store(subject, "one", 0, false, &stored));
    if (r < 0) worst = r;
    r = call_judge(subject, "storing", call_store(subject, "two", 0, true, &stored));
    if (r < 0) worst = r;
    return worst;
}

int32_t call_everything(struct subject *subject)
{
    int32_t r, worst;

    switch (subject->check->kind) {
    case TROLLEY_KIND_SEARCHER:
        worst = call_finds(subject);
        break;
    case TROLLEY_KIND_DOWNLOADER:
        worst = call_fetches(subject);
        break;
    case TROLLEY_KIND_STORAGE:
        return call_storage(subject);
    default:
        return call_judge(subject, "a log-in", call_auth(subject));
    }
    r = call_judge(subject, "ping", call_ping(subject));
    return r < 0 ? r : worst;
}
