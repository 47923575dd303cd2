/*
 * vitrea: logs in to Vitrea Connection. A POST with the user in header fields; from then on the
 * session cookie, which the host keeps, is what counts. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "login.h"

static const struct trolley_option vitrea_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "login_url",
     .help = "Where to log in, in full",
     .metavar = "https://vitrea.example/login"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "realm",
     .default_text = "DefaultSystemRealm",
     .help = "Realm that the user belongs to"},
};
static const struct trolley_span vitrea_options = TROLLEY_SPAN(vitrea_option_table);

struct vitrea {
    struct login login;
    const char *url, *user, *realm;
};

static void vitrea_destroy(void *self)
{
    struct vitrea *vitrea = self;

    if (!vitrea) return;
    login_clear(&vitrea->login);
    free(vitrea);
}

static int32_t vitrea_create(const struct trolley_host *host, const struct trolley_config *config,
                             void *shared, struct trolley_task *task, void **self)
{
    struct vitrea *vitrea = calloc(1, sizeof *vitrea);

    (void)shared;
    if (!vitrea) return TROLLEY_ERR_NOMEM;
    login_init(&vitrea->login, "vitrea", host, config);
    vitrea->url = config->text(config, "login_url");
    vitrea->user = config->text(config, "user");
    vitrea->realm = config->text(config, "realm");
    if (!vitrea->url || !vitrea->user || !vitrea->realm) {
        vitrea_destroy(vitrea);
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[session %s]: auth = vitrea needs login_url, user and password",
                            config->section);
    }
    *self = vitrea;
    return TROLLEY_OK;
}

static int32_t vitrea_judge(struct vitrea *vitrea, int32_t status, const char *password,
                            struct trolley_task *task)
{
    int32_t r = login_outcome(status);

    if (r == TROLLEY_OK) {
        login_done(&vitrea->login);
        return r;
    }
    if (r == TROLLEY_ERR_AUTH)
        return login_refuse(&vitrea->login, password, task,
                            "POST %.*s: %d, the log-in is refused (check user, password and realm)",
                            login_shown(vitrea->url), vitrea->url, (int)status);
    return login_fail(&vitrea->login, r, task, "POST %.*s: %d is no answer to a log-in%s",
                      login_shown(vitrea->url), vitrea->url, (int)status,
                      r == TROLLEY_ERR_PROTOCOL ? " (check login_url)" : "");
}

static int32_t vitrea_log_in(struct vitrea *vitrea, const char *password,
                             const struct trolley_auth_http *http, struct trolley_task *task)
{
    const struct trolley_http_header headers[] = {{"Accept", "*/*"},
                                                  {"X-Userid", vitrea->user},
                                                  {"X-Password", password},
                                                  {"X-Realm", vitrea->realm}};
    const struct trolley_http_request request = {.size = sizeof request,
                                                 .method = "POST",
                                                 .url = vitrea->url,
                                                 .headers = TROLLEY_SPAN(headers)};
    struct login_answer answer = {0};
    int32_t r = login_send(http, &request, &answer, task);

    if (r == 0) r = vitrea_judge(vitrea, answer.status, password, task);
    login_answer_free(&answer);
    return r;
}

static int32_t vitrea_challenge(void *self, const struct trolley_auth_response *response,
                                const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct vitrea *vitrea = self;
    char *password = NULL;
    int32_t r;

    if (response->status != 401) return TROLLEY_ERR_UNSUPPORTED;
    r = login_secret(&vitrea->login, "password", task, &password);
    if (r == 0) r = vitrea_log_in(vitrea, password, http, task);
    login_wipe(password);
    return r;
}

static const struct trolley_auth_ops vitrea_ops = {.size = sizeof vitrea_ops,
                                                   .challenge = vitrea_challenge};

static const struct trolley_component vitrea_component = {
    .size = sizeof vitrea_component,
    .kind = TROLLEY_KIND_AUTH,
    .summary = "Log-in of Vitrea Connection, kept by its session cookie",
    .options = &vitrea_options,
    .create = vitrea_create,
    .destroy = vitrea_destroy,
    .ops = &vitrea_ops,
};

static const struct trolley_component *const vitrea_components[] = {&vitrea_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "vitrea",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Logs in to Vitrea Connection",
        .components = vitrea_components,
    };

    return &plugin;
}
