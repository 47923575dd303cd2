/* json.h: writing JSON text [RFC 8259]. SPDX-License-Identifier: MIT */
#ifndef KIT_JSON_H
#define KIT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends text as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. NULL becomes null.
 */
int kit_json_string(struct kit_buffer *out, const char *text);
int kit_json_string_n(struct kit_buffer *out, const char *text, size_t length);

/*
 * Writes objects and arrays with the commas in the right places:
 *     struct kit_json json = {.out = &buffer};
 *     kit_json_open(&json, NULL, '{'); kit_json_text(&json, "study", uid); kit_json_close(&json);
 * `key` is NULL within arrays and at the top. The first error sticks in json.status and makes all
 * else a no-op.
 */
#define KIT_JSON_DEPTH 32
struct kit_json {
    struct kit_buffer *out;
    int status;
    uint32_t depth;
    char closers[KIT_JSON_DEPTH];
    bool filled[KIT_JSON_DEPTH + 1];
};
void kit_json_open(struct kit_json *json, const char *key, char bracket); /* '{' or '[' */
void kit_json_close(struct kit_json *json);
void kit_json_text(struct kit_json *json, const char *key, const char *text);
void kit_json_uint(struct kit_json *json, const char *key, uint64_t number);
void kit_json_bool(struct kit_json *json, const char *key, bool yes);
void kit_json_raw(struct kit_json *json, const char *key,
                  const char *text); /* text is JSON already */

#ifdef __cplusplus
}
#endif
#endif
