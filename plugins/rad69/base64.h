/* base64.h: base64 text [RFC 4648 4] as it comes, in pieces of any size. SPDX-License-Identifier:
 * MIT */
#ifndef RAD69_BASE64_H
#define RAD69_BASE64_H

#include <stddef.h>

struct base64;

/* Takes decoded bytes, never 0. A negative return ends push or finish with that status. */
typedef int (*base64_fn)(void *ctx, const void *data, size_t length);

/* @param ret_base64  free with base64_free. Errors: NOMEM. */
int base64_new(base64_fn take, void *ctx, struct base64 **ret_base64);
void base64_free(struct base64 *base64); /* NULL is a no-op */

/* The next characters; white space is skipped. Errors: PROTOCOL for what is no base64, or comes
 * behind its padding; what `take` returned. */
int base64_push(struct base64 *base64, const char *text, size_t length);

/* The text has ended. Errors: TRUNCATED within a group of four. */
int base64_finish(struct base64 *base64);

#endif
