/*
 * multipart.h: splits a multipart body [RFC 2046 5.1.1; PS3.18 8.7.1] that comes in pieces of any
 * size. Memory is constant: data is handed on from the caller's pieces, in runs as long as they
 * come; at most one delimiter and one header block (64 KiB) are held back.
 *
 * A delimiter counts only at the start of a line that follows CRLF (or begins the body), and only
 * when CRLF, with or without white space before it, or `--` follows it. Everything else is data,
 * boundary-like bytes in pixel data too. SPDX-License-Identifier: MIT
 */
#ifndef KIT_MULTIPART_H
#define KIT_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KIT_MULTIPART_HEADER_CAP ((size_t)64 << 10) /* most bytes of one part's header block */
#define KIT_MULTIPART_BOUNDARY_MAX 200              /* the standard allows 70 */

struct kit_multipart;

/* Takes the parts. A negative return ends push or finish with that status. */
struct kit_multipart_handler {
    void *ctx;
    /* A part begins; its header fields are read with kit_multipart_header. */
    int (*part_begin)(void *ctx, const struct kit_multipart *multipart);
    /* Its next bytes, never 0. */
    int (*part_data)(void *ctx, const void *data, size_t length);
    /* It is whole. */
    int (*part_end)(void *ctx);
};

/*
 * @param boundary  as in Content-Type's parameter, without the leading "--"; copied
 * @param ret_multipart  free with kit_multipart_free
 * Errors: NOMEM; PROTOCOL for a boundary that is empty, too long, ends in white space or holds
 * control characters.
 */
int kit_multipart_new(const char *boundary, const struct kit_multipart_handler *handler,
                      struct kit_multipart **ret_multipart);
void kit_multipart_free(struct kit_multipart *multipart);

/* The next bytes of the body. Errors: what a callback returned; TOO_LARGE (header block); PROTOCOL
 * (malformed header line); NOMEM. After an error the splitter takes no more. */
int kit_multipart_push(struct kit_multipart *multipart, const void *data, size_t length);

/*
 * The body has ended. TRUNCATED when the closing delimiter has not come: the part that is open is
 * broken, unless its own Content-Length proves it whole; then part_end is called for it before.
 * Whether a part is open afterwards the caller knows from its callbacks.
 */
int kit_multipart_finish(struct kit_multipart *multipart);

/* A header field of the part that is open, name without case; NULL when absent. Valid until its
 * part_end. */
const char *kit_multipart_header(const struct kit_multipart *multipart, const char *name);

/* The open part's Content-Length, -1 when absent or malformed. */
int64_t kit_multipart_length(const struct kit_multipart *multipart);

/* Parts that have begun so far. */
uint64_t kit_multipart_parts(const struct kit_multipart *multipart);

/* Has the closing delimiter come? */
bool kit_multipart_closed(const struct kit_multipart *multipart);

#ifdef __cplusplus
}
#endif
#endif
