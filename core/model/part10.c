/* SPDX-License-Identifier: MIT */
#include "core/model/part10.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include "core/model/part10_reader.h"

#define PART10_SPLIT_CAP ((size_t)4 << 20)
#define PART10_TAGS_MAX 4096

void part10_bad(struct part10 *reader, const char *format, ...)
{
    va_list args;

    reader->state = PART10_BAD;
    va_start(args, format);
    (void)vsnprintf(reader->problem, sizeof reader->problem, format, args);
    va_end(args);
}

/* ---- life ---- */

static int part10_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* The tags wanted and those always collected, in order, each once. */
static int part10_set_wanted(struct part10 *reader, const struct trolley_span *tags)
{
    static const uint32_t always[] = {
        PART10_TRANSFER_SYNTAX, 0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E};
    const uint32_t fixed = sizeof always / sizeof always[0];
    uint32_t i, count = fixed + (tags ? tags->count : 0), unique = 0;

    if (tags && tags->count > PART10_TAGS_MAX) return TROLLEY_ERR_TOO_LARGE;
    reader->wanted = calloc(count, sizeof *reader->wanted);
    reader->items = calloc(count, sizeof *reader->items);
    if (!reader->wanted || !reader->items) return TROLLEY_ERR_NOMEM;
    memcpy(reader->wanted, always, sizeof always);
    for (i = fixed; i < count; i++)
        memcpy(&reader->wanted[i], trolley_span_at(tags, i - fixed), sizeof *reader->wanted);
    qsort(reader->wanted, count, sizeof *reader->wanted, part10_compare);
    for (i = 0; i < count; i++)
        if (i == 0 || reader->wanted[i] != reader->wanted[unique - 1])
            reader->wanted[unique++] = reader->wanted[i];
    reader->wanted_count = unique;
    return 0;
}

int part10_new(const struct trolley_span *tags, struct part10 **ret_reader)
{
    struct part10 *reader = calloc(1, sizeof *reader);
    int r = reader ? part10_set_wanted(reader, tags) : TROLLEY_ERR_NOMEM;

    if (r < 0) {
        part10_free(reader);
        return r;
    }
    reader->state = PART10_MORE;
    reader->phase = PART10_PREFIX;
    reader->need = 4;
    reader->values.cap = PART10_CAP;
    reader->split.cap = PART10_SPLIT_CAP;
    *ret_reader = reader;
    return 0;
}

void part10_free(struct part10 *reader)
{
    if (!reader) return;
    if (reader->inflating) (void)inflateEnd(&reader->inflater);
    arena_free(&reader->values);
    arena_free(&reader->split);
    free(reader->wanted);
    free(reader->items);
    free(reader);
}

/* ---- bytes ---- */

static bool part10_inflate_begin(struct part10 *reader)
{
    if (reader->inflating) return true;
    if (inflateInit2(&reader->inflater, -MAX_WBITS) != Z_OK) {
        part10_bad(reader, "out of memory");
        return false;
    }
    reader->inflating = true;
    return true;
}

/* Inflates a piece of the data set [PS3.5 A.5]; what follows the compressed stream is padding. */
static void part10_inflate(struct part10 *reader, const uint8_t *data, size_t length)
{
    uint8_t out[4096];
    int z = Z_OK;

    if (reader->inflated_all || !part10_inflate_begin(reader)) return;
    reader->inflater.next_in = (Bytef *)(uintptr_t)data;
    reader->inflater.avail_in = (uInt)length;
    do {
        size_t have;
        reader->inflater.next_out = out;
        reader->inflater.avail_out = sizeof out;
        z = inflate(&reader->inflater, Z_NO_FLUSH);
        have = sizeof out - reader->inflater.avail_out;
        reader->inflated += have;
        (void)part10_parse(reader, out, have);
        if (reader->state == PART10_MORE && z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
            part10_bad(reader, "the deflated data set is damaged");
        if (reader->state == PART10_MORE && reader->inflated > PART10_INFLATED_CAP)
            part10_bad(reader, "the deflated data set hides its UIDs behind too many bytes");
    } while (reader->state == PART10_MORE && z == Z_OK && reader->inflater.avail_out == 0);
    reader->inflated_all = z == Z_STREAM_END;
}

/* What was read as a tag behind the file meta information is the first of the deflated bytes. */
static void part10_deflated_begins(struct part10 *reader)
{
    uint8_t begun[sizeof reader->header];
    size_t have = reader->have;

    memcpy(begun, reader->header, have);
    reader->have = 0;
    reader->need = 4;
    part10_inflate(reader, begun, have);
}

/* The bytes behind the preamble, or all where there is none. Returns how many the head took. */
static size_t part10_take(struct part10 *reader, const uint8_t *data, size_t length)
{
    const size_t slice = (size_t)1 << 30; /* fits zlib's counters */
    const uint8_t *begin = data;

    while (length > 0 && reader->state == PART10_MORE) {
        size_t take = length < slice ? length : slice;
        if (reader->phase == PART10_DEFLATED)
            part10_inflate(reader, data, take);
        else
            take = part10_parse(reader, data, take);
        data += take;
        length -= take;
        if (reader->phase == PART10_DEFLATED && !reader->inflating) part10_deflated_begins(reader);
    }
    return (size_t)(data - begin);
}

/* Bytes behind the head: followed by their lengths as long as they make sense. */
static void part10_take_rest(struct part10 *reader, const uint8_t *data, size_t length)
{
    if (reader->state != PART10_DONE || reader->rest == PART10_REST_LOST) return;
    if (reader->phase != PART10_DATASET) {
        reader->rest = PART10_REST_LOST;
        return;
    }
    reader->state = PART10_MORE; /* for the parser alone */
    if (reader->rest == PART10_REST_AHEAD) {
        reader->rest = PART10_REST_FOLLOWED;
        if (reader->have == reader->need) part10_parse_rest(reader);
    }
    (void)part10_parse(reader, data, length);
    if (reader->state == PART10_BAD) reader->rest = PART10_REST_LOST;
    reader->state = PART10_DONE;
}

/* What a few bytes at the end are: padding, or the beginning of a header. */
static bool part10_rest_is_cut(const struct part10 *reader)
{
    uint32_t i;

    if (reader->rest != PART10_REST_FOLLOWED) return false;
    if (reader->skip > 0 || reader->have >= 8) return true;
    for (i = 0; i < reader->have; i++)
        if (!strchr("\r\n ", reader->header[i])) return true;
    return reader->have > 0 ? false : reader->depth > 1;
}

/* Where the prefix is absent, the bytes collected are the beginning of file meta information or
 * data set. */
static void part10_end_prefix(struct part10 *reader)
{
    reader->has_preamble = reader->preamble_have == PART10_PREAMBLE &&
                           memcmp(reader->preamble + PART10_PREAMBLE - 4, "DICM", 4) == 0;
    reader->phase = PART10_META;
    if (!reader->has_preamble) {
        size_t used = part10_take(reader, reader->preamble, reader->preamble_have);

        part10_take_rest(reader, reader->preamble + used, reader->preamble_have - used);
    }
}

static size_t part10_prefix(struct part10 *reader, const uint8_t *data, size_t length)
{
    size_t missing = PART10_PREAMBLE - reader->preamble_have;
    size_t take = length < missing ? length : missing;

    memcpy(reader->preamble + reader->preamble_have, data, take);
    reader->preamble_have += take;
    if (reader->preamble_have == PART10_PREAMBLE) part10_end_prefix(reader);
    return take;
}

enum part10_state part10_feed(struct part10 *reader, const void *data, size_t length)
{
    size_t used = 0;

    if (length == 0) return reader->state;
    if (reader->phase == PART10_PREFIX) used = part10_prefix(reader, data, length);
    used += part10_take(reader, (const uint8_t *)data + used, length - used);
    part10_take_rest(reader, (const uint8_t *)data + used, length - used);
    return reader->state;
}

enum part10_state part10_finish(struct part10 *reader)
{
    if (reader->phase == PART10_PREFIX) part10_end_prefix(reader);
    reader->cut = reader->state == PART10_DONE && part10_rest_is_cut(reader);
    if (reader->state != PART10_MORE) return reader->state;
    /* A deflated data set may be shorter than a tag. */
    if (reader->phase == PART10_META && reader->have > 0 && reader->have < 4) {
        part10_leave_meta(reader);
        if (reader->phase == PART10_DEFLATED) part10_deflated_begins(reader);
    }
    if (reader->state != PART10_MORE) return reader->state;
    reader->cut = reader->elements > 0 || reader->preamble_have == 0;
    if (reader->elements == 0)
        part10_bad(reader, "not DICOM: it has no elements");
    else if (reader->have > 0 || reader->skip > 0 || reader->fill || reader->depth > 0 ||
             (reader->phase == PART10_DEFLATED && !reader->inflated_all))
        part10_bad(reader, "it ends within an element");
    else
        reader->state = PART10_DONE;
    reader->cut = reader->cut && reader->state == PART10_BAD;
    return reader->state;
}

bool part10_is_cut(const struct part10 *reader)
{
    return reader->cut;
}

/* ---- results ---- */

const char *part10_problem(const struct part10 *reader)
{
    return reader->state == PART10_BAD ? reader->problem : NULL;
}

bool part10_has_preamble(const struct part10 *reader)
{
    return reader->has_preamble;
}

const char *part10_transfer_syntax(const struct part10 *reader)
{
    const char *uid = part10_text(reader, PART10_TRANSFER_SYNTAX);

    return uid && *uid ? uid : NULL;
}

const char *part10_text(const struct part10 *reader, uint32_t tag)
{
    uint32_t i;

    for (i = 0; i < reader->item_count; i++)
        if (reader->items[i].element.tag == tag) return reader->items[i].text;
    return NULL;
}

struct trolley_span part10_elements(const struct part10 *reader)
{
    return (struct trolley_span){reader->items, reader->item_count, sizeof *reader->items};
}
