/* login.c: what the log-in plugins share. SPDX-License-Identifier: MIT */
#include "login.h"

#include <kit/url.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#define LOGIN_BODY_MAX ((size_t)64 << 10)

void login_init(struct login *login, const char *type, const struct trolley_host *host,
                const struct trolley_config *config)
{
    *login = (struct login){.type = type, .host = host, .config = config};
}

void login_wipe(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    free(text);
}

void login_clear(struct login *login)
{
    login_wipe(login->refused);
    login->refused = NULL;
}

static int32_t login_take(void *ctx, const char *text, uint64_t length)
{
    char **secret = ctx;

    login_wipe(*secret);
    *secret = strndup(text, length);
    return *secret ? 0 : TROLLEY_ERR_NOMEM;
}

int32_t login_secret(struct login *login, const char *key, struct trolley_task *task,
                     char **ret_secret)
{
    char *secret = NULL;
    const struct trolley_secret_sink sink = {&secret, login_take};
    int32_t r = login->config->secret(login->config, key, login->refused != NULL, &sink, task);

    if (r == TROLLEY_ERR_NOT_FOUND) r = login_take(&secret, "", 0);
    if (r == 0 && login->refused && strcmp(login->refused, secret) == 0)
        r = login_fail(login, TROLLEY_ERR_AUTH, task,
                       "the server has refused this log-in, it is not tried again (check %s)", key);
    if (r < 0) {
        login_wipe(secret);
        return r;
    }
    *ret_secret = secret;
    return 0;
}

__attribute__((format(printf, 4, 0))) static int32_t login_say(const struct login *login,
                                                               int32_t status,
                                                               struct trolley_task *task,
                                                               const char *what, va_list args)
{
    char text[768];

    (void)vsnprintf(text, sizeof text, what, args);
    return trolley_fail(task, status, "%s of [session %s]: %s", login->type, login->config->section,
                        text);
}

int32_t login_note_refusal(struct login *login, const char *secret)
{
    char *copy = strdup(secret);

    if (!copy) return TROLLEY_ERR_NOMEM;
    login_wipe(login->refused);
    login->refused = copy;
    return TROLLEY_OK;
}

int32_t login_refuse(struct login *login, const char *secret, struct trolley_task *task,
                     const char *what, ...)
{
    va_list args;

    if (login_note_refusal(login, secret) < 0) return TROLLEY_ERR_NOMEM;
    va_start(args, what);
    (void)login_say(login, TROLLEY_ERR_AUTH, task, what, args);
    va_end(args);
    return TROLLEY_ERR_AUTH;
}

int32_t login_fail(const struct login *login, int32_t status, struct trolley_task *task,
                   const char *what, ...)
{
    va_list args;

    va_start(args, what);
    (void)login_say(login, status, task, what, args);
    va_end(args);
    return status;
}

void login_done(const struct login *login)
{
    char line[256];

    (void)snprintf(line, sizeof line, "[session %s] is logged in", login->config->section);
    login->host->log(login->host, TROLLEY_LOG_INFO, login->type, line);
}

static int32_t login_on_head(void *ctx, const struct trolley_http_response *response)
{
    ((struct login_answer *)ctx)->status = response->status;
    return 0;
}

/* What a log-in has to say stands at the beginning of its answer. */
static int32_t login_on_body(void *ctx, const void *data, uint64_t length)
{
    struct login_answer *answer = ctx;
    size_t room = LOGIN_BODY_MAX - answer->body.length;

    return kit_buffer_append(&answer->body, data, length < room ? (size_t)length : room);
}

int32_t login_send(const struct trolley_auth_http *http, const struct trolley_http_request *request,
                   struct login_answer *answer, struct trolley_task *task)
{
    const struct trolley_http_handler handler = {answer, login_on_head, login_on_body};

    return http->send(http, request, &handler, task);
}

void login_answer_free(struct login_answer *answer)
{
    login_buffer_wipe(&answer->body);
}

int32_t login_outcome(int32_t http_status)
{
    if (http_status >= 200 && http_status < 300) return TROLLEY_OK;
    if (http_status == 401 || http_status == 403) return TROLLEY_ERR_AUTH;
    if (http_status == 408) return TROLLEY_ERR_TIMEOUT;
    if (http_status == 429 || http_status == 503) return TROLLEY_ERR_UNAVAILABLE;
    return http_status >= 500 ? TROLLEY_ERR_REMOTE : TROLLEY_ERR_PROTOCOL;
}

int login_form_add(struct kit_buffer *form, const char *name, const char *value)
{
    int r;

    if (!value) return 0;
    r = kit_buffer_printf(form, "%s%s=", form->length ? "&" : "", name);
    return r < 0 ? r : kit_url_encode(form, value, "");
}

void login_buffer_wipe(struct kit_buffer *buffer)
{
    if (buffer->data) explicit_bzero(buffer->data, buffer->capacity);
    kit_buffer_free(buffer);
}

int login_shown(const char *url)
{
    return (int)strcspn(url, "?#");
}
