/* answer.h: one WADO-URI answer on its way into the dataset sink. SPDX-License-Identifier: MIT */
#ifndef WADO_URI_ANSWER_H
#define WADO_URI_ANSWER_H

#include <kit/excerpt.h>
#include <kit/failure_tap.h>
#include <stdbool.h>
#include <trolley/downloader.h>
#include <trolley/http.h>

/* Borrows all it is given. */
struct answer {
    const char *url;
    const struct trolley_ref *ref;
    const struct trolley_meta *delivers; /* media type, variant and frame of the item */
    const struct trolley_dataset_sink *sink;
    struct kit_failure_tap *tap; /* where failures go */
    int32_t status;              /* HTTP status, 0 before the head came */
    bool odd;                    /* the body is not what was asked for */
    bool begun;                  /* an item was begun, refused or not */
    char head[4];                /* of an image, until it is complete */
    size_t head_length;
    char type[128];  /* Content-Type as sent */
    uint64_t length; /* announced, 0 when not */
    struct kit_excerpt excerpt;
    void *item; /* the open item, NULL when there is none */
};

/* The HTTP handler that feeds `answer`. */
struct trolley_http_handler answer_handler(struct answer *answer);

/*
 * The request has ended with `status`. Ends the item. Returns status, or what was found wrong with
 * a complete request, the reason in the tap: PROTOCOL for an answer that is something else,
 * NOT_FOUND for an empty one.
 */
int32_t answer_finish(struct answer *answer, int32_t status);

#endif
