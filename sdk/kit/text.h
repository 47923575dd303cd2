/* text.h: UTF-8, escaping, words. SPDX-License-Identifier: MIT */
#ifndef KIT_TEXT_H
#define KIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

bool kit_text_utf8_valid(const char *text, size_t length);

/* Appends `text` as one line safe for a terminal: C0, C1 and DEL controls, bidi overrides and
 * invalid UTF-8 become \xNN (by byte). */
int kit_text_escape(struct kit_buffer *out, const char *text, size_t length);

/* Equal as INI keys are: without case, '-' and '_' alike. */
bool kit_text_key_equal(const char *a, const char *b);

/* The candidate nearest to `word` by restricted Damerau-Levenshtein distance without case, NULL
 * when none is near enough (a third of the word's length, at least 1). next(ctx, i) returns
 * candidate i or NULL past the end. */
const char *kit_text_nearest(const char *word, const char *(*next)(void *ctx, size_t i), void *ctx);

#ifdef __cplusplus
}
#endif
#endif
