/* base64.h: base64 text [RFC 4648 4] as it comes, in pieces of any size.
 * SPDX-License-Identifier: MIT */
#ifndef KIT_BASE64_H
#define KIT_BASE64_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes decoded bytes, never 0. A negative return ends push with that status. */
typedef int (*kit_base64_fn)(void *ctx, const void *data, size_t length);

/* What is left of the pieces before. All zero is the beginning of a text. */
struct kit_base64 {
    uint32_t bits;    /* of the group of four that is open */
    uint32_t count;   /* its characters, padding with them */
    uint32_t padding; /* '=' so far; only white space may follow the last */
};

/* The next characters; white space is skipped. Errors: PROTOCOL for what is no base64, or comes
 * behind its padding; what `take` returned. After an error the text is lost. */
int kit_base64_push(struct kit_base64 *base64, const char *text, size_t length, kit_base64_fn take,
                    void *ctx);

/* The text has ended. Errors: TRUNCATED within a group of four. */
int kit_base64_finish(const struct kit_base64 *base64);

#ifdef __cplusplus
}
#endif
#endif
