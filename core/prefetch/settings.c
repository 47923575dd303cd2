/* settings.c: the sections of prefetching, read and joined to each other.
 * SPDX-License-Identifier: MIT */
#include "core/prefetch/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/config/section.h"
#include "core/model/error.h"
#include "core/prefetch/condition.h"
#include "core/prefetch/schedule.h"
#include "core/prefetch/settings_own.h"

#define SETTINGS_ARENA_CAP ((size_t)64 << 20)
#define SETTINGS_QUEUE "default" /* of exporters that name none */

void *settings_alloc(struct settings *settings, size_t count, size_t size)
{
    void *memory = NULL;

    if (count > SETTINGS_ARENA_CAP / size ||
        arena_alloc(&settings->arena, count ? count * size : 1, &memory) < 0) {
        (void)error_set(settings->error, TROLLEY_ERR_NOMEM, "out of memory");
        return NULL;
    }
    return memset(memory, 0, count * size);
}

int settings_section(struct settings *settings, const char *kind,
                     const struct config_section *written, struct section **ret_section)
{
    const struct trolley_span *tables[] = {config_host_options(kind), NULL, NULL};
    struct section **sections;
    int r;

    if (strcmp(kind, "exporter") == 0) tables[1] = config_http_options();
    sections =
        reallocarray(settings->sections, settings->section_count + 1, sizeof *settings->sections);
    if (!sections) return error_set(settings->error, TROLLEY_ERR_NOMEM, "out of memory");
    settings->sections = sections;
    r = section_resolve(settings->setup->file, written, tables, ret_section, settings->error);
    if (r == 0) settings->sections[settings->section_count++] = *ret_section;
    return r;
}

int settings_fault(struct settings *settings, struct section *section, const char *key,
                   const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(settings->error, TROLLEY_ERR_INVALID_CONFIG, "%s: [%s %s] key `%s`: %s",
                     section_where(section, key), section->kind, section->name, key, text);
}

int settings_list(struct settings *settings, struct section *section, const char *key,
                  const char ***ret_texts, uint32_t *ret_count)
{
    const struct trolley_config *config = section_config(section);
    struct trolley_span list = config->list(config, key);
    const char **texts = NULL;
    uint32_t i;

    if (list.count) {
        texts = settings_alloc(settings, list.count, sizeof *texts);
        if (!texts) return TROLLEY_ERR_NOMEM;
    }
    for (i = 0; i < list.count; i++)
        texts[i] = trolley_span_text(&list, i);
    *ret_texts = texts;
    *ret_count = list.count;
    return 0;
}

int settings_schedule(struct settings *settings, struct section *section,
                      struct prefetch_schedule **ret_schedule)
{
    struct trolley_error why = {0};
    const char **texts;
    uint32_t count;
    int r = settings_list(settings, section, "schedule", &texts, &count);

    if (r < 0 || count == 0) return r;
    r = prefetch_schedule_parse(texts, count, ret_schedule, &why);
    return r < 0 ? settings_fault(settings, section, "schedule", "%s", why.message) : 0;
}

static int settings_read_queue(struct settings *settings, const struct config_section *written,
                               struct prefetch_queue *queue)
{
    const struct trolley_config *config;
    struct section *section;
    int r = settings_section(settings, "queue", written, &section);

    if (r < 0) return r;
    config = section_config(section);
    queue->name = written ? written->name : SETTINGS_QUEUE;
    queue->max_parallel = (uint32_t)config->integer(config, "max_parallel", 1);
    queue->max_retries = (uint32_t)config->integer(config, "max_retries", 0);
    queue->retry_delay_ms = config->integer(config, "retry_delay", 0);
    queue->max_retry_delay_ms = config->integer(config, "max_retry_delay", 0);
    queue->retry_multiplier = (uint32_t)config->integer(config, "retry_multiplier", 100);
    queue->retry_on_warning = config->integer(config, "retry_on_warning", 0) != 0;
    queue->purge_completed_ms = config->integer(config, "purge_completed", -1);
    queue->purge_warning_ms = config->integer(config, "purge_warning", -1);
    queue->purge_failed_ms = config->integer(config, "purge_failed", -1);
    queue->purge_canceled_ms = config->integer(config, "purge_canceled", -1);
    return settings_schedule(settings, section, &queue->schedule);
}

const struct prefetch_queue *settings_queue(const struct settings *settings, const char *name)
{
    uint32_t i;

    for (i = 0; i < settings->view.queue_count; i++)
        if (strcmp(settings->view.queues[i].name, name ? name : SETTINGS_QUEUE) == 0)
            return &settings->view.queues[i];
    return NULL;
}

/* Does the rule's scope leave something for a searcher to name? */
static const struct prefetch_url *settings_unnamed(const struct prefetch_rule *rule,
                                                   const struct prefetch_exporter *exporter)
{
    const enum prefetch_grain known = rule->entity == PREFETCH_STUDY    ? PREFETCH_GRAIN_STUDY
                                      : rule->entity == PREFETCH_SERIES ? PREFETCH_GRAIN_SERIES
                                                                        : PREFETCH_GRAIN_INSTANCE;
    uint32_t i;

    for (i = 0; !exporter->searcher && i < exporter->url_count; i++)
        if (exporter->urls[i].grain > known) return &exporter->urls[i];
    return NULL;
}

static int settings_rule_exporters(struct settings *settings, struct section *section,
                                   struct prefetch_rule *rule)
{
    const struct prefetch_url *unnamed;
    const char **names;
    uint32_t i, k;
    int r = settings_list(settings, section, "exporter", &names, &rule->exporter_count);

    if (r < 0) return r;
    rule->exporters = settings_alloc(settings, rule->exporter_count, sizeof *rule->exporters);
    if (!rule->exporters) return TROLLEY_ERR_NOMEM;
    for (i = 0; i < rule->exporter_count; i++) {
        rule->exporters[i] = prefetch_exporter_get(&settings->view, names[i]);
        for (k = 0; k < i; k++)
            if (rule->exporters[k] == rule->exporters[i])
                return settings_fault(settings, section, "exporter", "`%s` stands here twice",
                                      names[i]);
        unnamed = settings_unnamed(rule, rule->exporters[i]);
        if (unnamed)
            return settings_fault(settings, section, "exporter",
                                  "[exporter %s] needs a searcher, which names what %s asks for",
                                  names[i], unnamed->text);
    }
    return 0;
}

static int settings_read_rule(struct settings *settings, const struct config_section *written,
                              struct prefetch_rule *rule)
{
    const struct trolley_config *config;
    struct trolley_error why = {0};
    struct section *section;
    const char **texts;
    uint32_t count;
    int r = settings_section(settings, "rule", written, &section);

    if (r < 0) return r;
    config = section_config(section);
    rule->name = written->name;
    rule->entity = (enum prefetch_entity)config->integer(config, "entity", 0);
    rule->delay_ms = config->integer(config, "delay", 0);
    rule->max_delay_ms = config->integer(config, "max_delay", 0);
    rule->jitter_ms = config->integer(config, "jitter", 0);
    rule->reoccurred = (enum prefetch_reoccurred)config->integer(config, "reoccurred", 0);
    rule->export_previous_entity = config->integer(config, "export_previous_entity", 0) != 0;
    if (rule->max_delay_ms && rule->max_delay_ms < rule->delay_ms)
        return settings_fault(settings, section, "max_delay", "is shorter than delay");
    r = settings_list(settings, section, "condition", &texts, &count);
    if (r < 0) return r;
    r = prefetch_condition_parse(texts, count, &rule->conditions, &why);
    if (r < 0) return settings_fault(settings, section, "condition", "%s", why.message);
    r = settings_schedule(settings, section, &rule->schedule);
    return r < 0 ? r : settings_rule_exporters(settings, section, rule);
}

/* Sets a KEY=VALUE of a watch, as `find` would. */
static int settings_check_key(struct settings *settings, struct section *section,
                              struct trolley_query_builder *query, const char *text)
{
    const char *equals = strchr(text, '=');
    struct trolley_error why = {0};
    char *key;
    int r;

    if (!equals || equals == text)
        return settings_fault(settings, section, "query", "`%s` is not KEY=VALUE", text);
    key = strndup(text, (size_t)(equals - text));
    if (!key) return error_set(settings->error, TROLLEY_ERR_NOMEM, "out of memory");
    r = trolley_query_set(query, key, equals + 1, &why);
    free(key);
    return r < 0 ? settings_fault(settings, section, "query", "%s", why.message) : 0;
}

static int settings_read_watch(struct settings *settings, const struct config_section *written,
                               struct prefetch_watch *watch)
{
    struct trolley_query_builder *query = NULL;
    const struct trolley_config *config;
    struct section *section;
    uint32_t i;
    int r = settings_section(settings, "watch", written, &section);

    if (r < 0) return r;
    config = section_config(section);
    watch->name = written->name;
    watch->searcher = config->text(config, "searcher");
    watch->interval_ms = config->integer(config, "interval", 0);
    watch->detect_uids = config->integer(config, "detect", 0) == 1;
    watch->baseline_export = config->integer(config, "baseline", 0) == 1;
    r = settings_list(settings, section, "query", &watch->query, &watch->query_count);
    if (r == 0) r = trolley_query_new(&query, settings->error);
    for (i = 0; r == 0 && i < watch->query_count; i++)
        r = settings_check_key(settings, section, query, watch->query[i]);
    trolley_query_free(query);
    return r;
}

static uint32_t settings_count(const struct settings *settings, const char *kind)
{
    const struct config_file *file = settings->setup->file;
    const struct config_section *written = file ? config_file_first(file) : NULL;
    uint32_t count = 0;

    for (; written; written = written->next)
        count += strcmp(written->kind, kind) == 0;
    return count;
}

static int settings_read_own(struct settings *settings)
{
    const struct config_file *file = settings->setup->file;
    const struct trolley_config *config;
    struct section *section;
    int r = settings_section(settings, "prefetch",
                             file ? config_file_section(file, "prefetch", "") : NULL, &section);

    if (r < 0) return r;
    config = section_config(section);
    settings->view.state_dir = config->text(config, "state_dir");
    settings->view.on_download = config->integer(config, "on_download", 0) != 0;
    return 0;
}

static int settings_allocate(struct settings *settings)
{
    struct prefetch_settings *view = &settings->view;

    /* One more for the default queue. */
    view->queues =
        settings_alloc(settings, settings_count(settings, "queue") + 1, sizeof *view->queues);
    view->exporters =
        settings_alloc(settings, settings_count(settings, "exporter"), sizeof *view->exporters);
    view->rules = settings_alloc(settings, settings_count(settings, "rule"), sizeof *view->rules);
    view->watches =
        settings_alloc(settings, settings_count(settings, "watch"), sizeof *view->watches);
    if (!view->queues || !view->exporters || !view->rules || !view->watches)
        return TROLLEY_ERR_NOMEM;
    return 0;
}

/* Counted before they are read, so that what a section that fails has got is freed. */
static int settings_read_one(struct settings *settings, const struct config_section *written)
{
    struct prefetch_settings *view = &settings->view;

    if (strcmp(written->kind, "queue") == 0)
        return settings_read_queue(settings, written, &view->queues[view->queue_count++]);
    if (strcmp(written->kind, "exporter") == 0)
        return settings_exporter(settings, written, &view->exporters[view->exporter_count++]);
    if (strcmp(written->kind, "rule") == 0)
        return settings_read_rule(settings, written, &view->rules[view->rule_count++]);
    return settings_read_watch(settings, written, &view->watches[view->watch_count++]);
}

/* Sections of a kind that others name come first. */
static int settings_read(struct settings *settings)
{
    static const char *const kinds[] = {"queue", "exporter", "rule", "watch"};
    const struct config_file *file = settings->setup->file;
    const struct config_section *written;
    size_t i;
    int r = settings_read_own(settings);

    if (r == 0) r = settings_allocate(settings);
    for (i = 0; r == 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        for (written = file ? config_file_first(file) : NULL; r == 0 && written;
             written = written->next)
            if (strcmp(written->kind, kinds[i]) == 0) r = settings_read_one(settings, written);
        if (r == 0 && i == 0 && !settings_queue(settings, NULL))
            r = settings_read_queue(settings, NULL,
                                    &settings->view.queues[settings->view.queue_count++]);
    }
    return r;
}

int prefetch_settings_load(struct trolley_setup *setup, struct prefetch_settings **ret_settings,
                           struct trolley_error *error)
{
    struct settings *settings = calloc(1, sizeof *settings);
    int r;

    if (!settings) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    settings->setup = setup;
    settings->arena.cap = SETTINGS_ARENA_CAP;
    settings->error = error;
    r = settings_read(settings);
    settings->error = NULL;
    if (r < 0) {
        prefetch_settings_free(&settings->view);
        return r;
    }
    *ret_settings = &settings->view;
    return 0;
}

void prefetch_settings_free(struct prefetch_settings *view)
{
    struct settings *settings = (struct settings *)view;
    size_t i;

    if (!view) return;
    for (i = 0; i < view->queue_count; i++)
        prefetch_schedule_free(view->queues[i].schedule);
    for (i = 0; i < view->exporter_count; i++)
        prefetch_schedule_free(view->exporters[i].schedule);
    for (i = 0; i < view->rule_count; i++) {
        prefetch_schedule_free(view->rules[i].schedule);
        prefetch_condition_free(view->rules[i].conditions);
    }
    for (i = 0; i < settings->section_count; i++)
        section_free(settings->sections[i]);
    free(settings->sections);
    arena_free(&settings->arena);
    free(settings);
}

const struct prefetch_exporter *prefetch_exporter_get(const struct prefetch_settings *settings,
                                                      const char *id)
{
    uint32_t i;

    for (i = 0; i < settings->exporter_count; i++)
        if (strcmp(settings->exporters[i].id, id) == 0) return &settings->exporters[i];
    return NULL;
}
