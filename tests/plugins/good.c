/* good.c: a searcher that knows one study. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

struct good {
    const struct trolley_config *config;
};

static int32_t good_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct good *good = calloc(1, sizeof *good);

    (void)host;
    (void)shared;
    if (!good) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    good->config = config;
    *self = good;
    return 0;
}

static void good_destroy(void *self)
{
    free(self);
}

/* The study that the option `study` names, whatever is asked. */
static int32_t good_find(void *self, const struct trolley_query *query,
                         const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct good *good = self;
    const char *uid = good->config->text(good->config, "study");
    const struct trolley_element element = {sizeof element, 0x0020000d, NULL,
                                            "UI",           0,          {&uid, 1, sizeof uid}};
    const struct trolley_record record = {
        sizeof record, query->level, {&element, 1, sizeof element}};

    (void)task;
    return sink->record(sink->ctx, &record);
}

static const struct trolley_option option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "study",
     .default_text = "1.2.3",
     .help = "the study it knows"},
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span types = TROLLEY_SPAN(type_table);

static const struct trolley_searcher_ops ops = {.size = sizeof ops, .find = good_find};

static const struct trolley_component searcher = {
    .size = sizeof searcher,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "knows one study",
    .options = &options,
    .query_types = &types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
    .create = good_create,
    .destroy = good_destroy,
    .ops = &ops,
};

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "good"
#endif
#ifdef PLUGIN_TWICE
static const struct trolley_component *const components[] = {&searcher, &searcher, NULL};
#else
static const struct trolley_component *const components[] = {&searcher, NULL};
#endif

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = PLUGIN_NAME,
        .version = "1.0",
        .license = "MIT",
        .summary = "a searcher that knows one study",
        .components = components,
    };

    return &plugin;
}
