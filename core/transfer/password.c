/*
 * User and password of a session, with servers in mind that lock users out. A password that no
 * answer has proven good is tried by one request at a time, the others wait for its answer; one
 * that was refused is not sent again for a while. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "core/transfer/session.h"

#define PASSWORD_MAX 4096
#define PASSWORD_REST_US INT64_C(60000000) /* how long a refused password is not sent */

static void password_free(char *password)
{
    if (password) explicit_bzero(password, strlen(password));
    free(password);
}

static int32_t password_take(void *ctx, const char *text, uint64_t length)
{
    char **password = ctx;

    if (length > PASSWORD_MAX || memchr(text, '\0', length)) return TROLLEY_ERR_INVALID_CONFIG;
    password_free(*password);
    *password = strndup(text, length);
    return *password ? 0 : TROLLEY_ERR_NOMEM;
}

/* A user without a password has an empty one. */
static int password_read(const struct transfer_job *job, bool refresh, char **ret_password)
{
    const struct trolley_config *config = job->door->session->info.config;
    char *password = NULL;
    const struct trolley_secret_sink sink = {&password, password_take};
    int r = config->secret(config, "password", refresh, &sink, job->task);

    if (r == TROLLEY_ERR_NOT_FOUND || (r == 0 && !password)) r = password_take(&password, "", 0);
    if (r < 0) {
        password_free(password);
        return r;
    }
    *ret_password = password;
    return 0;
}

/* The job's next answer decides for all, unless one has already. */
static void trial_begin(const struct transfer_job *job)
{
    struct transfer_auth *auth = &job->door->session->auth;

    (void)pthread_mutex_lock(&auth->lock);
    if (!auth->proven) auth->trial = job;
    (void)pthread_mutex_unlock(&auth->lock);
}

/* What was proven is in doubt again. Returns whether it was proven. */
static bool trial_reopen(const struct transfer_job *job)
{
    struct transfer_auth *auth = &job->door->session->auth;
    bool proven;

    (void)pthread_mutex_lock(&auth->lock);
    proven = auth->proven;
    auth->proven = false;
    auth->trial = job;
    (void)pthread_mutex_unlock(&auth->lock);
    return proven;
}

static void trial_end(const struct transfer_job *job, bool proven)
{
    struct transfer_auth *auth = &job->door->session->auth;

    (void)pthread_mutex_lock(&auth->lock);
    if (auth->trial == job) {
        auth->trial = NULL;
        auth->proven = proven;
        (void)pthread_cond_broadcast(&auth->left);
    }
    (void)pthread_mutex_unlock(&auth->lock);
}

int transfer_password_prepare(struct transfer_exchange *x)
{
    struct trolley_http_session *door = x->job->door;
    struct transfer_auth *auth = &door->session->auth;
    int r = 0;

    if (auth->refused_us && transfer_now_us() - auth->refused_us < PASSWORD_REST_US)
        return transfer_outcome_say(x->job, TROLLEY_ERR_AUTH, 401,
                                    "401 Unauthorized was the last answer; user and password are "
                                    "not sent again for now (check user and password of "
                                    "[session %s])",
                                    door->session->info.name);
    auth->refused_us = 0;
    if (!auth->password) r = password_read(x->job, false, &auth->password);
    if (r < 0) return r;
    if (door->credentials != auth->verdicts + 1) {
        if (curl_easy_setopt(x->easy, CURLOPT_PASSWORD, auth->password)) return TROLLEY_ERR_NOMEM;
        door->credentials = auth->verdicts + 1;
    }
    trial_begin(x->job);
    return 0;
}

/* A password from a file or command may have changed. The same one is not tried twice; but one that
 * worked is, once, where the server has forgotten the log-in. */
int32_t transfer_password_challenge(struct transfer_exchange *x)
{
    struct transfer_auth *auth = &x->job->door->session->auth;
    char *password = NULL;
    int r = password_read(x->job, true, &password);
    bool proven;

    if (r < 0) return r;
    proven = trial_reopen(x->job);
    if (!auth->password || strcmp(auth->password, password) != 0) {
        password_free(auth->password);
        auth->password = password;
        return 0;
    }
    password_free(password);
    if (proven) return TROLLEY_OK;
    auth->refused_us = transfer_now_us();
    trial_end(x->job, false);
    return TROLLEY_ERR_AUTH;
}

void transfer_password_answered(const struct transfer_exchange *x)
{
    int32_t code = x->response.status;

    /* These may come from somebody who never looked at the password. */
    if (code == 401) return;
    trial_end(x->job, code < 500 && code != 407 && code != 408 && code != 429);
}

void transfer_password_leave(const struct transfer_job *job)
{
    trial_end(job, false);
}

void transfer_password_wipe(struct transfer_auth *auth)
{
    password_free(auth->password);
    auth->password = NULL;
}
