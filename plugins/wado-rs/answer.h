/* answer.h: one WADO-RS answer [PS3.18 10.4] on its way into the dataset sink.
 * SPDX-License-Identifier: MIT */
#ifndef WADO_RS_ANSWER_H
#define WADO_RS_ANSWER_H

#include <kit/excerpt.h>
#include <kit/failure_tap.h>
#include <kit/multipart.h>
#include <stdbool.h>
#include <trolley/downloader.h>
#include <trolley/http.h>

/* Borrows all it is given. */
struct answer {
    const char *url;
    const struct trolley_ref *ref;
    const struct trolley_dataset_sink *sink;
    struct kit_failure_tap *tap; /* where failures of the request go */
    struct trolley_task *task;   /* the tap's */
    int32_t status;              /* HTTP status, 0 before the head came */
    bool single;                 /* the body is one instance */
    bool odd;                    /* the body is none of ours: only its first line is looked at */
    struct kit_multipart *multipart;
    char type[128]; /* Content-Type of a single answer, or of parts that name none */
    struct kit_excerpt excerpt;
    void *item; /* the open item, NULL when there is none */
    uint64_t items, length;
};

void answer_init(struct answer *answer, const char *url, const struct trolley_ref *ref,
                 const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap);

/* The HTTP handler that feeds `answer`. */
struct trolley_http_handler answer_handler(struct answer *answer);

/*
 * The request has ended with `status`. Ends what is open: the last instance is whole only when the
 * answer is, or when its own length proves it. Frees all. Returns status, or what was found wrong
 * with a complete request, the reason in the tap: TRUNCATED without a closing delimiter, PROTOCOL
 * for an answer that is no DICOM, NOT_FOUND for one without an instance.
 */
int32_t answer_finish(struct answer *answer, int32_t status);

#endif
