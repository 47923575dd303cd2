/* request.h: MINT's requests as URLs. SPDX-License-Identifier: MIT */
#ifndef MINT_REQUEST_H
#define MINT_REQUEST_H

#include <kit/buffer.h>
#include <stdbool.h>
#include <trolley/query.h>

#include "names.h"

/* How the section wants requests. */
struct request_style {
    const char *url; /* root of the service */
    enum mint_dialect dialect;
    struct mint_names names;
    bool send_dates; /* reference dialect: the study dates go along */
};

/* One search. Borrows all. */
struct request {
    const struct request_style *style;
    const struct trolley_query *query;
    const uint32_t *choice; /* for each key: which of its values */
    uint64_t limit;         /* 0: not said */
    uint64_t offset;        /* 0: not said */
};

/* Whether a key goes along as a parameter. */
bool request_sends(const struct request_style *style, const struct trolley_query_key *key);

/* Whether the query asks for that include field. */
bool request_includes(const struct trolley_query *query, const char *keyword);

/* Both append. Errors: NOMEM, TOO_LARGE. */
int request_search(const struct request *request, struct kit_buffer *out);
/* The second request for a study: its summary or metadata. */
int request_study(const struct request_style *style, const char *uuid, const char *document,
                  struct kit_buffer *out);

/* Can this UUID stand in a path? Empty ones, dots alone and slashes cannot. */
bool request_uuid_is_safe(const char *uuid);

#endif
