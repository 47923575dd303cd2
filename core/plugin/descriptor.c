/* descriptor.c: is a plugin's descriptor sane? SPDX-License-Identifier: MIT */
#include <string.h>
#include <trolley/helpers.h>

#include "core/config/config.h"
#include "core/plugin/loader.h"

/* Sizes of the structs in contract 1.0: nothing smaller is accepted. */
#define PLUGIN_SIZE_1_0 (offsetof(struct trolley_plugin, components) + sizeof(void *))
#define COMPONENT_SIZE_1_0 (offsetof(struct trolley_component, get_interface) + sizeof(void *))
#define SEARCHER_SIZE_1_0 (offsetof(struct trolley_searcher_ops, levels) + sizeof(void *))
#define DOWNLOADER_SIZE_1_0 (offsetof(struct trolley_downloader_ops, group_level) + sizeof(void *))
#define STORAGE_SIZE_1_0 (offsetof(struct trolley_storage_ops, sync) + sizeof(void *))
#define AUTH_SIZE_1_0 (offsetof(struct trolley_auth_ops, challenge) + sizeof(void *))

const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"", "searcher", "downloader", "storage", "auth"};

    return kind < sizeof names / sizeof names[0] ? names[kind] : "";
}

/* The required operations of a kind, by their place in its table. */
static int descriptor_check_ops(const char *path, const struct trolley_component *component,
                                struct trolley_error *error)
{
    const char *missing = NULL;

    if (!component->ops) missing = "ops";
    if (!missing && component->kind == TROLLEY_KIND_SEARCHER) {
        struct trolley_searcher_ops ops;

        if (trolley_read_open(&ops, sizeof ops, component->ops, SEARCHER_SIZE_1_0) < 0 || !ops.find)
            missing = "find";
    } else if (!missing && component->kind == TROLLEY_KIND_DOWNLOADER) {
        struct trolley_downloader_ops ops;

        if (trolley_read_open(&ops, sizeof ops, component->ops, DOWNLOADER_SIZE_1_0) < 0 ||
            !ops.fetch)
            missing = "fetch";
    } else if (!missing && component->kind == TROLLEY_KIND_STORAGE) {
        struct trolley_storage_ops ops;

        if (trolley_read_open(&ops, sizeof ops, component->ops, STORAGE_SIZE_1_0) < 0 ||
            !ops.open || !ops.write || !ops.commit || !ops.abort || !ops.exists)
            missing = "open, write, commit, abort or exists";
    } else if (!missing && component->kind == TROLLEY_KIND_AUTH) {
        struct trolley_auth_ops ops;

        if (trolley_read_open(&ops, sizeof ops, component->ops, AUTH_SIZE_1_0) < 0 ||
            (!ops.prepare && !ops.challenge))
            missing = "prepare or challenge";
    }
    if (!missing) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                     "%s: its %s lacks the required operation: %s", path,
                     kind_name(component->kind), missing);
}

static int descriptor_check_component(const char *path, const struct trolley_component *component,
                                      struct trolley_error *error)
{
    const uint32_t all = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) |
                         TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
                         TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE);
    const bool leveled =
        component->kind == TROLLEY_KIND_SEARCHER || component->kind == TROLLEY_KIND_DOWNLOADER;

    if (!component->create || !component->destroy)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: its %s lacks create or destroy",
                         path, kind_name(component->kind));
    if (leveled && (!component->levels || (component->levels & ~all)))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: its %s declares no level, or an unknown one (0x%x)", path,
                         kind_name(component->kind), component->levels);
    if (component->kind == TROLLEY_KIND_SEARCHER &&
        (!component->query_types || !component->query_types->count))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: its searcher declares no query type", path);
    return descriptor_check_ops(path, component, error);
}

static int descriptor_check_options(const char *path, const struct trolley_component *component,
                                    struct trolley_error *error)
{
    int r = option_table_check(kind_name(component->kind), component->options, error);

    if (r < 0) error_prefix(error, "%s: its %s", path, kind_name(component->kind));
    return r;
}

int descriptor_check(const char *path, const char *name, const struct trolley_plugin *plugin,
                     struct trolley_error *error)
{
    struct trolley_component component;
    uint32_t kind;
    int r = descriptor_check_shape(path, name, plugin, error);

    for (kind = TROLLEY_KIND_SEARCHER; r == 0 && kind <= TROLLEY_KIND_AUTH; kind++)
        if (descriptor_component(plugin, kind, &component))
            r = descriptor_check_options(path, &component, error);
    return r;
}

int descriptor_check_shape(const char *path, const char *name, const struct trolley_plugin *plugin,
                           struct trolley_error *error)
{
    struct trolley_plugin own;
    uint32_t kinds = 0;
    size_t i;
    int r;

    if (trolley_read_open(&own, sizeof own, plugin, PLUGIN_SIZE_1_0) < 0)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: its descriptor is absent or smaller than contract 1.0 wants (build "
                         "it against trolley's headers)",
                         path);
    if (!own.name || strcmp(own.name, name) != 0)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: calls itself `%s`: file name and plugin name must be the same "
                         "(rename the file)",
                         path, own.name ? own.name : "");
    if (!own.components || !own.components[0])
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: has no component", path);
    for (i = 0; own.components[i]; i++) {
        struct trolley_component component;

        if (trolley_read_open(&component, sizeof component, own.components[i], COMPONENT_SIZE_1_0) <
            0)
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "%s: component %zu is smaller than contract 1.0 wants", path, i + 1);
        if (component.kind < TROLLEY_KIND_SEARCHER || component.kind > TROLLEY_KIND_AUTH)
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "%s: component %zu is of an unknown kind (%u)", path, i + 1,
                             component.kind);
        if (kinds & (1u << component.kind))
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "%s: has two components of kind %s, one is allowed", path,
                             kind_name(component.kind));
        kinds |= 1u << component.kind;
        r = descriptor_check_component(path, &component, error);
        if (r < 0) return r;
    }
    return 0;
}

bool descriptor_component(const struct trolley_plugin *plugin, uint32_t kind,
                          struct trolley_component *ret_component)
{
    size_t i;

    for (i = 0; plugin->components[i]; i++) {
        struct trolley_component component;

        if (trolley_read_open(&component, sizeof component, plugin->components[i],
                              COMPONENT_SIZE_1_0) == 0 &&
            component.kind == kind) {
            *ret_component = component;
            return true;
        }
    }
    return false;
}
