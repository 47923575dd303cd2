/*
 * What answers and failures mean, and how they are told. SPDX-License-Identifier: MIT
 */
#include <kit/text.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/transfer/session.h"

#define WORDS_SHOWN 200 /* characters of the server's own words */

enum outcome_advice {
    ADVICE_NONE,
    ADVICE_LOGIN,
    ADVICE_RIGHTS,
    ADVICE_PROXY,
    ADVICE_RATE,
    ADVICE_CERTIFICATE
};

/* HTTP status to outcome [RFC 9110 15]; the first range that fits counts. */
static const struct outcome_rule {
    int32_t first, last;
    int32_t status;
    uint32_t flags;
    const char *reason;
    enum outcome_advice advice;
} outcome_rules[] = {
    {200, 299, TROLLEY_OK, 0, "OK", ADVICE_NONE},
    {304, 304, TROLLEY_OK, 0, "Not Modified", ADVICE_NONE},
    {300, 399, TROLLEY_ERR_PROTOCOL, TROLLEY_FAILURE_PERMANENT, "a redirect to nowhere",
     ADVICE_NONE},
    {400, 400, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, "Bad Request", ADVICE_NONE},
    {401, 401, TROLLEY_ERR_AUTH, TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL,
     "Unauthorized", ADVICE_LOGIN},
    /* May concern one study alone, so the others are still tried. */
    {403, 403, TROLLEY_ERR_AUTH, TROLLEY_FAILURE_PERMANENT, "Forbidden", ADVICE_RIGHTS},
    {404, 404, TROLLEY_ERR_NOT_FOUND, TROLLEY_FAILURE_PERMANENT, "Not Found", ADVICE_NONE},
    {406, 406, TROLLEY_ERR_UNSUPPORTED, TROLLEY_FAILURE_PERMANENT, "Not Acceptable", ADVICE_NONE},
    {407, 407, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, "Proxy Authentication Required",
     ADVICE_PROXY},
    {408, 408, TROLLEY_ERR_TIMEOUT, TROLLEY_FAILURE_TRANSIENT, "Request Timeout", ADVICE_NONE},
    {409, 409, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, "Conflict", ADVICE_NONE},
    {410, 410, TROLLEY_ERR_GONE, TROLLEY_FAILURE_PERMANENT, "Gone", ADVICE_NONE},
    {413, 413, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, "Content Too Large",
     ADVICE_NONE},
    {415, 415, TROLLEY_ERR_UNSUPPORTED, TROLLEY_FAILURE_PERMANENT, "Unsupported Media Type",
     ADVICE_NONE},
    {429, 429, TROLLEY_ERR_UNAVAILABLE, TROLLEY_FAILURE_TRANSIENT, "Too Many Requests",
     ADVICE_RATE},
    {400, 499, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, "request refused", ADVICE_NONE},
    {500, 500, TROLLEY_ERR_REMOTE, TROLLEY_FAILURE_TRANSIENT, "Internal Server Error", ADVICE_NONE},
    {501, 501, TROLLEY_ERR_REMOTE, TROLLEY_FAILURE_PERMANENT, "Not Implemented", ADVICE_NONE},
    {502, 502, TROLLEY_ERR_REMOTE, TROLLEY_FAILURE_TRANSIENT, "Bad Gateway", ADVICE_NONE},
    {503, 503, TROLLEY_ERR_UNAVAILABLE, TROLLEY_FAILURE_TRANSIENT, "Service Unavailable",
     ADVICE_NONE},
    {504, 504, TROLLEY_ERR_REMOTE, TROLLEY_FAILURE_TRANSIENT, "Gateway Timeout", ADVICE_NONE},
    {500, 599, TROLLEY_ERR_REMOTE, TROLLEY_FAILURE_TRANSIENT, "server error", ADVICE_NONE},
    {INT32_MIN, INT32_MAX, TROLLEY_ERR_PROTOCOL, TROLLEY_FAILURE_PERMANENT,
     "a status that HTTP does not have", ADVICE_NONE},
};

/* Whatever the status: without another certificate there is nothing to be had. */
static const struct outcome_rule outcome_certificate = {400,
                                                        499,
                                                        TROLLEY_ERR_AUTH,
                                                        TROLLEY_FAILURE_PERMANENT |
                                                            TROLLEY_FAILURE_STOP_ALL,
                                                        "client certificate refused",
                                                        ADVICE_CERTIFICATE};

static const struct outcome_rule *outcome_rule(int32_t code)
{
    const struct outcome_rule *rule = outcome_rules;

    while (code < rule->first || code > rule->last)
        rule++;
    return rule;
}

int32_t transfer_outcome_status(int32_t code)
{
    return outcome_rule(code)->status;
}

/* curl's failures. Not listed: NETWORK, asking again may help. */
static const struct outcome_curl {
    CURLcode code;
    int32_t status;
    uint32_t flags;
    const char *advice; /* what to check of the session */
} outcome_curls[] = {
    {CURLE_OUT_OF_MEMORY, TROLLEY_ERR_NOMEM, TROLLEY_FAILURE_PERMANENT, NULL},
    {CURLE_URL_MALFORMAT, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, TROLLEY_ERR_INVALID_ARG, TROLLEY_FAILURE_PERMANENT, NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, TROLLEY_ERR_NETWORK, TROLLEY_FAILURE_TRANSIENT, "check proxy"},
    {CURLE_OPERATION_TIMEDOUT, TROLLEY_ERR_TIMEOUT, TROLLEY_FAILURE_TRANSIENT,
     "see connect_timeout"},
    {CURLE_PARTIAL_FILE, TROLLEY_ERR_TRUNCATED, TROLLEY_FAILURE_TRANSIENT, NULL},
    {CURLE_HTTP2, TROLLEY_ERR_TRUNCATED, TROLLEY_FAILURE_TRANSIENT, NULL},
    {CURLE_HTTP2_STREAM, TROLLEY_ERR_TRUNCATED, TROLLEY_FAILURE_TRANSIENT, NULL},
    {CURLE_WEIRD_SERVER_REPLY, TROLLEY_ERR_PROTOCOL, TROLLEY_FAILURE_PERMANENT, NULL},
    {CURLE_BAD_CONTENT_ENCODING, TROLLEY_ERR_PROTOCOL, TROLLEY_FAILURE_PERMANENT, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, TROLLEY_ERR_NETWORK, TROLLEY_FAILURE_PERMANENT,
     "check ca_file"},
    {CURLE_SSL_CACERT_BADFILE, TROLLEY_ERR_INVALID_CONFIG, TROLLEY_FAILURE_PERMANENT,
     "check ca_file"},
    {CURLE_SSL_CLIENTCERT, TROLLEY_ERR_AUTH, TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL,
     NULL},
    {CURLE_SSL_CERTPROBLEM, TROLLEY_ERR_INVALID_CONFIG, TROLLEY_FAILURE_PERMANENT,
     "check client_cert and client_key"},
};

static struct outcome_curl outcome_curl(const struct transfer_exchange *x, CURLcode code)
{
    for (size_t i = 0; i < sizeof outcome_curls / sizeof outcome_curls[0]; i++)
        if (outcome_curls[i].code == code) return outcome_curls[i];
    /* A connection that broke within a body has cut the body short. */
    return (struct outcome_curl){code, x->began ? TROLLEY_ERR_TRUNCATED : TROLLEY_ERR_NETWORK,
                                 TROLLEY_FAILURE_TRANSIENT, NULL};
}

/* Reports `text` about the job's request as one line that is safe for a terminal. */
static int32_t outcome_fail(const struct transfer_job *job, const char *text,
                            const struct trolley_failure *what)
{
    struct trolley_failure failure = *what;
    struct kit_buffer line = {0}, safe = {0};
    int r;

    r = kit_buffer_printf(&line, "%s ", job->method);
    if (r == 0) r = transfer_url_describe(&line, job->url, transfer_job_tells(job));
    if (r == 0 && job->redirects) {
        r = kit_buffer_text(&line, " (redirected from ");
        if (r == 0) r = transfer_url_describe(&line, job->request.url, transfer_job_tells(job));
        if (r == 0) r = kit_buffer_text(&line, ")");
    }
    if (r == 0) r = kit_buffer_printf(&line, ": %s", text);
    if (r == 0) r = kit_text_escape(&safe, line.data, line.length);
    failure.size = sizeof failure;
    failure.message = r == 0 ? safe.data : "an HTTP request failed, and memory for more is out";
    job->task->fail(job->task, &failure);
    kit_buffer_free(&line);
    kit_buffer_free(&safe);
    return failure.status;
}

int32_t transfer_outcome_say(const struct transfer_job *job, int32_t status, int32_t code,
                             const char *what, ...)
{
    struct trolley_failure failure = {
        .status = status, .code = code, .flags = trolley_status_flags(status)};
    char text[512];
    va_list args;

    va_start(args, what);
    (void)vsnprintf(text, sizeof text, what, args);
    va_end(args);
    return outcome_fail(job, text, &failure);
}

/* An HTML page's title; *length is 0 when it has none. */
static const char *words_title(const char *body, size_t *length)
{
    const char *tag = strcasestr(body, "<title"), *text = tag ? strchr(tag, '>') : NULL;
    const char *end = text ? strcasestr(text, "</title") : NULL;

    *length = end ? (size_t)(end - text - 1) : 0;
    return text ? text + 1 : body;
}

/* Appends up to WORDS_SHOWN characters, runs of white space as one space. */
static int words_append(struct kit_buffer *out, const char *text, size_t length)
{
    size_t shown = 0;
    bool space = false;
    int r = 0;

    for (size_t i = 0; i < length && r == 0; i++) {
        bool follows = ((unsigned char)text[i] & 0xc0) == 0x80; /* within a UTF-8 character */

        if (strchr(" \t\r\n", text[i])) {
            space = shown > 0;
            continue;
        }
        if (!follows && shown + space >= WORDS_SHOWN) break;
        if (space) r = kit_buffer_text(out, " ");
        if (r == 0) r = kit_buffer_append(out, &text[i], 1);
        shown += (size_t)!follows + space;
        space = false;
    }
    return r;
}

/* The server's own words: a page's title, else a text's first line; of JSON and XML, whose lines
 * say little, the beginning. */
static int words_of(const struct transfer_exchange *x, struct kit_buffer *out)
{
    const char *type = x->response.content_type, *body = x->kept.data;
    size_t length;

    if (transfer_exchange_field(x, "Content-Encoding") && !x->decoder) return 0;
    if (!body || !*(body += strspn(body, " \t\r\n"))) return 0;
    length = strlen(body);
    if (strcasestr(type, "html")) {
        const char *title = words_title(body, &length);

        return words_append(out, title, length);
    }
    if (strcasestr(type, "json") || strcasestr(type, "xml")) return words_append(out, body, length);
    if (*type && strncasecmp(type, "text/", 5) != 0) return 0;
    return words_append(out, body, strcspn(body, "\r\n"));
}

static int advice_login(const struct transfer_session *session, struct kit_buffer *out)
{
    static const char *const advice[] = {
        [TRANSFER_NONE] = "set auth, user and password",
        [TRANSFER_BASIC] = "check user and password",
        [TRANSFER_DIGEST] = "check user and password",
        [TRANSFER_NEGOTIATE] = "check the Kerberos ticket for auth",
        [TRANSFER_NETRC] = "check ~/.netrc for auth",
        [TRANSFER_OTHER] = "check the log-in",
    };

    if (!*session->info.name)
        return kit_buffer_text(out, " (name a [session] with auth, user and password)");
    return kit_buffer_printf(out, " (%s of [session %s])", advice[session->scheme],
                             session->info.name);
}

static int advice_certificate(const struct transfer_session *session, struct kit_buffer *out)
{
    const struct trolley_config *config = session->info.config;
    const char *cert = config->text(config, "client_cert");

    if (!*session->info.name)
        return kit_buffer_text(out, " (name a [session] with client_cert and client_key)");
    return kit_buffer_printf(out, " (%s client_cert of [session %s])",
                             cert && *cert ? "check" : "set", session->info.name);
}

static int advice_append(const struct transfer_exchange *x, enum outcome_advice advice,
                         struct kit_buffer *out)
{
    const struct transfer_session *session = x->job->door->session;
    const char *name = session->info.name;

    if (advice == ADVICE_NONE) return 0;
    if (x->job->kind == TRANSFER_FOREIGN && advice != ADVICE_RATE)
        return kit_buffer_text(out, x->job->redirects
                                        ? " (no credentials are sent to where a redirect leads)"
                                        : " (no credentials are sent to another server than the "
                                          "section's own)");
    if (advice == ADVICE_LOGIN) return advice_login(session, out);
    if (advice == ADVICE_CERTIFICATE) return advice_certificate(session, out);
    if (!*name) return 0;
    if (advice == ADVICE_RIGHTS)
        return kit_buffer_printf(out, " (check the rights of the user of [session %s])", name);
    if (advice == ADVICE_PROXY)
        return kit_buffer_printf(out, " (check proxy of [session %s])", name);
    return kit_buffer_printf(out, " (lower max_parallel, or set max_rate of [session %s])", name);
}

int32_t transfer_outcome_answer(const struct transfer_exchange *x)
{
    const struct outcome_rule *rule = outcome_rule(x->response.status);
    struct kit_buffer text = {0}, words = {0};
    struct trolley_failure failure = {
        .status = rule->status,
        .code = x->response.status,
        .flags = rule->flags,
        .retry_after_ms = x->response.retry_after_ms,
    };
    int r;

    if (rule->status == TROLLEY_OK) return TROLLEY_OK;
    if (transfer_client_cert_refused(x)) {
        rule = &outcome_certificate;
        failure.status = rule->status;
        failure.flags = rule->flags;
    }
    r = kit_buffer_printf(&text, "%d %s", (int)x->response.status, rule->reason);
    if (r == 0) r = words_of(x, &words);
    if (r == 0 && words.length) r = kit_buffer_printf(&text, ": \"%s\"", words.data);
    if (r == 0) r = advice_append(x, rule->advice, &text);
    r = outcome_fail(x->job, r == 0 ? text.data : rule->reason, &failure);
    kit_buffer_free(&text);
    kit_buffer_free(&words);
    return r;
}

int32_t transfer_outcome_curl(const struct transfer_exchange *x, CURLcode result)
{
    const struct trolley_http_session *door = x->job->door;
    bool alerted = transfer_client_cert_alerted(door->problem);
    const struct outcome_curl rule = outcome_curl(x, alerted ? CURLE_SSL_CLIENTCERT : result);
    const char *name = door->session->info.name;
    struct kit_buffer text = {0};
    struct trolley_failure failure = {
        .status = rule.status,
        .code = x->began ? x->response.status : 0,
        .flags = rule.flags,
    };
    int r;

    if (rule.status == TROLLEY_ERR_TRUNCATED)
        r = kit_buffer_printf(
            &text, "the answer was cut off after %llu bytes: ", (unsigned long long)x->decoded);
    else
        r = kit_buffer_text(&text, "");
    if (r == 0)
        r = kit_buffer_text(&text, *door->problem ? door->problem : curl_easy_strerror(result));
    if (r == 0 && alerted) r = advice_append(x, ADVICE_CERTIFICATE, &text);
    if (r == 0 && rule.advice && *name)
        r = kit_buffer_printf(&text, " (%s of [session %s])", rule.advice, name);
    r = outcome_fail(x->job, r == 0 ? text.data : curl_easy_strerror(result), &failure);
    kit_buffer_free(&text);
    return r;
}

void transfer_outcome_log(const struct transfer_exchange *x, int64_t took_us)
{
    const struct transfer_job *job = x->job;
    const struct trolley_host *host = job->door->host;
    struct kit_buffer line = {0}, safe = {0};
    int r;

    if (!host->log) return;
    r = kit_buffer_printf(&line, "%s ", job->method);
    if (r == 0) r = transfer_url_describe(&line, job->url, transfer_job_tells(job));
    if (r == 0)
        r = kit_buffer_printf(&line, " %d, %llu bytes, %lld ms", (int)x->response.status,
                              (unsigned long long)x->decoded, (long long)(took_us / 1000));
    if (r == 0) r = kit_text_escape(&safe, line.data, line.length);
    if (r == 0) host->log(host, TROLLEY_LOG_DEBUG, job->door->title, safe.data);
    kit_buffer_free(&line);
    kit_buffer_free(&safe);
}
