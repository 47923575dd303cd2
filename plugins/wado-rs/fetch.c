/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <kit/buffer.h>
#include <kit/failure_tap.h>
#include <kit/url.h>
#include <trolley/helpers.h>

#include "answer.h"

/* Accept values in the order they are tried [PS3.18 8.7.3.5, 10.4.4]; the first is the section's.
 */
#define WADO_ACCEPTS 4

static const char *wado_accept(const struct wado *wado, unsigned i)
{
    static const char *const fallbacks[WADO_ACCEPTS - 1] = {
        "multipart/related; type=\"application/dicom\"",
        "application/dicom",
        "*/*",
    };

    return i == 0 ? wado->accept : fallbacks[i - 1];
}

static int32_t wado_get(const struct wado *wado, const char *url, const char *accept,
                        const struct trolley_http_handler *handler, struct trolley_task *task)
{
    const struct trolley_http_header headers[] = {{"Accept", accept}};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .url = url,
        .headers = TROLLEY_SPAN(headers),
    };

    return wado->http->request(wado->session, &request, handler, task);
}

static int wado_url(const struct wado *wado, const struct trolley_ref *ref, struct kit_buffer *url)
{
    struct kit_buffer path = {0};
    int r = kit_buffer_printf(&path, "/studies/%s", ref->study);

    if (r == 0 && ref->level >= TROLLEY_LEVEL_SERIES)
        r = kit_buffer_printf(&path, "/series/%s", ref->series);
    if (r == 0 && ref->level >= TROLLEY_LEVEL_INSTANCE)
        r = kit_buffer_printf(&path, "/instances/%s", ref->instance);
    if (r == 0) r = kit_url_join(url, wado->url, path.data);
    kit_buffer_free(&path);
    return r;
}

/* The server does not like the Accept value: another may do. */
static bool wado_refused(const struct answer *answer)
{
    return answer->items == 0 &&
           (answer->status == 400 || answer->status == 406 || answer->status == 415);
}

/* Asks for one reference, with one Accept value after the other until one is taken. */
static int32_t wado_retrieve(struct wado *wado, const char *url, const struct trolley_ref *ref,
                             const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap,
                             int32_t *ret_code)
{
    unsigned i = atomic_load(&wado->shared->accept);
    struct answer answer;
    int32_t r;

    for (;; i++) {
        struct trolley_http_handler handler = answer_handler(&answer);

        answer_init(&answer, url, ref, sink, tap);
        r = wado_get(wado, url, wado_accept(wado, i), &handler, &tap->task);
        r = answer_finish(&answer, r);
        if (r == 0 || !wado_refused(&answer) || i + 1 == WADO_ACCEPTS) break;
    }
    *ret_code = answer.status;
    if (r == 0) atomic_store(&wado->shared->accept, i);
    return r;
}

/* Is the failure this reference's alone? A complete answer says so, or a complete one without an
 * instance; a broken connection concerns the call. */
static bool wado_failure_is_refs(int32_t status, int32_t code)
{
    if (status == TROLLEY_ERR_CANCELLED || status == TROLLEY_ERR_NOMEM) return false;
    return code >= 400 || status == TROLLEY_ERR_NOT_FOUND || status == TROLLEY_ERR_UNSUPPORTED;
}

static int32_t wado_fetch_ref(struct wado *wado, const struct trolley_ref *ref,
                              const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct kit_failure_tap tap;
    struct kit_buffer url = {0};
    int32_t code = 0, r;

    kit_failure_tap_init(&tap, task);
    r = ref->frame ? trolley_fail(&tap.task, TROLLEY_ERR_UNSUPPORTED, "wado-rs fetches no frames")
                   : wado_url(wado, ref, &url);
    if (r == 0) r = wado_retrieve(wado, url.data, ref, sink, &tap, &code);
    kit_buffer_free(&url);
    if (r == 0) return 0;
    if (wado_failure_is_refs(r, code)) {
        const struct trolley_failure *failure = kit_failure_tap_get(&tap, r);
        int32_t stop = sink->failed(sink->ctx, ref, failure);

        if (!(failure->flags & TROLLEY_FAILURE_STOP_ALL))
            return stop == TROLLEY_ERR_CANCELLED ? stop : 0;
    }
    return kit_failure_tap_pass(&tap, r);
}

int32_t wado_fetch(void *self, const struct trolley_span *refs,
                   const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    uint32_t i;
    int32_t r = 0;

    for (i = 0; r == 0 && i < refs->count; i++) {
        struct trolley_ref ref;

        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        r = trolley_read_open(&ref, sizeof ref, trolley_span_at(refs, i), sizeof ref);
        if (r == 0) r = wado_fetch_ref(self, &ref, sink, task);
    }
    return r;
}

/* ---- ping ---- */

static int32_t ping_head(void *ctx, const struct trolley_http_response *response)
{
    *(int32_t *)ctx = response->status;
    return 0;
}

int32_t wado_ping(void *self, struct trolley_task *task)
{
    struct wado *wado = self;
    struct kit_failure_tap tap;
    struct kit_buffer url = {0};
    int32_t code = 0;
    const struct trolley_http_handler handler = {&code, ping_head, NULL};
    int32_t r = kit_url_join(&url, wado->url, "/");

    kit_failure_tap_init(&tap, task);
    if (r == 0) r = wado_get(wado, url.data, "*/*", &handler, &tap.task);
    kit_buffer_free(&url);
    /* The base of a DICOMweb service is no resource: most servers say so with 404. */
    if (r < 0 && r != TROLLEY_ERR_AUTH && code >= 400 && code < 500 && code != 407) return 0;
    return r < 0 ? kit_failure_tap_pass(&tap, r) : 0;
}
