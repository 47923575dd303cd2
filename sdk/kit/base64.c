/* SPDX-License-Identifier: MIT */
#include "base64.h"

#include <stdbool.h>

#include "trolley/types.h"

#define BASE64_PIECE 12288 /* bytes handed on at a time, at most */

enum { DIGIT_SPACE = 64, DIGIT_PADDING, DIGIT_NONE };

/* 0 to 63, or one of the above. */
static unsigned base64_digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
    if (c >= '0' && c <= '9') return c - '0' + 52u;
    if (c == '+') return 62;
    if (c == '/') return 63;
    if (c == '=') return DIGIT_PADDING;
    return c == ' ' || (c >= '\t' && c <= '\r') ? DIGIT_SPACE : DIGIT_NONE;
}

/* One character of a group; false when it cannot stand there. */
static bool base64_add(struct kit_base64 *base64, unsigned digit)
{
    if (digit == DIGIT_NONE) return false;
    if (digit == DIGIT_PADDING) {
        if (base64->count < 2) return false;
        base64->padding++;
        digit = 0;
    } else if (base64->padding) {
        return false;
    }
    base64->bits = base64->bits << 6 | digit;
    base64->count++;
    return true;
}

int kit_base64_push(struct kit_base64 *base64, const char *text, size_t length, kit_base64_fn take,
                    void *ctx)
{
    unsigned char out[BASE64_PIECE];
    size_t made = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned digit = base64_digit((unsigned char)text[i]);

        if (digit == DIGIT_SPACE) continue;
        if (!base64_add(base64, digit)) return TROLLEY_ERR_PROTOCOL;
        if (base64->count < 4) continue;
        for (uint32_t j = 0; j + base64->padding < 3; j++)
            out[made++] = (unsigned char)(base64->bits >> (16 - 8 * j));
        base64->bits = base64->count = 0;
        if (made + 3 > sizeof out) {
            int r = take(ctx, out, made);

            if (r < 0) return r;
            made = 0;
        }
    }
    return made ? take(ctx, out, made) : 0;
}

int kit_base64_finish(const struct kit_base64 *base64)
{
    return base64->count ? TROLLEY_ERR_TRUNCATED : 0;
}
