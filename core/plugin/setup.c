/* setup.c: opening, checking and showing an INI file. SPDX-License-Identifier: MIT */
#include "core/plugin/setup.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "kit/buffer.h"

const char *trolley_version(void)
{
    return TROLLEY_VERSION;
}

static int setup_read(struct trolley_setup *setup, const char *path, struct trolley_error *error)
{
    const struct trolley_span *tables[] = {config_host_options("settings"), NULL};
    const struct config_section *settings = NULL;
    const struct trolley_config *config;
    struct trolley_span plugin_path;
    int r;

    if (path) {
        r = config_file_read(path, &setup->file, error);
        if (r < 0) return r;
        settings = config_file_section(setup->file, "settings", "");
    }
    r = section_resolve(setup->file, settings, tables, &setup->settings, error);
    if (r < 0) return r;
    config = section_config(setup->settings);
    plugin_path = config->list(config, "plugin_path");
    return registry_init(&setup->registry, &plugin_path, error);
}

static int setup_make(const char *path, struct trolley_setup **ret_setup,
                      struct trolley_error *error)
{
    struct trolley_setup *setup = calloc(1, sizeof *setup);
    int r;

    if (!setup) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    host_init(setup);
    r = setup_read(setup, path, error);
    if (r < 0) {
        trolley_setup_close(setup);
        return r;
    }
    *ret_setup = setup;
    return 0;
}

int trolley_setup_open(const char *path, struct trolley_setup **ret_setup,
                       struct trolley_error *error)
{
    char *found;
    int r = config_find(path, &found, error);

    if (r < 0) return r;
    r = setup_make(found, ret_setup, error);
    free(found);
    return r;
}

int trolley_setup_empty(struct trolley_setup **ret_setup, struct trolley_error *error)
{
    return setup_make(NULL, ret_setup, error);
}

void trolley_setup_close(struct trolley_setup *setup)
{
    if (!setup) return;
    components_close(setup);
    host_close(setup);
    registry_clear(&setup->registry);
    section_free(setup->settings);
    config_file_free(setup->file);
    free(setup->looked_up);
    free(setup);
}

const char *trolley_setup_path(const struct trolley_setup *setup)
{
    return setup->file ? config_file_path(setup->file) : NULL;
}

const char *trolley_setup_setting(const struct trolley_setup *setup, const char *key)
{
    const struct trolley_config *config = section_config(setup->settings);

    return config->text(config, key);
}

void trolley_setup_cancel(struct trolley_setup *setup)
{
    atomic_store(&setup->cancelled, 1);
}

int trolley_plugins(struct trolley_setup *setup,
                    void (*each)(void *ctx, const struct trolley_plugin_info *info), void *ctx,
                    struct trolley_error *error)
{
    return registry_each(&setup->registry, each, ctx, error);
}

int trolley_plugin_get(struct trolley_setup *setup, const char *name,
                       struct trolley_plugin_info *ret_info, struct trolley_error *error)
{
    const struct trolley_plugin *plugin;
    char *path;
    int r = registry_load(&setup->registry, name, &plugin, &path, error);

    if (r < 0) return r;
    memset(ret_info, 0, sizeof *ret_info);
    free(setup->looked_up);
    ret_info->path = setup->looked_up = path;
    ret_info->name = plugin->name;
    ret_info->plugin = plugin;
    return 0;
}

void trolley_text_free(char *text)
{
    free(text);
}
