/*
 * trolley/http.h: the HTTP service. Connections, TLS, proxies, log-ins, cookies, redirects, rate
 * limits and timeouts belong to the INI's [session NAME] and to the host; a plugin sees requests
 * and answers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_HTTP_H
#define TROLLEY_HTTP_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROLLEY_HTTP_SERVICE "trolley.http/1"

/* One header field. Closed. */
struct trolley_http_header {
    const char *name;
    const char *value;
};

/* Bodies of answers with status >= 400 go to handler->body too. */
#define TROLLEY_HTTP_ERROR_BODY UINT32_C(1)
/* The decoded body is bounded by the session's max_document. */
#define TROLLEY_HTTP_DOCUMENT UINT32_C(2)

/* A request. Open; borrowed for the call. */
struct trolley_http_request {
    uint32_t size;
    uint32_t flags;     /* TROLLEY_HTTP_* */
    const char *method; /* NULL means GET */
    const char *url;    /* absolute, already percent-encoded */
    /* Of struct trolley_http_header; Accept belongs here whenever a body is due. */
    struct trolley_span headers;
    const void *body;     /* NULL for none */
    uint64_t body_length; /* bytes */
};

/* The head of the final answer, after redirects and log-ins. Open; borrowed. */
struct trolley_http_response {
    uint32_t size;
    int32_t status;              /* HTTP status code */
    const char *url;             /* where it came from in the end */
    const char *content_type;    /* as sent, with parameters; "" when absent */
    struct trolley_span headers; /* of struct trolley_http_header, in order; names as sent */
    uint64_t retry_after_ms;     /* Retry-After as a delay in ms; 0 when absent */
    int64_t content_length;      /* bytes as sent; -1 when not said */
};

/* Takes the answer. Closed; all calls come on the caller's thread, within request. */
struct trolley_http_handler {
    void *ctx;
    /* May be NULL. Called once. A negative return ends the request with that status. */
    int32_t (*head)(void *ctx, const struct trolley_http_response *response);
    /* May be NULL (the body is read and dropped). Decoded bytes (gzip, deflate). A negative return
     * ends the request with that status. */
    int32_t (*body)(void *ctx, const void *data, uint64_t length);
};

struct trolley_http_session; /* one thread's door to the session that the section names */

/* Service "trolley.http/1" of host->get_service. Open; lives as long as the host. */
struct trolley_http_service {
    uint32_t size;
    uint32_t reserved;
    /* [load] Within create: the session of this section (its key `session`; without it a plain
     * one). Close it in destroy. What several doors share (cookies, log-in, TLS sessions, DNS) the
     * host keeps behind locks. Fails with INVALID_CONFIG or NOMEM, task->fail already called. */
    int32_t (*open)(const struct trolley_host *host, const struct trolley_config *config,
                    struct trolley_task *task, struct trolley_http_session **session);
    /* [load] NULL is a no-op. */
    void (*close)(struct trolley_http_session *session);
    /*
     * [worker] Sends one request and blocks until its answer is complete. Returns TROLLEY_OK for a
     * complete answer with status 2xx or 304; for any other status the mapped error (401, 403 AUTH;
     * 404 NOT_FOUND; 410 GONE; 406, 415 UNSUPPORTED; 400, 409, 413 and other 4xx INVALID_ARG; 408
     * TIMEOUT; 429, 503 UNAVAILABLE; other 5xx REMOTE) with task->fail already called: method,
     * host, path, status and the server's own words. A body shorter than announced is
     * TROLLEY_ERR_TRUNCATED, never success. Warning fields of the answer have gone to task->note.
     * The task's cancellation ends it within a second.
     */
    int32_t (*request)(struct trolley_http_session *session,
                       const struct trolley_http_request *request,
                       const struct trolley_http_handler *handler, struct trolley_task *task);
};

#ifdef __cplusplus
}
#endif
#endif
