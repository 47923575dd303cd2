/*
 * Redirects [RFC 9110 15.4]. Followed here and not by curl, which would hand the session's headers
 * on to whatever host the server names. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/transfer/session.h"

#define REDIRECTS_MAX 5

bool transfer_redirect_due(const struct transfer_exchange *x)
{
    if (x->job->kind == TRANSFER_LOGIN || !transfer_exchange_field(x, "Location")) return false;
    switch (x->response.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return true;
    default:
        return false;
    }
}

/* 303 asks for GET; after 301 and 302 every client turns POST into GET. */
static void redirect_method(struct transfer_job *job, int32_t code)
{
    bool post = strcmp(job->method, "POST") == 0;

    if (strcmp(job->method, "HEAD") == 0 || code == 307 || code == 308) return;
    if (code != 303 && !post) return;
    job->method = "GET";
    job->send_body = false;
}

int transfer_redirect_follow(struct transfer_exchange *x)
{
    struct transfer_job *job = x->job;
    int32_t code = x->response.status;
    char *url = NULL;
    int r;

    if (job->redirects == REDIRECTS_MAX)
        return transfer_outcome_say(job, TROLLEY_ERR_PROTOCOL, code, "more than %d redirects",
                                    REDIRECTS_MAX);
    r = transfer_url_resolve(job->url, transfer_exchange_field(x, "Location"), &url);
    if (r < 0) return transfer_outcome_say(job, r, code, "redirected to what is no HTTP address");
    if (strncasecmp(job->url, "https:", 6) == 0 && strncasecmp(url, "https:", 6) != 0) {
        free(url);
        return transfer_outcome_say(job, TROLLEY_ERR_PROTOCOL, code,
                                    "redirected from https to http, which is not followed");
    }
    /* Who has left the origin stays a stranger, even when sent back to it. */
    if (!transfer_url_same_origin(job->url, url)) job->kind = TRANSFER_FOREIGN;
    redirect_method(job, code);
    free(job->url);
    job->url = url;
    job->redirects++;
    return 0;
}
