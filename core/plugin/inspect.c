/* inspect.c: `config check`, `config show`, `config example`. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/plugin/setup.h"
#include "core/prefetch/settings.h"
#include "kit/buffer.h"

#define SESSION_KEYS_MAX 48 /* more than the host has */

struct inspection {
    struct trolley_setup *setup;
    void (*problem)(void *ctx, const struct trolley_error *error);
    void *ctx;
    int worst;
};

static void inspect_report(struct inspection *inspection, const struct trolley_error *error)
{
    if (!inspection->worst) inspection->worst = error->status;
    if (inspection->problem) inspection->problem(inspection->ctx, error);
}

/* Opens and creates one component, as a command would, and lets it go. */
static void inspect_component(struct inspection *inspection, const struct config_section *section)
{
    struct component *component;
    struct trolley_error error;
    struct instance *instance;
    struct task task;
    int r = component_get(inspection->setup, section->kind, section->name, &component, &error);

    if (r == 0) {
        task_init(&task, component->title, &inspection->setup->cancelled, NULL, NULL);
        r = instance_new(component, &task, &instance, &error);
        task_clear(&task);
        if (r == 0) instance_free(instance);
    }
    if (r < 0) inspect_report(inspection, &error);
}

static void inspect_trolley(struct inspection *inspection, const struct config_section *section)
{
    struct trolley *trolley;
    struct trolley_error error;

    if (trolley_get(inspection->setup, section->name, &trolley, &error) < 0)
        inspect_report(inspection, &error);
    else
        trolley_free(trolley);
}

/* Is it a kind whose sections name a plugin by `type`? */
static bool inspect_has_plugin(const char *kind)
{
    return strcmp(kind, "searcher") == 0 || strcmp(kind, "downloader") == 0 ||
           strcmp(kind, "storage") == 0;
}

/* Everything about prefetching, which is read as a whole. */
static void inspect_prefetch(struct inspection *inspection)
{
    struct prefetch_settings *settings;
    struct trolley_error error;

    if (prefetch_settings_load(inspection->setup, &settings, &error) < 0)
        inspect_report(inspection, &error);
    else
        prefetch_settings_free(settings);
}

int trolley_setup_check(struct trolley_setup *setup,
                        void (*problem)(void *ctx, const struct trolley_error *error), void *ctx,
                        struct trolley_error *error)
{
    struct inspection inspection = {setup, problem, ctx, 0};
    const struct config_section *section;
    struct session *session;
    struct trolley_error found;

    for (section = setup->file ? config_file_first(setup->file) : NULL; section;
         section = section->next) {
        if (strcmp(section->kind, "session") == 0) {
            if (session_get(setup, section->name, &session, &found) < 0)
                inspect_report(&inspection, &found);
        } else if (strcmp(section->kind, "trolley") == 0) {
            inspect_trolley(&inspection, section);
        } else if (inspect_has_plugin(section->kind)) {
            inspect_component(&inspection, section);
        }
    }
    inspect_prefetch(&inspection);
    if (inspection.worst == 0) return 0;
    return error_set(error, inspection.worst, "%s: the configuration has faults",
                     setup->file ? config_file_path(setup->file) : "no INI file");
}

/* A section's tables, host's first; without its plugin only the host's. */
static int inspect_tables(struct trolley_setup *setup, const struct config_section *section,
                          const struct trolley_span **tables, struct trolley_error *error)
{
    struct component *component;
    int r;

    tables[0] = config_host_options(section->kind);
    tables[1] = NULL;
    if (strcmp(section->kind, "exporter") == 0) {
        tables[1] = config_http_options();
        tables[2] = NULL;
    }
    if (!inspect_has_plugin(section->kind)) return 0;
    r = component_get(setup, section->kind, section->name, &component, error);
    if (r == 0) component_tables(&component->plugin, tables);
    return r;
}

static int inspect_show_session(struct trolley_setup *setup, const char *name,
                                struct kit_buffer *text, struct trolley_error *error)
{
    struct session *session;
    int r = session_get(setup, name, &session, error);

    return r < 0 ? r : section_show(session_section(session), text);
}

int trolley_setup_show(struct trolley_setup *setup, char **ret_text, struct trolley_error *error)
{
    const struct config_section *section = setup->file ? config_file_first(setup->file) : NULL;
    struct kit_buffer text = {0};
    int r = 0;

    for (; r == 0 && section; section = section->next) {
        const struct trolley_span *tables[5];
        struct section *resolved = NULL;

        if (strcmp(section->kind, "session") == 0) {
            r = inspect_show_session(setup, section->name, &text, error);
            continue;
        }
        r = inspect_tables(setup, section, tables, error);
        if (r == 0) r = section_resolve(setup->file, section, tables, &resolved, error);
        if (r == 0) r = section_show(resolved, &text);
        section_free(resolved);
    }
    if (r < 0) {
        kit_buffer_free(&text);
        return r;
    }
    *ret_text = kit_buffer_take(&text);
    return *ret_text ? 0 : error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
}

/* A log-in plugin without a secret of its own logs in as the session's user: then these keys are as
 * good as required. Fills `ret_options` (room for SESSION_KEYS_MAX). */
static void inspect_session_options(const struct trolley_component *component,
                                    struct trolley_option *options, struct trolley_span *ret_span)
{
    const struct trolley_span *host = config_host_options("session");
    bool own_secret = false;
    uint32_t i;

    for (i = 0; component->options && i < component->options->count; i++) {
        const struct trolley_option *option = trolley_span_at(component->options, i);

        if (option->flags & TROLLEY_OPTION_SECRET) own_secret = true;
    }
    for (i = 0; i < host->count && i < SESSION_KEYS_MAX; i++) {
        options[i] = *(const struct trolley_option *)trolley_span_at(host, i);
        if (!own_secret &&
            (strcmp(options[i].key, "user") == 0 || strcmp(options[i].key, "password") == 0))
            options[i].flags |= TROLLEY_OPTION_REQUIRED;
    }
    *ret_span = (struct trolley_span){options, i, sizeof *options};
}

/* The sample section of one component: of an auth plugin, a session with that log-in. */
static int inspect_example_component(const struct trolley_component *component, const char *type,
                                     struct kit_buffer *text)
{
    const struct trolley_span *tables[5] = {NULL};
    const bool session = component->kind == TROLLEY_KIND_AUTH;
    struct trolley_option options[SESSION_KEYS_MAX];
    struct trolley_span session_options;
    struct kit_buffer name = {0};
    int r = kit_buffer_printf(&name, "my-%s", type);

    if (session) {
        inspect_session_options(component, options, &session_options);
        tables[0] = &session_options;
        tables[1] = component->options;
    } else {
        component_tables(component, tables);
    }
    if (r == 0)
        r = section_example(session ? "session" : kind_name(component->kind), name.data, type,
                            tables, text);
    kit_buffer_free(&name);
    return r;
}

/* The sample sections of one plugin: one for each of its components. */
static int inspect_example_type(struct trolley_setup *setup, const char *type,
                                struct kit_buffer *text, struct trolley_error *error)
{
    const struct trolley_plugin *plugin;
    struct trolley_component component;
    uint32_t kind;
    int r = registry_load(&setup->registry, type, &plugin, NULL, error);

    for (kind = TROLLEY_KIND_SEARCHER; r == 0 && kind <= TROLLEY_KIND_AUTH; kind++) {
        if (!descriptor_component(plugin, kind, &component)) continue;
        if (text->length) (void)kit_buffer_text(text, "\n");
        r = inspect_example_component(&component, type, text);
    }
    return r;
}

struct type_list {
    struct kit_buffer names; /* NUL-separated */
};

static void inspect_collect(void *ctx, const struct trolley_plugin_info *info)
{
    struct type_list *list = ctx;

    if (info->plugin && !info->shadowed_by)
        (void)kit_buffer_append(&list->names, info->name, strlen(info->name) + 1);
}

/* A whole sample file: settings, a session, every plugin, a trolley. */
static int inspect_example_all(struct trolley_setup *setup, struct kit_buffer *text,
                               struct trolley_error *error)
{
    static const char *const before[] = {"settings", "session"};
    struct type_list list = {{0}};
    const struct trolley_span *tables[2] = {NULL, NULL};
    size_t i;
    int r = registry_each(&setup->registry, inspect_collect, &list, error);

    for (i = 0; r == 0 && i < 2; i++) {
        tables[0] = config_host_options(before[i]);
        r = section_example(before[i], i ? "my-session" : "", NULL, tables, text);
        if (r == 0) r = kit_buffer_text(text, "\n");
    }
    for (i = 0; r == 0 && i < list.names.length; i += strlen(list.names.data + i) + 1)
        r = inspect_example_type(setup, list.names.data + i, text, error);
    if (r == 0) r = kit_buffer_text(text, "\n");
    tables[0] = config_host_options("trolley");
    if (r == 0) r = section_example("trolley", "my-trolley", NULL, tables, text);
    kit_buffer_free(&list.names);
    return r;
}

int trolley_setup_example(struct trolley_setup *setup, const char *const *types, uint32_t count,
                          char **ret_text, struct trolley_error *error)
{
    struct kit_buffer text = {0};
    uint32_t i;
    int r = 0;

    if (!count) r = inspect_example_all(setup, &text, error);
    for (i = 0; r == 0 && i < count; i++)
        r = inspect_example_type(setup, types[i], &text, error);
    if (r < 0) {
        kit_buffer_free(&text);
        return r;
    }
    *ret_text = kit_buffer_take(&text);
    return *ret_text ? 0 : error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
}
