/* host.c: what plugins see of the host: log, services, HTTP sessions. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/dictionary.h"
#include "core/model/log.h"
#include "core/plugin/setup.h"
#include "kit/buffer.h"
#include "kit/text.h"

/* A [session NAME], or the plain one ("") of sections that name none. */
struct session {
    struct session *next;
    char *name;
    struct section *section;
    struct component
        *auth_component; /* NULL for the session's own schemes; not in setup->components */
    struct instance *auth;
};

static const char *const native_schemes[] = {"none", "basic", "digest", "negotiate", "netrc"};

static bool session_native(const char *auth)
{
    size_t i;

    for (i = 0; i < sizeof native_schemes / sizeof native_schemes[0]; i++)
        if (strcmp(native_schemes[i], auth) == 0) return true;
    return false;
}

static void host_log(const struct trolley_host *host, uint32_t level, const char *component,
                     const char *message)
{
    struct kit_buffer line = {.cap = 8192};

    (void)host;
    if (!log_wants(level) || !message) return;
    if (kit_text_escape(&line, message, strnlen(message, 2000)) == 0)
        log_write(level, component ? component : "plugin", "%s", line.data ? line.data : "");
    kit_buffer_free(&line);
}

static void session_free(struct session *session)
{
    if (!session) return;
    instance_free(session->auth);
    if (session->auth_component) {
        if (session->auth_component->plugin.close && session->auth_component->opened)
            session->auth_component->plugin.close(session->auth_component->shared);
        free(session->auth_component->name);
        free(session->auth_component->title);
        free(session->auth_component);
    }
    section_free(session->section);
    free(session->name);
    free(session);
}

/* Loads the auth plugin that `auth =` names, its options in the session's own section. */
static int session_open_auth(struct trolley_setup *setup, struct session *session,
                             const struct trolley_component *plugin, struct trolley_error *error)
{
    struct component *made = calloc(1, sizeof *made);
    struct kit_buffer title = {0};
    struct task task;
    int r = 0;

    if (!made) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    session->auth_component = made;
    made->setup = setup;
    made->plugin = *plugin;
    made->name = strdup(session->name);
    (void)kit_buffer_printf(&title, "session %s", session->name);
    made->title = kit_buffer_take(&title);
    if (!made->name || !made->title) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    made->config = *section_config(session->section);
    made->config.section = made->name;
    made->config.peer = component_peer;
    task_init(&task, made->title, &setup->cancelled, NULL, NULL);
    if (plugin->open) {
        r = plugin->open(&setup->host, &made->config, &task.abi, &made->shared);
        if (r < 0) r = task_error(&task, r, error);
    }
    made->opened = r == 0;
    if (r == 0) r = instance_new(made, &task, &session->auth, error);
    task_clear(&task);
    return r;
}

static const char *session_auth_name(const struct config_section *section)
{
    size_t i;

    for (i = 0; section && i < section->count; i++)
        if (strcmp(section->entries[i].key, "auth") == 0) return section->entries[i].value;
    return "none";
}

static int session_make(struct trolley_setup *setup, const char *name,
                        const struct config_section *section, struct session *session,
                        struct trolley_error *error)
{
    const struct trolley_span *tables[3] = {config_host_options("session"), NULL, NULL};
    const char *auth = session_auth_name(section);
    const struct trolley_plugin *plugin;
    struct trolley_component component;
    int r;

    session->name = strdup(name);
    if (!session->name) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (session_native(auth))
        return section_resolve(setup->file, section, tables, &session->section, error);
    r = registry_load(&setup->registry, auth, &plugin, NULL, error);
    if (r < 0) {
        error_prefix(error, "%s:%d: [session %s] auth", config_file_path(setup->file),
                     section->line, name);
        if (r == TROLLEY_ERR_NOT_FOUND) r = error->status = TROLLEY_ERR_INVALID_CONFIG;
        return r;
    }
    if (!descriptor_component(plugin, TROLLEY_KIND_AUTH, &component))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s:%d: [session %s] auth: plugin `%s` is no log-in plugin",
                         config_file_path(setup->file), section->line, name, auth);
    tables[1] = component.options;
    r = section_resolve(setup->file, section, tables, &session->section, error);
    return r < 0 ? r : session_open_auth(setup, session, &component, error);
}

int session_get(struct trolley_setup *setup, const char *name, struct session **ret_session,
                struct trolley_error *error)
{
    const struct config_section *section = NULL;
    struct session *session;
    int r;

    for (session = setup->sessions; session; session = session->next) {
        if (strcmp(session->name, name) != 0) continue;
        *ret_session = session;
        return 0;
    }
    if (*name) {
        section = setup->file ? config_file_section(setup->file, "session", name) : NULL;
        if (!section)
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "%s: there is no section [session %s]",
                             setup->file ? config_file_path(setup->file) : "no INI file", name);
    }
    session = calloc(1, sizeof *session);
    if (!session) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    r = session_make(setup, name, section, session, error);
    if (r < 0) {
        session_free(session);
        return r;
    }
    session->next = setup->sessions;
    setup->sessions = session;
    *ret_session = session;
    return 0;
}

const struct section *session_section(const struct session *session)
{
    return session->section;
}

static int32_t host_session_info(const struct trolley_host *host,
                                 const struct trolley_config *config,
                                 struct transfer_session_info *ret_info, struct trolley_task *task)
{
    struct trolley_setup *setup = host->impl;
    const struct trolley_config *settings = section_config(setup->settings);
    const char *name = config->text(config, "session");
    struct trolley_error error;
    struct session *session;
    int r = session_get(setup, name ? name : "", &session, &error);

    if (r < 0) return trolley_fail(task, r, "%s", error.message);
    ret_info->name = session->name;
    ret_info->key = session;
    ret_info->config = section_config(session->section);
    ret_info->auth = session->auth ? &session->auth->ops.auth : NULL;
    ret_info->auth_self = session->auth ? session->auth->self : NULL;
    ret_info->log_phi = settings->integer(settings, "log_phi", 0) != 0;
    return 0;
}

static const struct transfer_host transfer_host = {host_session_info, config_url};

static const struct trolley_http_service *host_open_transfer(struct trolley_setup *setup)
{
    const char *dir = getenv("TROLLEY_MODULEDIR");
    struct kit_buffer path = {0};
    struct trolley_error error;
    void *symbol;

    if (setup->http) return setup->http;
    if (kit_buffer_printf(&path, "%s/transfer.so", dir && *dir ? dir : TROLLEY_MODULEDIR) < 0)
        return NULL;
    if (loader_symbol(path.data, "trolley_transfer_module", &symbol, &error) < 0)
        log_write(TROLLEY_LOG_ERROR, "host", "the HTTP module cannot be opened: %s", error.message);
    else
        setup->http =
            ((const struct trolley_http_service *(*)(const struct transfer_host *))symbol)(
                &transfer_host);
    kit_buffer_free(&path);
    return setup->http;
}

static const void *host_get_service(const struct trolley_host *host, const char *id)
{
    const void *service = NULL;

    if (strcmp(id, TROLLEY_DICTIONARY_SERVICE) == 0) return &dictionary_service;
    if (strcmp(id, TROLLEY_HTTP_SERVICE) != 0) return NULL;
    loader_lock();
    service = host_open_transfer(host->impl);
    loader_unlock();
    return service;
}

void host_init(struct trolley_setup *setup)
{
    setup->host.size = sizeof setup->host;
    setup->host.abi_minor = TROLLEY_ABI_MINOR;
    setup->host.impl = setup;
    setup->host.log = host_log;
    setup->host.get_service = host_get_service;
}

void host_close(struct trolley_setup *setup)
{
    loader_lock();
    while (setup->sessions) {
        struct session *next = setup->sessions->next;

        session_free(setup->sessions);
        setup->sessions = next;
    }
    loader_unlock();
}
