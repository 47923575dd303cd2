/*
 * trolley/auth.h: operations of an auth plugin, named by `auth =` of a [session].
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_AUTH_H
#define TROLLEY_AUTH_H

#include "host.h"
#include "http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A request about to go out, as an auth plugin may change it. Open; borrowed for the call. Texts
 * given to its functions are copied; they are called on the thread of prepare, within it, and fail
 * with INVALID_ARG or NOMEM. */
struct trolley_auth_request {
    uint32_t size;
    uint32_t reserved;
    void *impl;
    const char *method;
    const char *url;
    /* Sets (value) or removes (NULL) a header field. */
    int32_t (*set_header)(struct trolley_auth_request *request, const char *name,
                          const char *value);
    /* Adds a query parameter; name and value are percent-encoded by the host. */
    int32_t (*add_query)(struct trolley_auth_request *request, const char *name, const char *value);
    /* Lets the session log in for this request: `scheme` is "basic", "digest" or "negotiate", or
     * NULL for none. user and password: NULL for "negotiate", which asks Kerberos. Errors:
     * UNSUPPORTED (no such scheme here), INVALID_ARG (no user), NOMEM. */
    int32_t (*set_scheme)(struct trolley_auth_request *request, const char *scheme,
                          const char *user, const char *password);
};

/* HTTP for log-ins: the session's TLS, proxy and cookie jar, with auth off and redirects not
 * followed. Open; borrowed for the call. */
struct trolley_auth_http {
    uint32_t size;
    uint32_t reserved;
    void *impl;
    /* Blocks; on the thread of prepare or challenge, within it. Returns TROLLEY_OK for a complete
     * answer of any status, else NETWORK, TIMEOUT, TRUNCATED, CANCELLED and so on, with task->fail
     * called. */
    int32_t (*send)(const struct trolley_auth_http *http,
                    const struct trolley_http_request *request,
                    const struct trolley_http_handler *handler, struct trolley_task *task);
};

/* An answer that may ask for a log-in. Open; borrowed for the call. */
struct trolley_auth_response {
    uint32_t size;
    int32_t status; /* 401, 403, or 200 with an unexpected HTML page */
    const char *url;
    const char *content_type;
    struct trolley_span headers; /* of struct trolley_http_header */
    const void *body;            /* the first 4 KiB at most */
    uint64_t body_length;
};

/* Open. One instance a session; called under the session's auth lock, once per log-in generation:
 * [any, locked] below is any thread, one at a time. */
struct trolley_auth_ops {
    uint32_t size;
    uint32_t reserved;
    /* [any, locked] Optional, but one of the two must be there. Before each request. A failure ends
     * the request with that status. */
    int32_t (*prepare)(void *self, struct trolley_auth_request *request,
                       const struct trolley_auth_http *http, struct trolley_task *task);
    /* [any, locked] Optional. TROLLEY_OK: logged in, the request is sent once more.
     * TROLLEY_ERR_UNSUPPORTED: this answer is no challenge, it stands as it is. TROLLEY_ERR_AUTH:
     * refused. */
    int32_t (*challenge)(void *self, const struct trolley_auth_response *response,
                         const struct trolley_auth_http *http, struct trolley_task *task);
};

#ifdef __cplusplus
}
#endif
#endif
