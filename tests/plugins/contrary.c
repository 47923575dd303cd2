/*
 * contrary.c: a searcher that counts a study and names none of its instances, and a downloader that
 * says that it was cancelled when it was not. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

struct contrary {
    const char *study, *count;
};

static int32_t contrary_create(const struct trolley_host *host, const struct trolley_config *config,
                               void *shared, struct trolley_task *task, void **self)
{
    struct contrary *contrary = calloc(1, sizeof *contrary);

    (void)host;
    (void)shared;
    if (!contrary) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    contrary->study = config->text(config, "study");
    contrary->count = config->text(config, "count");
    *self = contrary;
    return 0;
}

static int32_t contrary_find(void *self, const struct trolley_query *query,
                             const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct contrary *contrary = self;
    const struct trolley_element elements[] = {
        {sizeof elements[0], 0x0020000d, NULL, "UI", 0, {&contrary->study, 1, sizeof(char *)}},
        {sizeof elements[0], 0x00201208, NULL, "IS", 0, {&contrary->count, 1, sizeof(char *)}},
    };
    const struct trolley_record record = {sizeof record, query->level, TROLLEY_SPAN(elements)};

    (void)task;
    return sink->record(sink->ctx, &record);
}

static int32_t contrary_fetch(void *self, const struct trolley_span *refs,
                              const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    (void)self;
    (void)refs;
    (void)sink;
    (void)task;
    return TROLLEY_ERR_CANCELLED;
}

static const struct trolley_option option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "study",
     .default_text = "1.2.3",
     .help = "the study it knows"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "count",
     .default_text = "1",
     .help = "how many instances it says that the study has"},
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span types = TROLLEY_SPAN(type_table);
static const struct trolley_searcher_ops search_ops = {.size = sizeof search_ops,
                                                       .find = contrary_find};
static const struct trolley_downloader_ops fetch_ops = {.size = sizeof fetch_ops,
                                                        .fetch = contrary_fetch};

static const struct trolley_component searcher = {
    .size = sizeof searcher,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "counts, and names nothing",
    .options = &options,
    .query_types = &types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
    .create = contrary_create,
    .destroy = free,
    .ops = &search_ops,
};
static const struct trolley_component downloader = {
    .size = sizeof downloader,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "gives up without a reason",
    .options = &options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = contrary_create,
    .destroy = free,
    .ops = &fetch_ops,
};
static const struct trolley_component *const components[] = {&searcher, &downloader, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "contrary",
        .version = "1",
        .license = "MIT",
        .summary = "breaks the contract",
        .components = components,
    };

    return &plugin;
}
