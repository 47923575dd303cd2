/* request.h: a QIDO-RS request as a URL [PS3.18 8.3.4, 10.6.1]. SPDX-License-Identifier: MIT */
#ifndef QIDO_RS_REQUEST_H
#define QIDO_RS_REQUEST_H

#include <kit/buffer.h>
#include <kit/dicom_json.h>
#include <stdbool.h>
#include <trolley/query.h>

enum request_include { REQUEST_INCLUDE_REPEAT, REQUEST_INCLUDE_COMMA, REQUEST_INCLUDE_ALL };

/* How the section wants requests. */
struct request_style {
    const char *url; /* base of the service */
    enum request_include include;
    int fuzzymatching; /* -1: not said */
};

/* One resource of the six, and what of the query it is asked. Borrows all. */
struct request {
    const struct request_style *style;
    const struct trolley_query *query;
    const uint32_t *choice; /* for each key: which of its values; REQUEST_LIST for all as a list */
    uint32_t level;         /* of the objects in the answer */
    const char *study;      /* UIDs in the path, NULL for none */
    const char *series;     /* only with study */
    bool step;              /* a step of a walk: only keys and include fields of its own level */
    bool loose;             /* see request_loosens */
};
#define REQUEST_LIST UINT32_MAX

/* @param limit  0: not said. @param offset  0: not said. Errors: NOMEM, TOO_LARGE. */
int request_url(const struct request *request, uint64_t limit, uint64_t offset,
                struct kit_buffer *out);

/*
 * Servers that do not decode percent-encoding find nothing for values that need it. Has the request
 * a key with such a value that may be asked with wildcards in place of those characters? Then its
 * copy with `loose` set asks so, and for the attributes of those keys, as its answers must be
 * matched again.
 */
bool request_loosens(const struct request *request);

/* Does an answer to a loose request match what was really asked? */
bool request_matches(const struct request *request, const struct kit_dicom_json *object);

/* Appends "GET /studies/{}/series" for messages. */
int request_describe(const struct request *request, struct kit_buffer *out);

#endif
