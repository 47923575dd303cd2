/* key.h: a query as text, so that equal questions have equal texts. SPDX-License-Identifier: MIT */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include <kit/buffer.h>
#include <stdbool.h>
#include <trolley/query.h>

/* Appends type, level, keys with their values and include fields; the order in which keys and
 * fields were given makes no difference. `widest`: UIDs of objects below this level are left out
 * (that of the query's own level or deeper: none is). Errors: NOMEM, TOO_LARGE. */
int key_text(struct kit_buffer *out, const struct trolley_query *query, uint32_t widest);

/* The value of the UID that names an object of `level`; NULL when the query has no such key, or has
 * several values or a wildcard there. */
const char *key_uid(const struct trolley_query *query, uint32_t level);

/* Does the query name one object by UIDs alone, the study's among them, and ask for no level above
 * that object's? Then an answer about a wider object holds this one's too. */
bool key_names_object(const struct trolley_query *query);

/* The tag of the UID of a level. */
uint32_t key_uid_tag(uint32_t level);

#endif
