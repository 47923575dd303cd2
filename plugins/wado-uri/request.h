/* request.h: WADO-URI requests [PS3.18 9]. SPDX-License-Identifier: MIT */
#ifndef WADO_URI_REQUEST_H
#define WADO_URI_REQUEST_H

#include <kit/buffer.h>
#include <stdbool.h>
#include <trolley/host.h>

/* What the section asks of every instance. Texts are NULL, numbers 0 where it says nothing. */
struct request {
    const char *url;             /* of the service */
    const char *content_type;    /* "application/dicom", "image/jpeg", "image/png" */
    const char *transfer_syntax; /* UID */
    const char *window_center, *window_width;
    const char *region; /* "xmin,ymin,xmax,ymax" */
    int64_t frame, rows, columns, image_quality;
    bool rendered; /* content_type is an image's */
    bool anonymize;
};

/* Reads the section and checks what goes together [PS3.18 9.1.2]. Texts are borrowed from `config`.
 * Errors: INVALID_CONFIG, with the reason. */
int request_configure(struct request *request, const struct trolley_config *config,
                      struct trolley_task *task);

/* The URL of one instance. Errors: NOMEM, TOO_LARGE. */
int request_url(const struct request *request, const struct trolley_ref *ref,
                struct kit_buffer *out);

#endif
