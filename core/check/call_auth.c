/* call_auth.c: a log-in's operations, called as a host would. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/check/call.h"

static int32_t auth_set_header(struct trolley_auth_request *request, const char *name,
                               const char *value)
{
    (void)request, (void)value;
    return name ? 0 : TROLLEY_ERR_INVALID_ARG;
}

static int32_t auth_add_query(struct trolley_auth_request *request, const char *name,
                              const char *value)
{
    (void)request;
    return name && value ? 0 : TROLLEY_ERR_INVALID_ARG;
}

/* Reaches nobody. */
static int32_t auth_send(const struct trolley_auth_http *http,
                         const struct trolley_http_request *request,
                         const struct trolley_http_handler *handler, struct trolley_task *task)
{
    (void)http, (void)request, (void)handler;
    if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
    return trolley_fail(task, TROLLEY_ERR_NETWORK, "nobody listens");
}

static int32_t auth_prepare(struct subject *subject, const struct trolley_auth_http *http)
{
    const struct trolley_auth_ops *ops = &subject->instance.ops.auth;
    struct trolley_auth_request request = {
        .size = sizeof request, .set_header = auth_set_header, .add_query = auth_add_query};
    struct pages pages = subject_pages(subject);
    const void *argument;
    int32_t r;

    if (!ops->prepare) return 0;
    request.method = subject_text(subject, &pages, "GET");
    request.url = subject_text(subject, &pages, "http://127.0.0.1/studies");
    argument = subject_open_struct(subject, &pages, &request, sizeof request);
    check_doing(subject->check, "prepare");
    r = ops->prepare(subject->instance.self, (void *)(uintptr_t)argument,
                     subject_open_struct(subject, &pages, http, sizeof *http),
                     subject_task(subject, &pages));
    subject_done(subject, &pages);
    return r;
}

static int32_t auth_challenge(struct subject *subject, const struct trolley_auth_http *http)
{
    const struct trolley_auth_ops *ops = &subject->instance.ops.auth;
    struct pages pages = subject_pages(subject);
    const struct trolley_http_header header = {
        subject_text(subject, &pages, "WWW-Authenticate"),
        subject_text(subject, &pages, "Bearer realm=\"check\"")};
    struct trolley_auth_response response = {.size = sizeof response, .status = 401};
    int32_t r;

    if (!ops->challenge) return 0;
    response.url = subject_text(subject, &pages, "http://127.0.0.1/studies");
    response.content_type = subject_text(subject, &pages, "text/html");
    response.headers =
        (struct trolley_span){pages_put(&pages, &header, sizeof header), 1, sizeof header};
    response.body = subject_text(subject, &pages, "<html><title>Log in</title></html>");
    response.body_length = strlen(response.body);
    check_doing(subject->check, "challenge");
    r = ops->challenge(
        subject->instance.self, subject_open_struct(subject, &pages, &response, sizeof response),
        subject_open_struct(subject, &pages, http, sizeof *http), subject_task(subject, &pages));
    subject_done(subject, &pages);
    if (r == TROLLEY_ERR_UNSUPPORTED) return 0; /* "no challenge" is an answer */
    return r;
}

int32_t call_auth(struct subject *subject)
{
    const struct trolley_auth_http http = {.size = sizeof http, .send = auth_send};
    int32_t prepared = call_judge(subject, "prepare", auth_prepare(subject, &http));
    int32_t r = call_judge(subject, "challenge", auth_challenge(subject, &http));

    return r < 0 ? r : prepared;
}
