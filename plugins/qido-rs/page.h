/* page.h: one QIDO-RS answer, one object at a time [PS3.18 10.6.3]. SPDX-License-Identifier: MIT */
#ifndef QIDO_RS_PAGE_H
#define QIDO_RS_PAGE_H

#include <kit/dicom_json.h>
#include <stdbool.h>
#include <trolley/http.h>

/* A door to the server. */
struct page_source {
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
    kit_dicom_json_vr_fn vr;
};

/* Takes an object; it is the receiver's to free. `length` is that of its text. A non-zero return
 * ends the request. */
typedef int (*page_object_fn)(void *ctx, struct kit_dicom_json *object, size_t length);

struct page_result {
    int32_t code;     /* HTTP status, 0 when none came */
    uint64_t objects; /* that came */
    bool more;        /* the server says that there is more: 206 or Warning 299 */
};

/*
 * Asks for `url` and hands on every object of the answer. 204, an empty body and [] are no objects.
 * Errors: those of the HTTP service; PROTOCOL for an answer that is no DICOM JSON; what the
 * receiver returned.
 * @param ret_result  set whatever is returned
 */
int page_get(const struct page_source *source, const char *url, page_object_fn object, void *ctx,
             struct trolley_task *task, struct page_result *ret_result);

#endif
