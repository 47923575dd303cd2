/*
 * Log-ins: the session's own schemes and auth plugins. One log-in serves all doors: who comes with
 * an answer to a request older than the last verdict takes that verdict.
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/transfer/session.h"

#define AUTH_SLICE_NS 200000000L /* how late a waiting thread may notice its cancellation */

static struct trolley_auth_ops auth_ops(const struct transfer_session *session)
{
    struct trolley_auth_ops ops = {0};

    (void)trolley_read_open(&ops, sizeof ops, session->info.auth,
                            offsetof(struct trolley_auth_ops, prepare));
    return ops;
}

/* Waits for the auth lock, and for the answer to another job's trial of the password, without
 * getting deaf to the task. */
static int auth_enter(const struct transfer_job *job)
{
    struct transfer_auth *auth = &job->door->session->auth;
    int r = 0;

    (void)pthread_mutex_lock(&auth->lock);
    while ((auth->busy || (auth->trial && auth->trial != job)) && r == 0) {
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += AUTH_SLICE_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&auth->left, &auth->lock, &until);
        if (job->task->cancelled(job->task)) r = TROLLEY_ERR_CANCELLED;
        if (job->task->remaining_ms(job->task) == 0) r = TROLLEY_ERR_TIMEOUT;
    }
    if (r == 0) auth->busy = true;
    (void)pthread_mutex_unlock(&auth->lock);
    if (r == TROLLEY_ERR_TIMEOUT)
        return transfer_outcome_say(job, r, 0, "another request's log-in took too long");
    return r;
}

static void auth_leave(const struct transfer_job *job)
{
    struct transfer_auth *auth = &job->door->session->auth;

    (void)pthread_mutex_lock(&auth->lock);
    auth->busy = false;
    (void)pthread_cond_broadcast(&auth->left);
    (void)pthread_mutex_unlock(&auth->lock);
}

static int32_t plugin_set_header(struct trolley_auth_request *request, const char *name,
                                 const char *value)
{
    struct transfer_exchange *x = request->impl;

    return transfer_fields_set(&x->fields, name, value);
}

static int32_t plugin_add_query(struct trolley_auth_request *request, const char *name,
                                const char *value)
{
    struct transfer_exchange *x = request->impl;

    return transfer_url_add_query(&x->url, name, value);
}

static int32_t scheme_apply(struct transfer_exchange *x, long scheme, const char *user,
                            const char *password)
{
    x->job->door->lent = user != NULL;
    if (curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, scheme) ||
        curl_easy_setopt(x->easy, CURLOPT_USERNAME, user) ||
        curl_easy_setopt(x->easy, CURLOPT_PASSWORD, password))
        return TROLLEY_ERR_NOMEM;
    return 0;
}

static int32_t plugin_set_scheme(struct trolley_auth_request *request, const char *scheme,
                                 const char *user, const char *password)
{
    struct transfer_exchange *x = request->impl;

    if (!scheme) return scheme_apply(x, (long)CURLAUTH_BASIC, NULL, NULL);
    if (strcmp(scheme, "negotiate") == 0) return scheme_apply(x, (long)CURLAUTH_NEGOTIATE, "", "");
    if (strcmp(scheme, "basic") != 0 && strcmp(scheme, "digest") != 0)
        return TROLLEY_ERR_UNSUPPORTED;
    if (!user) return TROLLEY_ERR_INVALID_ARG;
    return scheme_apply(x, (long)(*scheme == 'b' ? CURLAUTH_BASIC : CURLAUTH_DIGEST), user,
                        password ? password : "");
}

static int32_t plugin_send(const struct trolley_auth_http *http,
                           const struct trolley_http_request *request,
                           const struct trolley_http_handler *handler, struct trolley_task *task)
{
    struct transfer_job job;
    struct transfer_exchange x = {.job = &job};
    int32_t r = transfer_job_init(&job, http->impl, TRANSFER_LOGIN, request, handler, task);

    if (r == 0) r = transfer_exchange_run(&x);
    job.door->logins++;
    transfer_exchange_free(&x);
    transfer_job_free(&job);
    return r;
}

static struct trolley_auth_http plugin_http(const struct transfer_job *job)
{
    return (struct trolley_auth_http){
        .size = sizeof(struct trolley_auth_http), .impl = job->door, .send = plugin_send};
}

static int32_t plugin_prepare(struct transfer_exchange *x)
{
    const struct transfer_job *job = x->job;
    struct trolley_auth_ops ops = auth_ops(job->door->session);
    struct trolley_auth_http http = plugin_http(job);
    struct trolley_auth_request request = {
        .size = sizeof request,
        .impl = x,
        .method = job->method,
        .url = job->url,
        .set_header = plugin_set_header,
        .add_query = plugin_add_query,
        .set_scheme = plugin_set_scheme,
    };
    int32_t r;

    if (!ops.prepare) return 0;
    /* A scheme is chosen for one request. */
    r = job->door->lent ? plugin_set_scheme(&request, NULL, NULL, NULL) : 0;
    if (r < 0) return r;
    return ops.prepare(job->door->session->info.auth_self, &request, &http, job->task);
}

static int32_t plugin_challenge(struct transfer_exchange *x)
{
    const struct transfer_job *job = x->job;
    struct trolley_auth_ops ops = auth_ops(job->door->session);
    struct trolley_auth_http http = plugin_http(job);
    size_t length = x->kept.length < TRANSFER_WORDS_MAX ? x->kept.length : TRANSFER_WORDS_MAX;
    struct trolley_auth_response response = {
        .size = sizeof response,
        .status = x->response.status,
        .url = x->response.url,
        .content_type = x->response.content_type,
        .headers = x->response.headers,
        .body = length ? x->kept.data : "",
        .body_length = length,
    };

    return ops.challenge(job->door->session->info.auth_self, &response, &http, job->task);
}

/* A log-in has come to its end. */
static void auth_conclude(struct transfer_session *session, int32_t verdict)
{
    session->auth.verdicts++;
    session->auth.verdict = verdict;
}

int transfer_auth_prepare(struct transfer_exchange *x)
{
    struct transfer_session *session = x->job->door->session;
    bool plugin = session->scheme == TRANSFER_OTHER;
    uint64_t logins;
    int r;

    if (!plugin && session->scheme != TRANSFER_BASIC && session->scheme != TRANSFER_DIGEST)
        return 0;
    r = auth_enter(x->job);
    if (r < 0) return r;
    logins = x->job->door->logins;
    r = plugin ? plugin_prepare(x) : transfer_password_prepare(x);
    /* What was sent with older credentials and is refused needs no log-in of its own. */
    if (logins != x->job->door->logins && (r == TROLLEY_OK || r == TROLLEY_ERR_AUTH))
        auth_conclude(session, r);
    x->job->seen = session->auth.verdicts;
    auth_leave(x->job);
    return r;
}

static bool auth_is_page(const struct transfer_exchange *x)
{
    const char *accept = transfer_fields_get(x->fields, "Accept");

    return x->response.status == 200 &&
           strncasecmp(x->response.content_type, "text/html", 9) == 0 &&
           (!accept || !strcasestr(accept, "html"));
}

bool transfer_auth_concerns(const struct transfer_exchange *x)
{
    const struct transfer_session *session = x->job->door->session;
    int32_t code = x->response.status;

    /* A log-in page may be elsewhere; a stranger's 401 is not ours to answer. */
    if (x->job->kind != x->job->began && session->scheme == TRANSFER_OTHER &&
        auth_ops(session).challenge)
        return auth_is_page(x);
    if (x->job->kind != TRANSFER_HOME) return false;
    switch (session->scheme) {
    case TRANSFER_BASIC:
    case TRANSFER_DIGEST:
        return code == 401;
    case TRANSFER_OTHER:
        return auth_ops(session).challenge && (code == 401 || code == 403 || auth_is_page(x));
    default:
        return false;
    }
}

int transfer_auth_challenge(struct transfer_exchange *x, bool *ret_again)
{
    struct transfer_session *session = x->job->door->session;
    struct transfer_auth *auth = &session->auth;
    bool plugin = session->scheme == TRANSFER_OTHER, ours;
    int32_t verdict;
    int r = auth_enter(x->job);

    if (r < 0) return r;
    ours = auth->verdicts == x->job->seen;
    verdict = auth->verdict;
    if (ours) {
        verdict = plugin ? plugin_challenge(x) : transfer_password_challenge(x);
        if (verdict == TROLLEY_OK || verdict == TROLLEY_ERR_AUTH) auth_conclude(session, verdict);
    }
    auth_leave(x->job);
    if (verdict == TROLLEY_OK)
        *ret_again = true;
    else if (ours && plugin && verdict != TROLLEY_ERR_UNSUPPORTED)
        return verdict; /* the plugin has said why */
    else if (verdict != TROLLEY_ERR_AUTH && verdict != TROLLEY_ERR_UNSUPPORTED)
        return verdict;
    else if (verdict == TROLLEY_ERR_AUTH && transfer_outcome_status(x->response.status) == 0)
        return transfer_outcome_say(x->job, verdict, x->response.status,
                                    "the log-in of [session %s] was refused", session->info.name);
    return 0;
}
