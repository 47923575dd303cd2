/* url.h: making URLs [RFC 3986]. SPDX-License-Identifier: MIT */
#ifndef KIT_URL_H
#define KIT_URL_H

#include <stdbool.h>

#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All return 0 or what kit_buffer_append returns. */

/* Appends `text` percent-encoded byte by byte but for unreserved characters and those in `keep`. */
int kit_url_encode(struct kit_buffer *out, const char *text, const char *keep);

/* Begins a URL: `base` without its trailing slashes and fragment, then `path` (which begins with a
 * slash and is encoded already), then the query that base brought along. */
int kit_url_join(struct kit_buffer *out, const char *base, const char *path);

/* Adds name=value to the query of the URL in `out`, both percent-encoded. What a query may hold as
 * it is and servers expect so stays: `/` `:` `@` `,` `*` `?`. */
int kit_url_query(struct kit_buffer *out, const char *name, const char *value);

/* Does this byte stay as it is in the query? */
bool kit_url_query_keeps(char c);

#ifdef __cplusplus
}
#endif
#endif
