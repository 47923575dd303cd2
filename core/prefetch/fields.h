/* fields.h: the header fields that an exporter sends. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_FIELDS_H
#define CORE_PREFETCH_FIELDS_H

#include <trolley/http.h>

#include "core/prefetch/settings.h"

#define FIELDS_MAX 64

/* Zero-initialised. Values borrow from the settings and from `copies`. */
struct fields {
    struct trolley_http_header items[FIELDS_MAX];
    uint32_t count;
    char *copies;
};

/* Those of a request for one URL: Accept, Accept-Encoding, the exporter's `header` lines (what its
 * session sends is the session's affair), and, unless it is as a viewer asks, Cache-Control.
 * Errors: NOMEM. */
int fields_fill(struct fields *fields, const struct prefetch_exporter *exporter,
                const struct prefetch_url *url, bool as_viewer);
void fields_clear(struct fields *fields);

struct trolley_span fields_span(const struct fields *fields);

/* The value of a field of an answer; NULL when it has none. Borrowed. */
const char *fields_of(const struct trolley_http_response *response, const char *name);

#endif
