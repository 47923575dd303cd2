/* fetch.h: what downloaders over HTTP have in common. SPDX-License-Identifier: MIT */
#ifndef KIT_FETCH_H
#define KIT_FETCH_H

#include "failure_tap.h"
#include "trolley/downloader.h"
#include "trolley/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fetches what one reference means. Failures go into the tap.
 * @param ret_code  HTTP status of the answer, untouched when none came
 */
typedef int32_t (*kit_fetch_ref_fn)(void *self, const struct trolley_ref *ref,
                                    const struct trolley_dataset_sink *sink,
                                    struct kit_failure_tap *tap, int32_t *ret_code);

/*
 * The operation `fetch` of a downloader that asks for one reference after the other. A failure that
 * concerns one reference alone (a complete answer of the server says so) is told to sink->failed;
 * any other ends the call.
 */
int32_t kit_fetch_refs(void *self, const struct trolley_span *refs,
                       const struct trolley_dataset_sink *sink, struct trolley_task *task,
                       kit_fetch_ref_fn fetch);

/* The operation `ping`: GET of `url`. Any answer will do that is neither a refused log-in nor a
 * server's failure: the base of a service is no resource, most servers say so with 404. */
int32_t kit_fetch_ping(const struct trolley_http_service *http,
                       struct trolley_http_session *session, const char *url,
                       struct trolley_task *task);

/*
 * The one item that a downloader has open: *item is the sink's handle, NULL while none is. All
 * three return 0 unless the operation must end (TROLLEY_ERR_CANCELLED); any other trouble is the
 * item's own, which is ended by it.
 */
int kit_fetch_end(const struct trolley_dataset_sink *sink, void **item,
                  const struct trolley_failure *failure);
int kit_fetch_break(const struct trolley_dataset_sink *sink, void **item, int32_t status,
                    const char *message);
int kit_fetch_write(const struct trolley_dataset_sink *sink, void **item, const void *data,
                    uint64_t length);

#ifdef __cplusplus
}
#endif
#endif
