/*
 * broken_plugin.c: a searcher that knows one study, and with -DBROKEN_... one fault of a plugin
 * that the host must name. Compiled by test_site_plugins.py. SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "unnamed"
#endif
#ifndef SIZE
#define SIZE(type) sizeof(type)
#endif

static const struct trolley_option option_table[] = {
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_INT,
#ifdef BROKEN_OPTION
        .key = BROKEN_OPTION,
#else
        .key = "depth",
#endif
        .default_text = "7",
        .min = 1,
        .max = 9,
        .help = "how deep it looks",
    },
#ifdef WITH_PEER
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_COMPONENT,
        .key = "peer",
        .choices = "searcher",
        .help = "whom it asks",
    },
#endif
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span query_types = TROLLEY_SPAN(type_table);

static int32_t broken_open(const struct trolley_host *host, const struct trolley_config *config,
                           struct trolley_task *task, void **shared)
{
    (void)host;
    (void)shared;
#ifdef BROKEN_OPEN
    return trolley_fail(task, TROLLEY_ERR_UNAVAILABLE, "the licence server of %s is asleep",
                        config->section);
#else
#ifdef WITH_PEER
    *shared = strdup(config->section);
#endif
    (void)config;
    (void)task;
    return TROLLEY_OK;
#endif
}

#ifdef WITH_PEER
static void broken_close(void *shared)
{
    (void)fprintf(stderr, "%s is closed\n", (const char *)shared);
    free(shared);
}
#endif

static int32_t broken_create(const struct trolley_host *host, const struct trolley_config *config,
                             void *shared, struct trolley_task *task, void **self)
{
    (void)host;
    (void)shared;
    (void)config;
    (void)self;
#ifdef BROKEN_MAKE
    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "depth and width do not go together");
#else
    (void)task;
    return TROLLEY_OK;
#endif
}

static void broken_destroy(void *self)
{
    (void)self;
}

static int32_t broken_find(void *self, const struct trolley_query *query,
                           const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const char *uid = "1.2.3";
    const struct trolley_element element = {
        .size = sizeof element, .tag = 0x0020000d, .values = {&uid, 1, sizeof uid}};
    const struct trolley_record record = {
        sizeof record, query->level, {&element, 1, sizeof element}};

    (void)self;
    (void)task;
    return sink->record(sink->ctx, &record);
}

#if defined(BROKEN_STORAGE)
#define KIND TROLLEY_KIND_STORAGE
static const struct trolley_storage_ops ops = {.size = sizeof ops};
#elif defined(BROKEN_DOWNLOADER)
#define KIND TROLLEY_KIND_DOWNLOADER
static const struct trolley_downloader_ops ops = {.size = sizeof ops};
#elif defined(BROKEN_AUTH)
#define KIND TROLLEY_KIND_AUTH
static const struct trolley_auth_ops ops = {.size = sizeof ops};
#else
#ifdef BROKEN_KIND
#define KIND BROKEN_KIND
#else
#define KIND TROLLEY_KIND_SEARCHER
#endif
static const struct trolley_searcher_ops ops = {
#ifdef BROKEN_OPS_SIZE
    .size = 8,
#else
    .size = sizeof ops,
#endif
#ifndef BROKEN_FIND
    .find = broken_find,
#endif
};
#endif

static const struct trolley_component component = {
#ifdef BROKEN_COMPONENT_SIZE
    .size = 40,
#else
    .size = sizeof component,
#endif
    .kind = KIND,
    .summary = "knows one study",
    .options = &options,
#ifndef BROKEN_TYPES
    .query_types = &query_types,
#endif
#ifndef BROKEN_LEVELS
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
#endif
    .open = broken_open,
#ifdef WITH_PEER
    .close = broken_close,
#endif
#ifndef BROKEN_CREATE
    .create = broken_create,
#endif
    .destroy = broken_destroy,
    .ops = &ops,
};

static const struct trolley_component *const components[] = {
#ifdef BROKEN_TWICE
    &component,
#endif
#ifndef BROKEN_EMPTY
    &component,
#endif
    NULL,
};

static const struct trolley_plugin plugin = {
#ifdef BROKEN_SIZE
    .size = 16,
#else
    .size = sizeof plugin,
#endif
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = PLUGIN_NAME,
    .version = "1.0",
    .license = "MIT",
    .summary = "one study",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
#ifdef BROKEN_NULL
    return NULL;
#else
    return &plugin;
#endif
}
