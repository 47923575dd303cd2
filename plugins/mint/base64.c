/* SPDX-License-Identifier: MIT */
#include "base64.h"

#include <stdint.h>
#include <string.h>
#include <trolley/types.h>

int base64_decode(struct kit_buffer *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned count = 0, padding = 0;
    int r = 0;

    for (; *text && r == 0; text++) {
        const char *digit = strchr(digits, *text);

        if (strchr(" \t\r\n", *text)) continue;
        if (*text == '=') padding++;
        if ((!digit && *text != '=') || (digit && padding)) return TROLLEY_ERR_PROTOCOL;
        bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        if (++count % 4 == 0) {
            const char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};

            if (padding > 2) return TROLLEY_ERR_PROTOCOL;
            r = kit_buffer_append(out, bytes, 3 - padding);
            bits = 0;
        }
    }
    if (r == 0 && (count % 4 != 0 || padding > 2)) r = TROLLEY_ERR_PROTOCOL;
    return r;
}
