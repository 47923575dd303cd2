/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <kit/failure_tap.h>
#include <stdlib.h>
#include <trolley/helpers.h>

#include "answer.h"

static int32_t fetch_post(const struct rad69 *rad69, const char *body, size_t length,
                          const struct trolley_http_handler *handler, struct trolley_task *task)
{
    static const struct trolley_http_header headers[] = {
        {"Accept", "multipart/related; type=\"application/xop+xml\", application/soap+xml"},
        {"Content-Type", RAD69_CONTENT_TYPE},
    };
    const struct trolley_http_request request = {
        .size = sizeof request,
        .flags = TROLLEY_HTTP_ERROR_BODY,
        .method = "POST",
        .url = rad69->settings.url,
        .headers = TROLLEY_SPAN(headers),
        .body = body,
        .body_length = length,
    };

    return rad69->http->request(rad69->session, &request, handler, task);
}

/* Does the failure concern the call as a whole, and not this request's instances alone? A complete
 * answer, whatever it says, is theirs. */
static bool fetch_broke_off(const struct answer *answer, const struct trolley_failure *failure)
{
    switch (failure->status) {
    case TROLLEY_ERR_CANCELLED:
    case TROLLEY_ERR_NOMEM:
    case TROLLEY_ERR_NETWORK:
    case TROLLEY_ERR_TIMEOUT:
    case TROLLEY_ERR_TRUNCATED:
        return true;
    default:
        return answer->http == 0 || (failure->flags & TROLLEY_FAILURE_STOP_ALL);
    }
}

/* Tells what did not come and why. `status`: how the request ended. */
static int32_t fetch_conclude(struct rad69 *rad69, struct answer *answer, int32_t status,
                              struct kit_failure_tap *tap)
{
    const struct verdict verdict = {
        .url = rad69->settings.url,
        .refs = answer->refs,
        .ignore = &rad69->ignore,
        .sink = answer->sink,
        .task = tap->outer,
        .http = answer->http,
    };
    const struct trolley_failure *failure = status < 0 ? kit_failure_tap_get(tap, status) : NULL;

    if (status == TROLLEY_ERR_CANCELLED) return kit_failure_tap_pass(tap, status);
    if (failure && fetch_broke_off(answer, failure)) {
        if (answer->root.complete) (void)verdict_tell(&verdict, &answer->root, false);
        return kit_failure_tap_pass(tap, status);
    }
    if (failure && !verdict_says(&answer->root)) return verdict_all(&verdict, failure);
    return verdict_tell(&verdict, &answer->root, true);
}

/* One request and its answer. */
static int32_t fetch_refs(struct rad69 *rad69, const struct refs *refs,
                          const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct kit_failure_tap tap;
    struct answer answer;
    struct trolley_http_handler handler;
    char *body = NULL;
    size_t length = 0;
    int32_t r;

    kit_failure_tap_init(&tap, task);
    r = answer_init(&answer, rad69->settings.url, refs, sink, &tap.task);
    if (r < 0) return r;
    handler = answer_handler(&answer);
    r = request_make(&rad69->settings, refs, &body, &length);
    if (r == 0) {
        r = fetch_post(rad69, body, length, &handler, &tap.task);
        r = answer_finish(&answer, r, &tap);
    }
    request_free(body);
    r = fetch_conclude(rad69, &answer, r, &tap);
    answer_clear(&answer);
    return r;
}

int32_t rad69_fetch(void *self, const struct trolley_span *span,
                    const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct rad69 *rad69 = self;
    struct trolley_ref *items = NULL;
    struct refs rest;
    int32_t r = refs_copy(span, &items);

    if (r < 0)
        return trolley_fail(task, r, "rad69 fetches whole instances, and nothing else is asked");
    for (rest = (struct refs){items, span->count}; r == 0 && rest.count;) {
        struct refs part = rest;

        if (task->cancelled(task)) {
            r = TROLLEY_ERR_CANCELLED;
            break;
        }
        if (rad69->request_per_series) part.count = refs_in_series(&rest);
        r = fetch_refs(rad69, &part, sink, task);
        rest.items += part.count;
        rest.count -= part.count;
    }
    free(items);
    return r;
}

/* ---- ping ---- */

static int32_t ping_head(void *ctx, const struct trolley_http_response *response)
{
    *(int32_t *)ctx = response->status;
    return 0;
}

int32_t rad69_ping(void *self, struct trolley_task *task)
{
    static const struct trolley_http_header headers[] = {{"Accept", "*/*"}};
    struct rad69 *rad69 = self;
    struct kit_failure_tap tap;
    int32_t code = 0, r;
    const struct trolley_http_handler handler = {&code, ping_head, NULL};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .url = rad69->settings.url,
        .headers = TROLLEY_SPAN(headers),
    };

    kit_failure_tap_init(&tap, task);
    r = rad69->http->request(rad69->session, &request, &handler, &tap.task);
    if (r == 0) return 0;
    /* A SOAP endpoint refuses GET as it likes: 400, 404, 405, or 500 with a fault. */
    if (r != TROLLEY_ERR_AUTH && code >= 400 && code <= 500 && code != 407 && code != 429) return 0;
    return kit_failure_tap_pass(&tap, r);
}
