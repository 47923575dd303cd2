/* answer.h: one answer of RAD-69 on its way into the dataset sink: an MTOM multipart message [SOAP
 * MTOM, XOP 1.0; RFC 2387] or a SOAP message alone. SPDX-License-Identifier: MIT */
#ifndef RAD69_ANSWER_H
#define RAD69_ANSWER_H

#include <kit/base64.h>
#include <kit/excerpt.h>
#include <kit/failure_tap.h>
#include <kit/multipart.h>
#include <stdbool.h>
#include <trolley/downloader.h>
#include <trolley/http.h>

#include "root.h"

enum answer_kind {
    ANSWER_NONE,      /* no head yet */
    ANSWER_MULTIPART, /* of parts */
    ANSWER_SOAP,      /* the body is the message */
    ANSWER_ODD        /* none of ours: only its first line is looked at */
};

/* What the open part is. */
enum answer_part { PART_NONE, PART_ROOT, PART_INSTANCE, PART_DROPPED };

/* Borrows all it is given. */
struct answer {
    const char *url;
    const struct refs *refs;
    const struct trolley_dataset_sink *sink;
    struct trolley_task *task;
    int32_t http; /* status, 0 before the head came */
    enum answer_kind kind;
    char type[128]; /* Content-Type */
    char start[CID_MAX];
    struct kit_multipart *multipart;
    enum answer_part part;
    struct root root;
    void *item;   /* the open item, NULL when there is none */
    bool encoded; /* it comes as base64 */
    struct kit_base64 base64;
    bool inside; /* within a document that stands in the message */
    uint64_t items;
    struct kit_excerpt excerpt;
};

/* Errors: NOMEM. Clear it in any case. */
int answer_init(struct answer *answer, const char *url, const struct refs *refs,
                const struct trolley_dataset_sink *sink, struct trolley_task *task);
void answer_clear(struct answer *answer);

/* The HTTP handler that feeds `answer`. */
struct trolley_http_handler answer_handler(struct answer *answer);

/*
 * The request has ended with `status`, the reason in the tap. Ends what is open: the last instance
 * is whole only when the answer is, or when its own length proves it. Returns status, or what was
 * found wrong with a complete answer: TRUNCATED without a closing delimiter, PROTOCOL for one that
 * is neither SOAP nor multipart or whose message says nothing.
 */
int32_t answer_finish(struct answer *answer, int32_t status, const struct kit_failure_tap *tap);

#endif
