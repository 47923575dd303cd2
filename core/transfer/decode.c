/*
 * Content codings gzip and deflate [RFC 9110 8.4.1]. Done here and not by curl, which takes a
 * coded stream that ends early for a whole one. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

#include "core/transfer/session.h"

#define DECODE_PIECE ((size_t)64 << 10)

struct transfer_decoder {
    z_stream stream;
    bool any;   /* input has come */
    bool ended; /* and stands at the end of a coded stream */
    bool raw;   /* deflate without the zlib frame that it ought to have */
    bool gzip;
    unsigned char piece[DECODE_PIECE];
};

int transfer_decoder_new(const char *coding, struct transfer_decoder **ret_decoder)
{
    struct transfer_decoder *decoder;
    bool gzip = strcasecmp(coding, "gzip") == 0 || strcasecmp(coding, "x-gzip") == 0;

    if (!*coding || strcasecmp(coding, "identity") == 0) {
        *ret_decoder = NULL;
        return 0;
    }
    if (!gzip && strcasecmp(coding, "deflate") != 0) return TROLLEY_ERR_PROTOCOL;
    decoder = calloc(1, sizeof *decoder);
    if (!decoder) return TROLLEY_ERR_NOMEM;
    decoder->gzip = gzip;
    if (inflateInit2(&decoder->stream, gzip ? MAX_WBITS + 16 : MAX_WBITS) != Z_OK) {
        free(decoder);
        return TROLLEY_ERR_NOMEM;
    }
    *ret_decoder = decoder;
    return 0;
}

void transfer_decoder_free(struct transfer_decoder *decoder)
{
    if (!decoder) return;
    (void)inflateEnd(&decoder->stream);
    free(decoder);
}

/* A new member of a gzip file begins, or the zlib frame turns out to be missing. */
static bool decode_restart(struct transfer_decoder *decoder, int result)
{
    z_stream *stream = &decoder->stream;

    if (decoder->ended && decoder->gzip) {
        decoder->ended = false;
        return inflateReset(stream) == Z_OK;
    }
    if (result != Z_DATA_ERROR || decoder->gzip || decoder->raw || stream->total_out) return false;
    decoder->raw = true;
    return inflateReset2(stream, -MAX_WBITS) == Z_OK;
}

int transfer_decode(struct transfer_decoder *decoder, const char *data, size_t length,
                    int (*take)(void *ctx, const char *data, size_t length), void *ctx)
{
    z_stream *stream = &decoder->stream;
    Bytef *start = (Bytef *)(uintptr_t)data; /* zlib does not write there */
    bool first = !decoder->any;
    int r = 0, result;

    stream->next_in = start;
    stream->avail_in = (uInt)length;
    decoder->any = true;
    do {
        if (decoder->ended && !decode_restart(decoder, Z_OK)) return TROLLEY_ERR_PROTOCOL;
        stream->next_out = decoder->piece;
        stream->avail_out = DECODE_PIECE;
        result = inflate(stream, Z_NO_FLUSH);
        if (result == Z_DATA_ERROR && first && decode_restart(decoder, result)) {
            stream->next_in = start;
            stream->avail_in = (uInt)length;
            continue;
        }
        if (result == Z_BUF_ERROR) return 0; /* wants more input */
        if (result != Z_OK && result != Z_STREAM_END) return TROLLEY_ERR_PROTOCOL;
        decoder->ended = result == Z_STREAM_END;
        if (stream->avail_out < DECODE_PIECE)
            r = take(ctx, (const char *)decoder->piece, DECODE_PIECE - stream->avail_out);
    } while (r == 0 && (stream->avail_in || !stream->avail_out));
    return r;
}

bool transfer_decoder_whole(const struct transfer_decoder *decoder)
{
    return !decoder || !decoder->any || decoder->ended;
}
