/*
 * The multipart splitter on any bytes: whole and in pieces it must find the same parts. The first
 * byte sets the pieces' size. SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <kit/multipart.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What came of a body. */
struct parts {
    uint64_t sum, bytes, headers; /* sums of data and of header values in order */
    unsigned begun, ended;
    int open;
    int pushed, finished; /* statuses */
};

static uint64_t sum_add(uint64_t sum, const void *data, size_t length)
{
    const unsigned char *at = data;

    while (length--)
        sum = sum * 1099511628211u + *at++ + 1;
    return sum;
}

static int part_begin(void *ctx, const struct kit_multipart *multipart)
{
    struct parts *parts = ctx;
    const char *type = kit_multipart_header(multipart, "content-type");

    if (parts->open) abort();
    parts->open = 1;
    parts->begun++;
    if (kit_multipart_parts(multipart) != parts->begun) abort();
    parts->headers = sum_add(parts->headers, type ? type : "-", type ? strlen(type) : 1);
    parts->headers += (uint64_t)kit_multipart_length(multipart);
    return 0;
}

static int part_data(void *ctx, const void *data, size_t length)
{
    struct parts *parts = ctx;

    if (!parts->open || !length) abort();
    parts->sum = sum_add(parts->sum, data, length);
    parts->bytes += length;
    return 0;
}

static int part_end(void *ctx)
{
    struct parts *parts = ctx;

    if (!parts->open) abort();
    parts->open = 0;
    parts->ended++;
    parts->sum = sum_add(parts->sum, "|", 1);
    return 0;
}

static struct parts split(const uint8_t *data, size_t length, size_t piece)
{
    struct parts parts = {0};
    const struct kit_multipart_handler handler = {&parts, part_begin, part_data, part_end};
    struct kit_multipart *multipart;
    size_t at, take;

    if (kit_multipart_new("ab", &handler, &multipart) < 0) abort();
    for (at = 0; at < length && parts.pushed == 0; at += take) {
        take = length - at < piece ? length - at : piece;
        /* A copy of its own: reading past a piece must be seen. */
        uint8_t *copy = malloc(take);
        if (!copy) abort();
        memcpy(copy, data + at, take);
        parts.pushed = kit_multipart_push(multipart, copy, take);
        free(copy);
    }
    if (parts.pushed == 0) parts.finished = kit_multipart_finish(multipart);
    kit_multipart_free(multipart);
    return parts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct parts whole, pieces;

    if (length == 0) return 0;
    whole = split(data + 1, length - 1, length);
    pieces = split(data + 1, length - 1, (size_t)data[0] % 16 + 1);
    if (whole.pushed != pieces.pushed || whole.finished != pieces.finished) abort();
    if (whole.begun != pieces.begun || whole.ended != pieces.ended) abort();
    if (whole.headers != pieces.headers) abort();
    /* Of a body refused in the middle, pieces may have handed on more of the open part or less. */
    if (whole.pushed == 0 && (whole.sum != pieces.sum || whole.bytes != pieces.bytes)) abort();
    if (whole.bytes > length) abort();
    return 0;
}
