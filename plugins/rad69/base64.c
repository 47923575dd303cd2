/* SPDX-License-Identifier: MIT */
#include "base64.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

#define BASE64_PIECE 16384 /* characters at a time */

struct base64 {
    EVP_ENCODE_CTX *decoder;
    base64_fn take;
    void *ctx;
    bool padded; /* only padding and white space may follow */
    unsigned char out[BASE64_PIECE];
};

int base64_new(base64_fn take, void *ctx, struct base64 **ret_base64)
{
    struct base64 *base64 = calloc(1, sizeof *base64);

    if (!base64) return TROLLEY_ERR_NOMEM;
    base64->decoder = EVP_ENCODE_CTX_new();
    if (!base64->decoder) {
        free(base64);
        return TROLLEY_ERR_NOMEM;
    }
    EVP_DecodeInit(base64->decoder);
    base64->take = take;
    base64->ctx = ctx;
    *ret_base64 = base64;
    return 0;
}

void base64_free(struct base64 *base64)
{
    if (!base64) return;
    EVP_ENCODE_CTX_free(base64->decoder);
    free(base64);
}

static int base64_feed(struct base64 *base64, const char *text, size_t length)
{
    int made = 0;

    /* The decoder takes '-' for the end of PEM data. */
    if (memchr(text, '-', length)) return TROLLEY_ERR_PROTOCOL;
    if (EVP_DecodeUpdate(base64->decoder, base64->out, &made, (const unsigned char *)text,
                         (int)length) < 0)
        return TROLLEY_ERR_PROTOCOL;
    return made > 0 ? base64->take(base64->ctx, base64->out, (size_t)made) : 0;
}

/* Behind the first '=' the decoder drops what it should refuse. */
static int base64_feed_padding(struct base64 *base64, const char *text, size_t length)
{
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < length; i++) {
        if (text[i] == '=')
            r = base64_feed(base64, text + i, 1);
        else if (!strchr(" \t\r\n", text[i]) || !text[i])
            r = TROLLEY_ERR_PROTOCOL;
    }
    return r;
}

int base64_push(struct base64 *base64, const char *text, size_t length)
{
    const char *padding = base64->padded ? text : memchr(text, '=', length);
    size_t plain = padding ? (size_t)(padding - text) : length;
    size_t at, take;
    int r = 0;

    for (at = 0; r == 0 && at < plain; at += take) {
        take = plain - at < BASE64_PIECE ? plain - at : BASE64_PIECE;
        r = base64_feed(base64, text + at, take);
    }
    if (r < 0 || !padding) return r;
    base64->padded = true;
    return base64_feed_padding(base64, padding, length - plain);
}

int base64_finish(struct base64 *base64)
{
    int made = 0;

    if (EVP_DecodeFinal(base64->decoder, base64->out, &made) < 0) return TROLLEY_ERR_TRUNCATED;
    return made > 0 ? base64->take(base64->ctx, base64->out, (size_t)made) : 0;
}
