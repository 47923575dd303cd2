/* trolley.c: choosing a [trolley NAME], or composing one; find; ping. SPDX-License-Identifier: MIT
 */
#include "core/retrieve/trolley.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/tree.h"
#include "core/retrieve/search.h"

/* The section of that name, of [settings] trolley, or the only one there is. */
static int trolley_choose(struct trolley_setup *setup, const char *name,
                          const struct config_section **ret_section, struct trolley_error *error)
{
    const struct config_section *section, *only = NULL;
    const char *file = setup->file ? config_file_path(setup->file) : "no INI file";
    size_t count = 0;

    if (!name) name = trolley_setup_setting(setup, "trolley");
    for (section = setup->file ? config_file_first(setup->file) : NULL; section;
         section = section->next) {
        if (strcmp(section->kind, "trolley") != 0) continue;
        if (name && strcmp(section->name, name) == 0) {
            *ret_section = section;
            return 0;
        }
        only = section;
        count++;
    }
    if (name)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: there is no section [trolley %s]",
                         file, name);
    if (count == 0)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: there is no [trolley NAME] section: it names searcher, downloader "
                         "and storage",
                         file);
    if (count > 1)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s has %zu [trolley NAME] sections: choose one with --trolley or "
                         "`trolley =` in [settings]",
                         file, count);
    *ret_section = only;
    return 0;
}

int retrieve_lacks(const struct trolley *trolley, const char *key, const char *hint,
                   struct trolley_error *error)
{
    if (!trolley->name)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "this trolley was composed without a %s%s", key, hint);
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: [trolley %s] names no %s (key `%s`)%s",
                     section_where(trolley->section, key), trolley->name, key, key, hint);
}

static int trolley_check_name(const struct trolley *trolley, const char *key, const char *kind,
                              const char *name, struct trolley_error *error)
{
    const struct config_file *file = trolley->setup->file;

    if (!name || (file && config_file_section(file, kind, name))) return 0;
    if (!trolley->name)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: there is no section [%s %s]",
                         file ? config_file_path(file) : "no INI file", kind, name);
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                     "%s: [trolley %s] key `%s`: there is no section [%s %s]",
                     section_where(trolley->section, key), trolley->name, key, kind, name);
}

/* Every section that it names must be there, whether this command needs it or not. */
static int trolley_check_names(const struct trolley *trolley, struct trolley_error *error)
{
    int r = trolley_check_name(trolley, "searcher", "searcher", trolley->searcher, error);
    uint32_t i;

    if (r == 0) r = trolley_check_name(trolley, "expander", "searcher", trolley->expander, error);
    if (r == 0) r = trolley_check_name(trolley, "storage", "storage", trolley->storage, error);
    for (i = 0; r == 0 && i < trolley->downloaders.count; i++)
        r = trolley_check_name(trolley, "downloader", "downloader",
                               trolley_span_text(&trolley->downloaders, i), error);
    return r;
}

/* A trolley of a section, which may stand in no file: then it has no name. */
static int trolley_make(struct trolley_setup *setup, const char *name,
                        const struct config_section *section, struct trolley **ret_trolley,
                        struct trolley_error *error)
{
    const struct trolley_span *tables[] = {config_host_options("trolley"), NULL};
    const struct trolley_config *config;
    struct trolley *trolley = calloc(1, sizeof *trolley);
    int r = 0;

    if (!trolley) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    trolley->setup = setup;
    trolley->name = name ? strdup(name) : NULL;
    if (name && !trolley->name) r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (r == 0) r = section_resolve(setup->file, section, tables, &trolley->section, error);
    if (r == 0) {
        config = section_config(trolley->section);
        trolley->searcher = config->text(config, "searcher");
        trolley->expander = config->text(config, "expander");
        trolley->storage = config->text(config, "storage");
        trolley->counts_suffice = config->integer(config, "expected", 0) == 1;
        trolley->downloaders = config->list(config, "downloader");
        r = trolley_check_names(trolley, error);
    }
    if (r < 0) {
        trolley_free(trolley);
        return r;
    }
    *ret_trolley = trolley;
    return 0;
}

int trolley_get(struct trolley_setup *setup, const char *name, struct trolley **ret_trolley,
                struct trolley_error *error)
{
    const struct config_section *section = NULL;
    int r = trolley_choose(setup, name, &section, error);

    return r < 0 ? r : trolley_make(setup, section->name, section, ret_trolley, error);
}

int trolley_compose(struct trolley_setup *setup, const struct trolley_parts *parts,
                    struct trolley **ret_trolley, struct trolley_error *error)
{
    const struct {
        const char *key, *name;
    } singles[] = {
        {"searcher", parts->searcher}, {"expander", parts->expander}, {"storage", parts->storage}};
    struct config_section section = {.kind = "trolley", .name = "(composed)"};
    struct config_entry *entries;
    uint32_t i;
    int r;

    entries = calloc((size_t)parts->downloader_count + 3, sizeof *entries);
    if (!entries) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (i = 0; i < sizeof singles / sizeof singles[0]; i++)
        if (singles[i].name)
            entries[section.count++] =
                (struct config_entry){.key = singles[i].key, .value = singles[i].name};
    for (i = 0; i < parts->downloader_count; i++)
        entries[section.count++] =
            (struct config_entry){.key = "downloader", .value = parts->downloaders[i]};
    section.entries = entries;
    r = trolley_make(setup, NULL, &section, ret_trolley, error);
    free(entries);
    return r;
}

void trolley_free(struct trolley *trolley)
{
    if (!trolley) return;
    instance_free(trolley->searcher_instance);
    section_free(trolley->section);
    free(trolley->name);
    free(trolley);
}

const char *trolley_searcher_name(const struct trolley *trolley)
{
    return trolley->expander ? trolley->expander : trolley->searcher;
}

int retrieve_searcher(struct trolley *trolley, struct task *task, struct instance **ret_instance,
                      struct trolley_error *error)
{
    int r = 0;

    if (!trolley->searcher) return retrieve_lacks(trolley, "searcher", "", error);
    if (!trolley->searcher_component)
        r = component_get(trolley->setup, "searcher", trolley->searcher,
                          &trolley->searcher_component, error);
    if (r == 0 && !trolley->searcher_instance) {
        task->component = trolley->searcher_component->title;
        r = instance_new(trolley->searcher_component, task, &trolley->searcher_instance, error);
    }
    if (r < 0) return r;
    task->component = trolley->searcher_component->title;
    *ret_instance = trolley->searcher_instance;
    return 0;
}

struct tree_filler {
    struct trolley_tree *tree;
    uint64_t conflicts, dropped;
};

static int32_t tree_fill(void *ctx, const struct trolley_record *record)
{
    struct tree_filler *filler = ctx;
    struct trolley_error error;
    uint32_t conflicts = 0;
    int r = tree_add(filler->tree, record, &conflicts, &error);

    filler->conflicts += conflicts;
    if (r == TROLLEY_ERR_PROTOCOL) {
        filler->dropped++;
        return 0;
    }
    return r;
}

int retrieve_find(struct trolley *trolley, const struct trolley_query_builder *query,
                  trolley_remark_sink remark, void *remark_ctx,
                  struct trolley_find_result *ret_result, struct task_failure *ret_failure,
                  struct trolley_error *error)
{
    struct tree_filler filler = {0};
    const struct trolley_record_sink sink = {&filler, tree_fill};
    struct search_counts counts = {0};
    struct instance *searcher;
    struct task task;
    int r;

    memset(ret_result, 0, sizeof *ret_result);
    memset(ret_failure, 0, sizeof *ret_failure);
    r = tree_new(&filler.tree);
    if (r < 0) return error_set(error, r, "out of memory");
    task_init(&task, "host", &trolley->setup->cancelled, remark, remark_ctx);
    r = retrieve_searcher(trolley, &task, &searcher, error);
    if (r == 0) r = search_builder(searcher, query, &sink, &task, &counts, error);
    if (filler.conflicts)
        trolley_note(&task.abi, TROLLEY_LOG_WARNING, 0, NULL,
                     "%llu attributes of upper levels differed between answers; the first value "
                     "was kept",
                     (unsigned long long)filler.conflicts);
    if (r < 0) task_failure_of(&task, r, ret_failure);
    task_clear(&task);
    ret_result->tree = filler.tree;
    ret_result->dropped = counts.contradicted + counts.malformed + filler.dropped;
    return r;
}

int trolley_find(struct trolley *trolley, const struct trolley_query_builder *query,
                 trolley_remark_sink remark, void *remark_ctx,
                 struct trolley_find_result *ret_result, struct trolley_error *error)
{
    struct task_failure failure;

    return retrieve_find(trolley, query, remark, remark_ctx, ret_result, &failure, error);
}

/* One backend's ping, timed; a backend without one says so. */
static int ping_one(struct trolley *trolley, const char *kind, const char *name,
                    void (*each)(void *ctx, const char *component, int status, const char *message,
                                 double seconds),
                    void *ctx)
{
    const struct trolley_ping_interface *ping;
    struct component *component;
    struct trolley_error error = {0};
    struct instance *instance = NULL;
    int64_t start = task_clock_ms();
    struct task task;
    int r = component_get(trolley->setup, kind, name, &component, &error);

    if (r < 0) {
        each(ctx, name, r, error.message, 0);
        return r;
    }
    task_init(&task, component->title, &trolley->setup->cancelled, NULL, NULL);
    r = instance_new(component, &task, &instance, &error);
    if (r == 0) {
        ping = instance_interface(instance, TROLLEY_PING_INTERFACE);
        if (ping) {
            r = ping->ping(instance->self, &task.abi);
            if (r < 0) r = task_error(&task, r, &error);
        } else {
            (void)error_set(&error, 0, "%s: it has no ping; its configuration is sound",
                            component->title);
        }
    }
    each(ctx, component->title, r, error.message, (double)(task_clock_ms() - start) / 1000);
    instance_free(instance);
    task_clear(&task);
    return r;
}

int trolley_ping(struct trolley *trolley,
                 void (*each)(void *ctx, const char *component, int status, const char *message,
                              double seconds),
                 void *ctx, struct trolley_error *error)
{
    int worst = 0, r;
    uint32_t i;

    if (trolley->searcher) worst = ping_one(trolley, "searcher", trolley->searcher, each, ctx);
    if (trolley->expander) {
        r = ping_one(trolley, "searcher", trolley->expander, each, ctx);
        if (worst == 0) worst = r;
    }
    for (i = 0; i < trolley->downloaders.count; i++) {
        r = ping_one(trolley, "downloader", trolley_span_text(&trolley->downloaders, i), each, ctx);
        if (worst == 0) worst = r;
    }
    return worst < 0 ? error_set(error, worst, "not every backend answers") : 0;
}
