/* token.c: the token endpoint of OAuth 2.0 [RFC 6749 3.2, 5]. SPDX-License-Identifier: MIT */
#include "token.h"

#include <cjson/cJSON.h>
#include <kit/text.h>
#include <kit/url.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <trolley/helpers.h>

#define TOKEN_CREDENTIALS_MAX ((size_t)128 << 10)
#define TOKEN_LIFE_MAX_S 31536000.0 /* a year; more is as good as for ever */
#define TOKEN_WORDS 200             /* characters of the endpoint's own words */

/* Basic, with both halves form-encoded first [RFC 6749 2.3.1]. */
static int32_t token_basic(const struct token_client *client, const char *secret,
                           struct kit_buffer *value)
{
    struct kit_buffer pair = {.cap = TOKEN_CREDENTIALS_MAX};
    char *coded = NULL;
    int32_t r = kit_url_encode(&pair, client->id, "");

    if (r == 0) r = kit_buffer_text(&pair, ":");
    if (r == 0) r = kit_url_encode(&pair, secret, "");
    if (r == 0 && !(coded = calloc(1, BASE64_ENCODE_RAW_LENGTH(pair.length) + 1)))
        r = TROLLEY_ERR_NOMEM;
    if (r == 0) {
        base64_encode_raw(coded, pair.length, (const unsigned char *)pair.data);
        r = kit_buffer_printf(value, "Basic %s", coded);
    }
    login_wipe(coded);
    login_buffer_wipe(&pair);
    return r;
}

static int32_t token_form(const struct token_client *client, const char *secret,
                          struct kit_buffer *form)
{
    int32_t r = login_form_add(form, "grant_type", "client_credentials");

    if (r == 0) r = login_form_add(form, "scope", client->scope);
    if (r == 0) r = login_form_add(form, "audience", client->audience);
    if (r == 0 && client->in_body) r = login_form_add(form, "client_id", client->id);
    if (r == 0 && client->in_body) r = login_form_add(form, "client_secret", secret);
    return r;
}

static int32_t token_send(const struct token_client *client, const char *secret,
                          const struct trolley_auth_http *http, struct login_answer *answer,
                          struct trolley_task *task)
{
    struct kit_buffer form = {0}, basic = {0};
    int32_t r = token_form(client, secret, &form);

    if (r == 0 && !client->in_body) r = token_basic(client, secret, &basic);
    if (r == 0) {
        const struct trolley_http_header headers[] = {
            {"Accept", "application/json"},
            {"Content-Type", "application/x-www-form-urlencoded"},
            {"Authorization", basic.data}};
        const struct trolley_http_request request = {
            .size = sizeof request,
            .method = "POST",
            .url = client->url,
            .headers = {headers, client->in_body ? 2 : 3, sizeof headers[0]},
            .body = form.data,
            .body_length = form.length,
        };

        r = login_send(http, &request, answer, task);
    }
    login_buffer_wipe(&form);
    login_buffer_wipe(&basic);
    return r;
}

static const char *token_text(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return text && *text ? text : NULL;
}

/* Seconds, as a number or, in the wild, as text. */
static int64_t token_life_ms(const cJSON *json)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "expires_in");
    double life = 0;

    if (cJSON_IsNumber(item)) life = item->valuedouble;
    if (cJSON_IsString(item)) life = strtod(item->valuestring, NULL);
    if (!(life > 0)) return 0;
    return (int64_t)((life < TOKEN_LIFE_MAX_S ? life : TOKEN_LIFE_MAX_S) * 1000.0);
}

/* The endpoint's error, e.g. `invalid_client: "no such client"`, safe for a terminal [5.2]. */
static int token_words(const cJSON *json, struct kit_buffer *out)
{
    const char *error = token_text(json, "error");
    const char *more = token_text(json, "error_description");
    int r = 0;

    if (error) r = kit_text_escape(out, error, strnlen(error, TOKEN_WORDS));
    if (r < 0 || !more) return r;
    r = kit_buffer_text(out, out->length ? ": \"" : "\"");
    if (r == 0) r = kit_text_escape(out, more, strnlen(more, TOKEN_WORDS));
    return r < 0 ? r : kit_buffer_text(out, "\"");
}

/* Every 400 with an error code is a refusal of this client [5.2]. */
static int32_t token_refused(const struct token_client *client, struct login *login,
                             const char *secret, int32_t status, const cJSON *json,
                             struct trolley_task *task)
{
    int32_t r =
        status == 400 && token_text(json, "error") ? TROLLEY_ERR_AUTH : login_outcome(status);
    struct kit_buffer words = {0};
    const char *said;

    if (token_words(json, &words) < 0) kit_buffer_reset(&words);
    said = words.length ? words.data : "no reason is given";
    if (r == TROLLEY_ERR_AUTH)
        r = login_refuse(login, secret, task,
                         "POST %.*s: %d %s (check client_id, client_secret, scope and audience)",
                         login_shown(client->url), client->url, (int)status, said);
    else
        r = login_fail(login, r, task, "POST %.*s: %d %s%s", login_shown(client->url), client->url,
                       (int)status, said, r == TROLLEY_ERR_PROTOCOL ? " (check token_url)" : "");
    kit_buffer_free(&words);
    return r;
}

static int32_t token_take(const struct token_client *client, const struct login *login, cJSON *json,
                          struct trolley_task *task, struct token *ret_token)
{
    const char *text = token_text(json, "access_token"), *type = token_text(json, "token_type");
    char *copy;

    if (!text)
        return login_fail(login, TROLLEY_ERR_PROTOCOL, task,
                          "POST %.*s: the answer has no access_token (check token_url)",
                          login_shown(client->url), client->url);
    if (type && strcasecmp(type, "bearer") != 0)
        return login_fail(login, TROLLEY_ERR_UNSUPPORTED, task,
                          "POST %.*s: only tokens of type Bearer can be used",
                          login_shown(client->url), client->url);
    copy = strdup(text);
    if (!copy) return TROLLEY_ERR_NOMEM;
    ret_token->text = copy;
    ret_token->life_ms = token_life_ms(json);
    return TROLLEY_OK;
}

static void token_forget(cJSON *json)
{
    char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "access_token"));

    if (text) explicit_bzero(text, strlen(text));
    cJSON_Delete(json);
}

int32_t token_fetch(const struct token_client *client, struct login *login,
                    const struct trolley_auth_http *http, struct trolley_task *task,
                    struct token *ret_token)
{
    struct login_answer answer = {0};
    char *secret = NULL;
    cJSON *json = NULL;
    int32_t r = login_secret(login, "client_secret", task, &secret);

    if (r == 0) r = token_send(client, secret, http, &answer, task);
    if (r < 0) goto out;
    json = cJSON_ParseWithLength(answer.body.data ? answer.body.data : "", answer.body.length);
    r = answer.status == 200 ? token_take(client, login, json, task, ret_token)
                             : token_refused(client, login, secret, answer.status, json, task);
    if (r == 0) login_done(login);
out:
    token_forget(json);
    login_answer_free(&answer);
    login_wipe(secret);
    return r;
}
