/*
 * A plugin's request: as many exchanges as redirects and log-ins ask for.
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "core/transfer/session.h"

/* The request's size in contract 1.0: nothing smaller is accepted. */
#define REQUEST_SIZE_1_0 (offsetof(struct trolley_http_request, body_length) + sizeof(uint64_t))

/* A second log-in within one request is for the case that the first one was another thread's and
 * has expired since. */
#define RESENDS_MAX 2

static int job_check(const struct transfer_job *job)
{
    const struct trolley_http_request *request = &job->request;

    if (!transfer_token_valid(job->method, strlen(job->method)))
        return transfer_outcome_say(job, TROLLEY_ERR_INVALID_ARG, 0, "malformed method");
    if (transfer_url_check(job->url))
        return transfer_outcome_say(job, TROLLEY_ERR_INVALID_ARG, 0,
                                    "not an http or https URL without a user in it");
    for (uint32_t i = 0; i < request->headers.count; i++) {
        const struct trolley_http_header *header = trolley_span_at(&request->headers, i);

        if (!header->name || !header->value)
            return transfer_outcome_say(job, TROLLEY_ERR_INVALID_ARG, 0,
                                        "a header field of the request is malformed");
    }
    return 0;
}

/* Is this the origin of a URL that the section names? */
static bool job_is_home(const struct transfer_job *job)
{
    const struct trolley_http_session *door = job->door;

    for (uint32_t i = 0; i < door->home_count; i++)
        if (transfer_url_same_origin(door->homes[i], job->url)) return true;
    return !door->home_count;
}

int transfer_job_rewind(struct transfer_job *job)
{
    char *url = strdup(job->request.url);

    if (!url) return TROLLEY_ERR_NOMEM;
    free(job->url);
    job->url = url;
    job->method = job->request.method ? job->request.method : "GET";
    job->send_body = job->request.body != NULL;
    job->redirects = 0;
    job->kind = job->began;
    return 0;
}

bool transfer_job_tells(const struct transfer_job *job)
{
    return job->kind != TRANSFER_LOGIN && job->door->session->info.log_phi;
}

int transfer_job_init(struct transfer_job *job, struct trolley_http_session *door,
                      enum transfer_kind kind, const struct trolley_http_request *request,
                      const struct trolley_http_handler *handler, struct trolley_task *task)
{
    int64_t total = door->session->total_ms;
    int r;

    *job = (struct transfer_job){.door = door, .task = task, .began = kind};
    if (handler) job->handler = *handler;
    r = trolley_read_open(&job->request, sizeof job->request, request, REQUEST_SIZE_1_0);
    if (r < 0 || !job->request.url)
        return trolley_fail(task, TROLLEY_ERR_INVALID_ARG, "an HTTP request without a URL");
    r = transfer_job_rewind(job);
    if (r < 0) return r;
    if (total) job->deadline_us = transfer_now_us() + total * 1000;
    r = job_check(job);
    if (r < 0) return r;
    if (kind == TRANSFER_HOME && !job_is_home(job)) job->kind = job->began = TRANSFER_FOREIGN;
    return 0;
}

void transfer_job_free(struct transfer_job *job)
{
    if (job->url) explicit_bzero(job->url, strlen(job->url)); /* a log-in's may hold a password */
    free(job->url);
}

/* A held answer that is no challenge after all. */
static int32_t request_stand(struct transfer_exchange *x)
{
    int32_t r;

    /* A page that stays in the way after a log-in is no document. */
    if (x->job->resends == RESENDS_MAX && transfer_outcome_status(x->response.status) == 0)
        return transfer_outcome_say(x->job, TROLLEY_ERR_AUTH, x->response.status,
                                    "logged in, but the server still answers with an HTML page "
                                    "(check the log-in of [session %s])",
                                    x->job->door->session->info.name);
    r = transfer_exchange_release(x);
    if (r < 0) return r;
    if (transfer_outcome_status(x->response.status) == 0 && x->cut)
        return transfer_outcome_say(x->job, TROLLEY_ERR_PROTOCOL, x->response.status,
                                    "a long HTML page instead of what was asked for");
    return transfer_outcome_answer(x);
}

/* One exchange and what follows from it. *ret_again: there is another one to do. */
static int32_t request_step(struct transfer_job *job, bool *ret_again)
{
    struct transfer_exchange x = {.job = job};
    bool again = false;
    int32_t r = transfer_exchange_run(&x);

    if (r < 0) goto out;
    if (transfer_redirect_due(&x)) {
        r = transfer_redirect_follow(&x);
        again = r == 0;
        goto out;
    }
    if (x.mode == TRANSFER_HOLD) {
        if (job->resends < RESENDS_MAX) r = transfer_auth_challenge(&x, &again);
        if (r == 0 && again) r = transfer_job_rewind(job);
        if (r == 0 && !again) r = request_stand(&x);
        job->resends++;
        goto out;
    }
    r = transfer_outcome_answer(&x);
out:
    transfer_exchange_free(&x);
    *ret_again = again;
    return r;
}

int32_t transfer_request(struct trolley_http_session *door,
                         const struct trolley_http_request *request,
                         const struct trolley_http_handler *handler, struct trolley_task *task)
{
    struct transfer_job job;
    bool again = true;
    int32_t r = transfer_job_init(&job, door, TRANSFER_HOME, request, handler, task);

    while (r == 0 && again)
        r = request_step(&job, &again);
    transfer_password_leave(&job);
    transfer_job_free(&job);
    return r;
}
