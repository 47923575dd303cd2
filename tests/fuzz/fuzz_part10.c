/*
 * The Part 10 head reader on any bytes: whole and in pieces it must find the same. The first byte
 * sets the pieces' size. SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include "core/model/part10.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const uint32_t tags[] = {0x00020002, 0x00080005, 0x00100010, 0x00100020, 0x00400254};

static struct part10 *read_pieces(const uint8_t *data, size_t length, size_t piece)
{
    const struct trolley_span span = TROLLEY_SPAN(tags);
    struct part10 *reader;
    size_t at, take;

    if (part10_new(&span, &reader) < 0) abort();
    for (at = 0; at < length; at += take) {
        take = length - at < piece ? length - at : piece;
        (void)part10_feed(reader, data + at, take);
    }
    if (part10_finish(reader) == PART10_MORE) abort();
    return reader;
}

static void compare(const struct part10 *a, const struct part10 *b)
{
    struct trolley_span x = part10_elements(a), y = part10_elements(b);

    if (x.count != y.count || part10_has_preamble(a) != part10_has_preamble(b)) abort();
    if (!part10_problem(a) != !part10_problem(b)) abort();
    for (uint32_t i = 0; i < x.count; i++) {
        const struct trolley_element *p = trolley_span_at(&x, i), *q = trolley_span_at(&y, i);
        if (p->tag != q->tag || p->values.count != q->values.count) abort();
        for (uint32_t j = 0; j < p->values.count; j++)
            if (strcmp(trolley_span_text(&p->values, j), trolley_span_text(&q->values, j)) != 0)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct part10 *whole, *pieces;

    if (length == 0) return 0;
    whole = read_pieces(data + 1, length - 1, length);
    pieces = read_pieces(data + 1, length - 1, (size_t)data[0] % 16 + 1);
    compare(whole, pieces);
    part10_free(whole);
    part10_free(pieces);
    return 0;
}
