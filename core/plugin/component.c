/* component.c: sections bound to plugins, and their instances. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/plugin/setup.h"
#include "kit/buffer.h"

struct component *component_of(const struct trolley_config *config)
{
    return (struct component *)((char *)(uintptr_t)config - offsetof(struct component, config));
}

const char *component_text(const struct component *component, const char *key)
{
    return component->config.text(&component->config, key);
}

int64_t component_integer(const struct component *component, const char *key, int64_t fallback)
{
    return component->config.integer(&component->config, key, fallback);
}

void component_tables(const struct trolley_component *plugin, const struct trolley_span **tables)
{
    size_t n = 0;

    tables[n++] = config_host_options(kind_name(plugin->kind));
    if (plugin->flags & TROLLEY_COMPONENT_HTTP) tables[n++] = config_http_options();
    if (plugin->options) tables[n++] = plugin->options;
    tables[n] = NULL;
}

static uint32_t kind_of(const char *kind)
{
    uint32_t k;

    for (k = TROLLEY_KIND_SEARCHER; k <= TROLLEY_KIND_AUTH; k++)
        if (strcmp(kind_name(k), kind) == 0) return k;
    return 0;
}

static void component_free(struct component *component)
{
    if (!component) return;
    section_free(component->section);
    free(component->name);
    free(component->title);
    free(component);
}

/* The plugin's component of that kind. */
static int component_load(struct component *made, const char *kind, const char *type,
                          const char *where, struct trolley_error *error)
{
    const struct trolley_plugin *plugin;
    int r = registry_load(&made->setup->registry, type, &plugin, NULL, error);

    if (r < 0) {
        error_prefix(error, "%s", where);
        if (error && r == TROLLEY_ERR_NOT_FOUND) error->status = TROLLEY_ERR_INVALID_CONFIG;
        return r == TROLLEY_ERR_NOT_FOUND ? TROLLEY_ERR_INVALID_CONFIG : r;
    }
    if (!descriptor_component(plugin, kind_of(kind), &made->plugin))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: plugin `%s` has no %s (see `trolley plugins %s`)", where, type, kind,
                         type);
    return 0;
}

/* The key that `--output` replaces; NULL when the storage has none. */
static const char *component_root_key(const struct trolley_component *plugin)
{
    uint32_t i;

    for (i = 0; plugin->options && i < plugin->options->count; i++) {
        const struct trolley_option *option = trolley_span_at(plugin->options, i);

        if (option->flags & TROLLEY_OPTION_ROOT_PATH) return option->key;
    }
    return NULL;
}

/* Resolves the section as if it said `root` for its root path. */
static int component_resolve_rooted(struct component *made, const char *type,
                                    const struct config_section *section, const char *root,
                                    const struct trolley_span *const *tables,
                                    struct trolley_error *error)
{
    const char *key = component_root_key(&made->plugin);
    struct config_section rooted = {.kind = "storage", .name = made->name};
    struct config_entry *entries;
    size_t i, count = section ? section->count : 0;
    int r;

    if (!key)
        return error_set(error, TROLLEY_ERR_UNSUPPORTED,
                         "storage type `%s` has no root path to replace", type);
    entries = calloc(count + 2, sizeof *entries);
    if (!entries) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (section)
        rooted.line = section->line;
    else
        entries[rooted.count++] = (struct config_entry){.key = "type", .value = type};
    for (i = 0; i < count; i++)
        if (strcmp(section->entries[i].key, key) != 0)
            entries[rooted.count++] = section->entries[i];
    entries[rooted.count++] = (struct config_entry){.key = key, .value = root, .line = rooted.line};
    rooted.entries = entries;
    r = section_resolve(made->setup->file, &rooted, tables, &made->section, error);
    free(entries);
    return r;
}

/* Names the component and resolves its section against the tables of its plugin. */
static int component_resolve(struct component *made, const char *type,
                             const struct config_section *section, const char *root,
                             struct trolley_error *error)
{
    const struct trolley_span *tables[5];
    struct kit_buffer title = {0};
    int r;

    if (kit_buffer_printf(&title, "%s %s", type, made->name) < 0)
        return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    made->title = kit_buffer_take(&title);
    component_tables(&made->plugin, tables);
    if (root)
        r = component_resolve_rooted(made, type, section, root, tables, error);
    else
        r = section_resolve(made->setup->file, section, tables, &made->section, error);
    if (r < 0) return r;
    made->config = *section_config(made->section);
    made->config.section = made->name;
    made->config.peer = component_peer;
    return 0;
}

/* Opens the sections that COMPONENT options name, before the one that names them. */
static int component_open_peers(struct component *made, struct trolley_error *error)
{
    const struct trolley_span *options = made->plugin.options;
    struct component *peer;
    uint32_t i;
    int r;

    for (i = 0; options && i < options->count; i++) {
        const struct trolley_option *option = trolley_span_at(options, i);
        const char *name;

        if (option->type != TROLLEY_OPTION_COMPONENT) continue;
        name = component_text(made, option->key);
        if (!name) continue;
        r = component_get(made->setup, option->choices, name, &peer, error);
        if (r < 0) return r;
    }
    return 0;
}

static void component_link(struct component *made)
{
    made->next = made->setup->components;
    made->setup->components = made;
}

/* Peers that were opened meanwhile stand in front of it. */
static void component_unlink(const struct component *made)
{
    struct component **at = &made->setup->components;

    while (*at != made)
        at = &(*at)->next;
    *at = made->next;
}

static int component_open(struct component *made, struct trolley_error *error)
{
    struct task task;
    int r;

    made->opening = true;
    component_link(made); /* where a circle of peers finds it */
    r = component_open_peers(made, error);
    component_unlink(made); /* closed before its peers, hence in front of them */
    component_link(made);
    if (r == 0 && made->plugin.open) {
        task_init(&task, made->title, &made->setup->cancelled, NULL, NULL);
        r = made->plugin.open(&made->setup->host, &made->config, &task.abi, &made->shared);
        if (r < 0) r = task_error(&task, r, error);
        task_clear(&task);
    }
    made->opening = false;
    made->opened = r == 0;
    return r;
}

/* Makes, resolves and opens one component; on failure it is unlinked and freed. */
static int component_make(struct trolley_setup *setup, const char *kind, const char *name,
                          const char *type, const struct config_section *section, const char *root,
                          struct component **ret_component, struct trolley_error *error)
{
    struct component *made = calloc(1, sizeof *made);
    struct kit_buffer where = {0};
    int r;

    if (!made) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    made->setup = setup;
    made->name = strdup(name);
    if (section)
        (void)kit_buffer_printf(&where, "%s:%d: [%s %s]", config_file_path(setup->file),
                                section->line, kind, name);
    r = made->name ? component_load(made, kind, type, where.data ? where.data : kind, error)
                   : error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    kit_buffer_free(&where);
    if (r == 0) r = component_resolve(made, type, section, root, error);
    if (r == 0) {
        r = component_open(made, error);
        if (r < 0) component_unlink(made);
    }
    if (r < 0) {
        component_free(made);
        return r;
    }
    *ret_component = made;
    return 0;
}

static const char *entry_text(const struct config_section *section, const char *key)
{
    size_t i;

    for (i = 0; i < section->count; i++)
        if (strcmp(section->entries[i].key, key) == 0) return section->entries[i].value;
    return NULL;
}

/* The section and its type; errors name the nearest section of that kind. */
static int component_section(const struct trolley_setup *setup, const char *kind, const char *name,
                             const struct config_section **ret_section, const char **ret_type,
                             struct trolley_error *error)
{
    const struct config_section *section =
        setup->file ? config_file_section(setup->file, kind, name) : NULL;
    const char *type;

    if (!section)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: there is no section [%s %s]",
                         setup->file ? config_file_path(setup->file) : "no INI file", kind, name);
    type = entry_text(section, "type");
    if (!type || !*type)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s:%d: [%s %s] lacks the key `type` (see `trolley plugins`)",
                         config_file_path(setup->file), section->line, kind, name);
    *ret_section = section;
    *ret_type = type;
    return 0;
}

static int component_get_locked(struct trolley_setup *setup, const char *kind, const char *name,
                                struct component **ret_component, struct trolley_error *error)
{
    const struct config_section *section;
    struct component *c;
    const char *type;
    int r;

    for (c = setup->components; c; c = c->next) {
        if (strcmp(kind_name(c->plugin.kind), kind) != 0 || strcmp(c->name, name) != 0) continue;
        if (c->opening)
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "[%s %s] names itself, through other sections or directly", kind,
                             name);
        *ret_component = c;
        return 0;
    }
    r = component_section(setup, kind, name, &section, &type, error);
    if (r < 0) return r;
    return component_make(setup, kind, name, type, section, NULL, ret_component, error);
}

int component_get(struct trolley_setup *setup, const char *kind, const char *name,
                  struct component **ret_component, struct trolley_error *error)
{
    int r;

    loader_lock();
    r = component_get_locked(setup, kind, name, ret_component, error);
    loader_unlock();
    return r;
}

int component_get_rooted(struct trolley_setup *setup, const char *name, const char *type,
                         const char *root, struct component **ret_component,
                         struct trolley_error *error)
{
    const struct config_section *section = NULL;
    int r = 0;

    loader_lock();
    if (name) r = component_section(setup, "storage", name, &section, &type, error);
    if (r == 0)
        r = component_make(setup, "storage", name ? name : "--output", type, section, root,
                           ret_component, error);
    loader_unlock();
    return r;
}

void components_close(struct trolley_setup *setup)
{
    loader_lock();
    while (setup->components) {
        struct component *c = setup->components;

        setup->components = c->next;
        if (c->opened && c->plugin.close) c->plugin.close(c->shared);
        component_free(c);
    }
    loader_unlock();
}

static void instance_read_ops(struct instance *made)
{
    const void *ops = made->component->plugin.ops;

    /* Sizes were checked when the plugin was loaded. */
    switch (made->component->plugin.kind) {
    case TROLLEY_KIND_SEARCHER:
        (void)trolley_read_open(&made->ops.searcher, sizeof made->ops.searcher, ops, 0);
        break;
    case TROLLEY_KIND_DOWNLOADER:
        (void)trolley_read_open(&made->ops.downloader, sizeof made->ops.downloader, ops, 0);
        break;
    case TROLLEY_KIND_STORAGE:
        (void)trolley_read_open(&made->ops.storage, sizeof made->ops.storage, ops, 0);
        break;
    default:
        (void)trolley_read_open(&made->ops.auth, sizeof made->ops.auth, ops, 0);
    }
}

int instance_new(struct component *component, struct task *task, struct instance **ret_instance,
                 struct trolley_error *error)
{
    struct instance *made = calloc(1, sizeof *made);
    struct instance *outer;
    int r;

    if (!made) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    made->component = component;
    instance_read_ops(made);
    loader_lock();
    task_reset(task);
    outer = component->creating;
    component->creating = made;
    r = component->plugin.create(&component->setup->host, &component->config, component->shared,
                                 &task->abi, &made->self);
    component->creating = outer;
    loader_unlock();
    if (r < 0) {
        r = task_error(task, r, error);
        peers_free(made->peers);
        free(made);
        return r;
    }
    *ret_instance = made;
    return 0;
}

void instance_free(struct instance *instance)
{
    if (!instance) return;
    loader_lock();
    instance->component->plugin.destroy(instance->self);
    peers_free(instance->peers);
    loader_unlock();
    free(instance);
}

const struct trolley_span *instance_query_types(const struct instance *instance)
{
    const struct trolley_span *types = NULL;

    if (instance->ops.searcher.query_types)
        types = instance->ops.searcher.query_types(instance->self);
    return types ? types : instance->component->plugin.query_types;
}

uint32_t instance_levels(const struct instance *instance)
{
    uint32_t levels = 0;

    if (instance->component->plugin.kind == TROLLEY_KIND_SEARCHER && instance->ops.searcher.levels)
        levels = instance->ops.searcher.levels(instance->self);
    return levels ? levels : instance->component->plugin.levels;
}

const void *instance_interface(const struct instance *instance, const char *id)
{
    const struct trolley_component *plugin = &instance->component->plugin;

    return plugin->get_interface ? plugin->get_interface(instance->self, id) : NULL;
}
