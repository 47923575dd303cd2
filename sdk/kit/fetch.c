/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <stdbool.h>
#include <trolley/helpers.h>

/* Is the failure this reference's alone? A complete answer says so, or a complete one without what
 * was asked for; a broken connection concerns the call. */
static bool fetch_failure_is_refs(int32_t status, int32_t code)
{
    if (status == TROLLEY_ERR_CANCELLED || status == TROLLEY_ERR_NOMEM) return false;
    return code >= 400 || status == TROLLEY_ERR_NOT_FOUND || status == TROLLEY_ERR_UNSUPPORTED;
}

static int32_t fetch_ref(void *self, const struct trolley_ref *ref,
                         const struct trolley_dataset_sink *sink, struct trolley_task *task,
                         kit_fetch_ref_fn fetch)
{
    struct kit_failure_tap tap;
    int32_t code = 0, r;

    kit_failure_tap_init(&tap, task);
    r = fetch(self, ref, sink, &tap, &code);
    if (r == 0) return 0;
    if (fetch_failure_is_refs(r, code)) {
        const struct trolley_failure *failure = kit_failure_tap_get(&tap, r);
        int32_t stop = sink->failed(sink->ctx, ref, failure);

        if (!(failure->flags & TROLLEY_FAILURE_STOP_ALL))
            return stop == TROLLEY_ERR_CANCELLED ? stop : 0;
    }
    return kit_failure_tap_pass(&tap, r);
}

int32_t kit_fetch_refs(void *self, const struct trolley_span *refs,
                       const struct trolley_dataset_sink *sink, struct trolley_task *task,
                       kit_fetch_ref_fn fetch)
{
    uint32_t i;
    int32_t r = 0;

    for (i = 0; r == 0 && i < refs->count; i++) {
        struct trolley_ref ref;

        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        r = trolley_read_open(&ref, sizeof ref, trolley_span_at(refs, i), sizeof ref);
        if (r == 0) r = fetch_ref(self, &ref, sink, task, fetch);
    }
    return r;
}

/* ---- ping ---- */

static int32_t ping_head(void *ctx, const struct trolley_http_response *response)
{
    *(int32_t *)ctx = response->status;
    return 0;
}

int32_t kit_fetch_ping(const struct trolley_http_service *http,
                       struct trolley_http_session *session, const char *url,
                       struct trolley_task *task)
{
    static const struct trolley_http_header headers[] = {{"Accept", "*/*"}};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .url = url,
        .headers = TROLLEY_SPAN(headers),
    };
    struct kit_failure_tap tap;
    int32_t code = 0;
    const struct trolley_http_handler handler = {&code, ping_head, NULL};
    int32_t r;

    kit_failure_tap_init(&tap, task);
    r = http->request(session, &request, &handler, &tap.task);
    if (r < 0 && r != TROLLEY_ERR_AUTH && code >= 400 && code < 500 && code != 407) return 0;
    return r < 0 ? kit_failure_tap_pass(&tap, r) : 0;
}

int kit_fetch_end(const struct trolley_dataset_sink *sink, void **item,
                  const struct trolley_failure *failure)
{
    void *open = *item;
    int32_t r;

    if (!open) return 0;
    *item = NULL;
    r = sink->end(open, failure);
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

int kit_fetch_break(const struct trolley_dataset_sink *sink, void **item, int32_t status,
                    const char *message)
{
    struct trolley_failure failure = {
        .size = sizeof failure,
        .status = status,
        .flags = trolley_status_flags(status),
        .message = message,
    };
    int r = kit_fetch_end(sink, item, &failure);

    return status == TROLLEY_ERR_CANCELLED ? status : r;
}

int kit_fetch_write(const struct trolley_dataset_sink *sink, void **item, const void *data,
                    uint64_t length)
{
    int32_t r = *item ? sink->write(*item, data, length) : 0;

    return r < 0 ? kit_fetch_break(sink, item, r, "the instance could not be taken") : 0;
}
