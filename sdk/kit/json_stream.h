/*
 * json_stream.h: takes a JSON array of objects (or one object alone) in pieces of any size and
 * hands on the text of one object at a time, so that memory does not grow with their number.
 *
 * What cJSON lets pass is refused here: invalid UTF-8, \u0000, raw control characters in strings,
 * deep nesting. What it would round is kept: each number becomes a string that begins with
 * KIT_JSON_NUMBER_MARK, a byte that no UTF-8 text holds. SPDX-License-Identifier: MIT
 */
#ifndef KIT_JSON_STREAM_H
#define KIT_JSON_STREAM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KIT_JSON_OBJECT_CAP ((size_t)16 << 20) /* most bytes of one object */
#define KIT_JSON_OBJECT_DEPTH 64               /* most nested objects and arrays within one */
#define KIT_JSON_OBJECT_VALUES (1u << 20)      /* most values, what bounds the parser's memory */
#define KIT_JSON_NUMBER_MARK '\xff'

struct kit_json_stream;

/* One object: JSON text with marked numbers, NUL-terminated, borrowed for the call. Its grammar is
 * not checked yet. A negative return ends push with that status. */
typedef int (*kit_json_object_fn)(void *ctx, const char *text, size_t length);

/* @param ret_stream  free with kit_json_stream_free. Errors: NOMEM. */
int kit_json_stream_new(kit_json_object_fn object, void *ctx, struct kit_json_stream **ret_stream);
void kit_json_stream_free(struct kit_json_stream *stream);

/* The next bytes. Errors: PROTOCOL, TOO_LARGE, NOMEM, or what the callback returned; after an error
 * the stream takes no more. */
int kit_json_stream_push(struct kit_json_stream *stream, const void *data, size_t length);

/* The text has ended. Nothing at all is an empty array. Errors: TRUNCATED. */
int kit_json_stream_finish(struct kit_json_stream *stream);

/* What was wrong, in words; NULL when it was the callback or memory. Static text. */
const char *kit_json_stream_problem(const struct kit_json_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
