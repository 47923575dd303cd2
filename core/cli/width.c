/* SPDX-License-Identifier: MIT */
#include "core/cli/width.h"

#include <stdbool.h>
#include <string.h>

static bool width_within(const struct width_range *ranges, size_t count, uint32_t code)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (code > ranges[middle].last)
            low = middle + 1;
        else if (code < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

unsigned width_of(uint32_t code)
{
    if (code < 0x300) return 1; /* no line of text has controls */
    if (width_within(width_zero, width_zero_count, code)) return 0;
    return width_within(width_wide, width_wide_count, code) ? 2 : 1;
}

size_t width_character(const char *text, size_t *ret_columns)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0xc2 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 1;
    uint32_t code = at[0];
    size_t i;

    *ret_columns = 1;
    if (length == 1) return 1;
    code &= (unsigned char)~marks[length];
    for (i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 1;
        code = code << 6 | (at[i] & 0x3fU);
    }
    *ret_columns = width_of(code);
    return length;
}

size_t width_text(const char *text)
{
    size_t columns = 0, width;

    while (*text) {
        text += width_character(text, &width);
        columns += width;
    }
    return columns;
}
