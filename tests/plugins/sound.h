/*
 * sound.h: parts of a plugin without faults, for plugins of the tests that have one fault, or one
 * peculiarity, each: they put their own function in the place of one of these.
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PLUGINS_SOUND_H
#define TESTS_PLUGINS_SOUND_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#define SOUND __attribute__((unused)) static

#define SOUND_ALL_LEVELS                                                                \
    (TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) | \
     TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE))

#define SOUND_OPTION(type_, key_) \
    .size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_##type_, .key = (key_)

/* An instance. */
struct sound {
    const struct trolley_config *config;
    const struct trolley_host *host;
    const void *kept; /* for those that keep what they must not */
};

SOUND int32_t sound_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct sound *sound = calloc(1, sizeof *sound);

    (void)shared;
    if (!sound) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    sound->host = host;
    sound->config = config;
    *self = sound;
    return 0;
}

SOUND void sound_destroy(void *self)
{
    free(self);
}

static const struct trolley_option sound_option_table[] = {
    {SOUND_OPTION(STRING, "label"), .default_text = "sound", .help = "any text"},
    {SOUND_OPTION(INT, "number"), .default_text = "10", .max = 1000, .help = "any number"},
};
SOUND const struct trolley_span sound_options = TROLLEY_SPAN(sound_option_table);

static const struct trolley_query_type sound_type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
SOUND const struct trolley_span sound_types = TROLLEY_SPAN(sound_type_table);

/* One object of the level, number n; what the sink says. */
SOUND int32_t sound_record(const struct trolley_query *query,
                           const struct trolley_record_sink *sink, unsigned n)
{
    static const uint32_t tags[] = {0x0020000d, 0x0020000e, 0x00080018};
    struct trolley_element elements[3];
    char uids[3][32];
    const char *values[3];
    const struct trolley_record record = {
        sizeof record, query->level, {elements, query->level, sizeof elements[0]}};
    uint32_t i;

    memset(elements, 0, sizeof elements);
    for (i = 0; i < 3; i++) {
        (void)snprintf(uids[i], sizeof uids[i], "1.2.3.%u.%u", i, n);
        values[i] = uids[i];
        elements[i].size = sizeof elements[i];
        elements[i].tag = tags[i];
        memcpy(elements[i].vr, "UI", 2);
        elements[i].values = (struct trolley_span){&values[i], 1, sizeof values[i]};
    }
    return sink->record(sink->ctx, &record);
}

SOUND int32_t sound_find(void *self, const struct trolley_query *query,
                         const struct trolley_record_sink *sink, struct trolley_task *task)
{
    unsigned n;
    int32_t r = 0;

    (void)self;
    for (n = 0; r == 0 && n < 3; n++) {
        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        r = sound_record(query, sink, n);
    }
    return r;
}

/* One item for the reference. CANCELLED when the sink wants no more. */
SOUND int32_t sound_item(const struct trolley_ref *ref, const struct trolley_dataset_sink *sink)
{
    const struct trolley_meta meta = {
        .size = sizeof meta,
        .study = ref->study,
        .series = ref->series ? ref->series : "1.2.3.4",
        .instance = ref->instance ? ref->instance : "1.2.3.4.5",
    };
    const struct trolley_failure failure = {.size = sizeof failure,
                                            .status = TROLLEY_ERR_IO,
                                            .flags = TROLLEY_FAILURE_PERMANENT,
                                            .message = "the sink refused it"};
    void *item;
    int32_t r = sink->begin(sink->ctx, &meta, &item);

    if (r < 0) return r;
    r = sink->write(item, "DICM", 4);
    (void)sink->end(item, r < 0 ? &failure : NULL);
    return r;
}

SOUND int32_t sound_fetch(void *self, const struct trolley_span *refs,
                          const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    uint32_t i;

    (void)self;
    for (i = 0; i < refs->count; i++) {
        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        if (sound_item(trolley_span_at(refs, i), sink) == TROLLEY_ERR_CANCELLED)
            return TROLLEY_ERR_CANCELLED;
    }
    return 0;
}

SOUND const struct trolley_searcher_ops sound_searcher_ops = {
    .size = sizeof(struct trolley_searcher_ops), .find = sound_find};
SOUND const struct trolley_downloader_ops sound_downloader_ops = {
    .size = sizeof(struct trolley_downloader_ops), .fetch = sound_fetch};

/* The entry of a plugin that has this component. */
#define SOUND_ENTRY(name_, component_)                                                  \
    const struct trolley_plugin *trolley_plugin_v1(void)                                \
    {                                                                                   \
        static const struct trolley_component *const components[] = {component_, NULL}; \
        static const struct trolley_plugin plugin = {                                   \
            .size = sizeof plugin,                                                      \
            .abi_minor = TROLLEY_ABI_MINOR,                                             \
            .name = name_,                                                              \
            .version = "1.0",                                                           \
            .license = "MIT",                                                           \
            .summary = "for the tests",                                                 \
            .components = components,                                                   \
        };                                                                              \
                                                                                        \
        return &plugin;                                                                 \
    }                                                                                   \
    _Static_assert(1, "")

/* Plugins with one searcher or downloader, of which all can be chosen. */
#define SOUND_SEARCHER(name_, options_, types_, create_, destroy_, ops_, get_interface_) \
    static const struct trolley_component searcher = {                                   \
        .size = sizeof searcher,                                                         \
        .kind = TROLLEY_KIND_SEARCHER,                                                   \
        .summary = "for the tests",                                                      \
        .options = options_,                                                             \
        .query_types = types_,                                                           \
        .levels = SOUND_ALL_LEVELS,                                                      \
        .create = create_,                                                               \
        .destroy = destroy_,                                                             \
        .ops = ops_,                                                                     \
        .get_interface = get_interface_,                                                 \
    };                                                                                   \
    SOUND_ENTRY(name_, &searcher)

#define SOUND_FINDER(name_, find_)                                                      \
    static const struct trolley_searcher_ops ops = {.size = sizeof ops, .find = find_}; \
    SOUND_SEARCHER(name_, &sound_options, &sound_types, sound_create, sound_destroy, &ops, NULL)

#define SOUND_CREATOR(name_, create_, destroy_)                                                 \
    SOUND_SEARCHER(name_, &sound_options, &sound_types, create_, destroy_, &sound_searcher_ops, \
                   NULL)

#define SOUND_FETCHER(name_, fetch_)                                                        \
    static const struct trolley_downloader_ops ops = {.size = sizeof ops, .fetch = fetch_}; \
    static const struct trolley_component downloader = {                                    \
        .size = sizeof downloader,                                                          \
        .kind = TROLLEY_KIND_DOWNLOADER,                                                    \
        .summary = "for the tests",                                                         \
        .options = &sound_options,                                                          \
        .levels = SOUND_ALL_LEVELS,                                                         \
        .create = sound_create,                                                             \
        .destroy = sound_destroy,                                                           \
        .ops = &ops,                                                                        \
    };                                                                                      \
    SOUND_ENTRY(name_, &downloader)

#endif
