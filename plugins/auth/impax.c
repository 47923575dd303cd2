/*
 * impax: logs in to IMPAX Data Center. Its WADO service sits behind the form of a Java container:
 * the service has to be asked for once before the form's action takes a user, and the session
 * cookie, which the host keeps, is what counts afterwards. SPDX-License-Identifier: MIT
 */
#include <kit/url.h>
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "login.h"

static const struct trolley_option impax_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "wado_url",
     .help = "The WADO service; /j_security_check below it takes the log-in",
     .metavar = "https://impax.example/wado"},
};
static const struct trolley_span impax_options = TROLLEY_SPAN(impax_option_table);

struct impax {
    struct login login;
    const char *url, *user;
    bool done; /* logged in at least once */
};

static void impax_destroy(void *self)
{
    struct impax *impax = self;

    if (!impax) return;
    login_clear(&impax->login);
    free(impax);
}

static int32_t impax_create(const struct trolley_host *host, const struct trolley_config *config,
                            void *shared, struct trolley_task *task, void **self)
{
    struct impax *impax = calloc(1, sizeof *impax);

    (void)shared;
    if (!impax) return TROLLEY_ERR_NOMEM;
    login_init(&impax->login, "impax", host, config);
    impax->url = config->text(config, "wado_url");
    impax->user = config->text(config, "user");
    if (!impax->url || !impax->user) {
        impax_destroy(impax);
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[session %s]: auth = impax needs wado_url, user and password",
                            config->section);
    }
    *self = impax;
    return TROLLEY_OK;
}

static bool impax_says(const void *body, uint64_t length, const char *words)
{
    return body && memmem(body, (size_t)length, words, strlen(words));
}

/* GET, whatever the status. */
static int32_t impax_get(const char *url, struct login_answer *answer,
                         const struct trolley_auth_http *http, struct trolley_task *task)
{
    static const struct trolley_http_header headers[] = {{"Accept", "*/*"}};
    const struct trolley_http_request request = {
        .size = sizeof request, .url = url, .headers = TROLLEY_SPAN(headers)};

    return login_send(http, &request, answer, task);
}

/* A refusal comes as a page with 200. Who is logged in gets 403, as the service was asked for
 * nothing, or is sent back to it. */
static int32_t impax_judge(struct impax *impax, const struct login_answer *answer,
                           const char *password, struct trolley_task *task)
{
    int32_t status = answer->status, r = login_outcome(status);

    if (status == 401 || impax_says(answer->body.data, answer->body.length, "Login Failed!"))
        return login_refuse(&impax->login, password, task,
                            "GET %.*s/j_security_check: %d, the log-in is refused (check user and "
                            "password)",
                            login_shown(impax->url), impax->url, (int)status);
    if (r == TROLLEY_OK || status == 403 || (status >= 300 && status < 400)) {
        impax->done = true;
        login_done(&impax->login);
        return TROLLEY_OK;
    }
    return login_fail(&impax->login, r, task,
                      "GET %.*s/j_security_check: %d is no answer to a "
                      "log-in%s",
                      login_shown(impax->url), impax->url, (int)status,
                      r == TROLLEY_ERR_PROTOCOL ? " (check wado_url)" : "");
}

/* Has the container's session begun, so that the form's action will listen? */
static int32_t impax_knock(struct impax *impax, const struct trolley_auth_http *http,
                           struct trolley_task *task)
{
    struct login_answer answer = {0};
    int32_t r = impax_get(impax->url, &answer, http, task);

    if (r == 0 && answer.status >= 500)
        r = login_fail(&impax->login, login_outcome(answer.status), task,
                       "GET %.*s: %d before the log-in", login_shown(impax->url), impax->url,
                       (int)answer.status);
    login_answer_free(&answer);
    return r;
}

static int32_t impax_enter(struct impax *impax, const char *password,
                           const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct login_answer answer = {0};
    struct kit_buffer url = {0}, form = {0};
    int32_t r = kit_url_join(&url, impax->url, "/j_security_check");

    if (r == 0) r = login_form_add(&form, "j_username", impax->user);
    if (r == 0) r = login_form_add(&form, "j_password", password);
    if (r == 0) r = kit_buffer_printf(&url, "%c%s", strchr(url.data, '?') ? '&' : '?', form.data);
    if (r == 0) r = impax_get(url.data, &answer, http, task);
    if (r == 0) r = impax_judge(impax, &answer, password, task);
    login_answer_free(&answer);
    login_buffer_wipe(&form);
    login_buffer_wipe(&url);
    return r;
}

static int32_t impax_log_in(struct impax *impax, const struct trolley_auth_http *http,
                            struct trolley_task *task)
{
    char *password = NULL;
    int32_t r = login_secret(&impax->login, "password", task, &password);

    if (r == 0) r = impax_knock(impax, http, task);
    if (r == 0) r = impax_enter(impax, password, http, task);
    login_wipe(password);
    return r;
}

static int32_t impax_prepare(void *self, struct trolley_auth_request *request,
                             const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct impax *impax = self;

    (void)request;
    return impax->done ? TROLLEY_OK : impax_log_in(impax, http, task);
}

/* The container answers with its form, and 200, once the session has expired. */
static int32_t impax_challenge(void *self, const struct trolley_auth_response *response,
                               const struct trolley_auth_http *http, struct trolley_task *task)
{
    bool form = impax_says(response->body, response->body_length, "j_security_check") ||
                impax_says(response->body, response->body_length, "j_username");

    if (response->status != 401 && (response->status != 200 || !form))
        return TROLLEY_ERR_UNSUPPORTED;
    return impax_log_in(self, http, task);
}

static const struct trolley_auth_ops impax_ops = {
    .size = sizeof impax_ops, .prepare = impax_prepare, .challenge = impax_challenge};

static const struct trolley_component impax_component = {
    .size = sizeof impax_component,
    .kind = TROLLEY_KIND_AUTH,
    .summary = "Log-in of IMPAX Data Center, kept by its session cookie",
    .options = &impax_options,
    .create = impax_create,
    .destroy = impax_destroy,
    .ops = &impax_ops,
};

static const struct trolley_component *const impax_components[] = {&impax_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "impax",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Logs in to IMPAX Data Center",
        .components = impax_components,
    };

    return &plugin;
}
