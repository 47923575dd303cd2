/* SPDX-License-Identifier: MIT */
#include "fetch.h"

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

/* The server does not like the Accept value: another may do. A refused client certificate comes as
 * 400 as well. */
static bool wado_refused(const struct answer *answer, int32_t r)
{
    return answer->items == 0 && r != TROLLEY_ERR_AUTH &&
           (answer->status == 400 || answer->status == 406 || answer->status == 415);
}

int32_t wado_retrieve(struct service *service, const char *url, const struct trolley_ref *ref,
                      const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap,
                      int32_t *ret_code)
{
    struct wado *wado = (struct wado *)service;
    unsigned i = atomic_load(&wado->shared->accept);
    struct answer answer;
    int32_t r;

    for (;; i++) {
        struct trolley_http_handler handler = answer_handler(&answer);

        answer_init(&answer, url, ref, sink, tap);
        r = service_get(service, url, wado_accept(wado, i), 0, &handler, &tap->task);
        r = answer_finish(&answer, r);
        if (r == 0 || !wado_refused(&answer, r) || i + 1 == WADO_ACCEPTS) break;
    }
    *ret_code = answer.status;
    if (r == 0) atomic_store(&wado->shared->accept, i);
    return r;
}
