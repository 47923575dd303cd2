/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdint.h>
#include <string.h>

/* Words longer than this have no nearest one: it bounds the work and keeps the rows on the stack.
 */
#define TEXT_WORD_MAX 96

/*
 * Reads one character [RFC 3629] and returns its length in bytes, 0 when the bytes are not UTF-8:
 * a stray or missing continuation byte, an overlong form, a surrogate, beyond U+10FFFF.
 */
static size_t text_decode(const unsigned char *text, size_t length, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code;
    size_t size, i;

    if (length == 0) return 0;
    if (text[0] < 0x80) {
        *ret_code = text[0];
        return 1;
    }
    if ((text[0] & 0xe0) == 0xc0)
        size = 2;
    else if ((text[0] & 0xf0) == 0xe0)
        size = 3;
    else if ((text[0] & 0xf8) == 0xf0)
        size = 4;
    else
        return 0;
    if (size > length) return 0;
    code = text[0] & (0x7fU >> size);
    for (i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    *ret_code = code;
    return size;
}

bool kit_text_utf8_valid(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t code;
    size_t size;

    for (; length; at += size, length -= size) {
        size = text_decode(at, length, &code);
        if (size == 0) return false;
    }
    return true;
}

/* Characters that steer a terminal, break a line, or reorder what is read (bidi controls). */
static bool text_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

int kit_text_escape(struct kit_buffer *out, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t start = out->length, size, i;
    uint32_t code = 0;
    int r = kit_buffer_append(out, "", 0);

    for (; r == 0 && length; at += size, length -= size) {
        size = text_decode(at, length, &code);
        if (size > 0 && !text_unsafe(code)) {
            r = kit_buffer_append(out, at, size);
            continue;
        }
        if (size == 0) size = 1;
        for (i = 0; r == 0 && i < size; i++)
            r = kit_buffer_printf(out, "\\x%02x", at[i]);
    }
    if (r < 0 && out->data) {
        out->length = start;
        out->data[start] = '\0';
    }
    return r;
}

/* ASCII alone: keys and keywords do not depend on the locale. */
static char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char text_fold(char c)
{
    return c == '-' ? '_' : text_lower(c);
}

bool kit_text_key_equal(const char *a, const char *b)
{
    while (*a && text_fold(*a) == text_fold(*b)) {
        a++;
        b++;
    }
    return text_fold(*a) == text_fold(*b);
}

static size_t text_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Restricted Damerau-Levenshtein distance: insertion, deletion, substitution, and the swap of two
 * neighbours cost 1 each. Both words are at most TEXT_WORD_MAX bytes long. */
static size_t text_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][TEXT_WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2], *free_row;
    size_t i, j;

    for (j = 0; j <= b_length; j++)
        above[j] = j;
    for (i = 1; i <= a_length; i++) {
        row[0] = i;
        for (j = 1; j <= b_length; j++) {
            char x = text_lower(a[i - 1]), y = text_lower(b[j - 1]);

            row[j] = text_min(text_min(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == text_lower(b[j - 2]) && y == text_lower(a[i - 2]))
                row[j] = text_min(row[j], before[j - 2] + 1);
        }
        free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_length];
}

const char *kit_text_nearest(const char *word, const char *(*next)(void *ctx, size_t i), void *ctx)
{
    const size_t length = strlen(word);
    const char *candidate, *best = NULL;
    size_t i, distance, limit = length < 6 ? 1 : length / 3;

    if (length == 0 || length > TEXT_WORD_MAX) return NULL;
    for (i = 0; (candidate = next(ctx, i)); i++) {
        size_t other = strlen(candidate);

        if (other > TEXT_WORD_MAX || other > length + limit || length > other + limit) continue;
        distance = text_distance(word, length, candidate, other);
        if (distance > limit || (best && distance == limit)) continue;
        best = candidate;
        limit = distance;
    }
    return best;
}
