/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/model/part10_reader.h"

#define UNDEFINED UINT32_C(0xFFFFFFFF)
#define ITEM UINT32_C(0xFFFEE000)
#define ITEM_END UINT32_C(0xFFFEE00D)
#define SEQUENCE_END UINT32_C(0xFFFEE0DD)
#define META_GROUP_LENGTH UINT32_C(0x00020000)
#define PIXEL_GROUP 0x7FE0

/* Groups that a data set without preamble may begin with; everything that is text is far above. */
#define FIRST_GROUP_MAX 0x0050

/* ---- bytes ---- */

/* The inside of an UN sequence is implicit little endian whatever is around it [PS3.5 6.2.2]. */
static bool part10_big(const struct part10 *reader)
{
    return reader->big && reader->unknown_at == 0;
}

static uint32_t part10_u16(const struct part10 *reader, uint32_t at)
{
    const uint8_t *p = reader->header + at;

    return part10_big(reader) ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t part10_u32(const struct part10 *reader, uint32_t at)
{
    uint32_t a = part10_u16(reader, at), b = part10_u16(reader, at + 2);

    return part10_big(reader) ? a << 16 | b : b << 16 | a;
}

static bool part10_vr_letters(const uint8_t *vr)
{
    return vr[0] >= 'A' && vr[0] <= 'Z' && vr[1] >= 'A' && vr[1] <= 'Z';
}

/* VRs with a 16 bit length; all others, future ones too, have 32 [PS3.5 7.1.2]. */
static bool part10_vr_short(const char *vr)
{
    return strstr("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US", vr) != NULL;
}

/* ---- encodings ---- */

static bool part10_is_deflated(const char *uid)
{
    return strcmp(uid, "1.2.840.10008.1.2.1.99") == 0 || /* Deflated Explicit VR Little Endian */
           strcmp(uid, "1.2.840.10008.1.2.4.95") == 0 || /* JPIP Referenced Deflate */
           strcmp(uid, "1.2.840.10008.1.2.4.205") == 0;  /* JPIP HTJ2K Referenced Deflate */
}

void part10_leave_meta(struct part10 *reader)
{
    const char *uid = part10_transfer_syntax(reader);

    reader->first = true;
    reader->phase = uid && part10_is_deflated(uid) ? PART10_DEFLATED : PART10_DATASET;
    if (uid)
        reader->big = strcmp(uid, "1.2.840.10008.1.2.2") == 0;
    else
        reader->big = reader->header[0] == 0 && reader->header[1] != 0;
}

/*
 * The first element tells implicit from explicit better than the transfer syntax does, which is
 * absent or wrong at times: two letters in place of the length would mean more than 16 KiB.
 */
static void part10_look_at_first(struct part10 *reader)
{
    uint32_t group = part10_u16(reader, 0);

    reader->first = false;
    reader->implicit = !part10_vr_letters(reader->header + 4);
    if (!reader->has_preamble && reader->elements == 0 &&
        (group == 0 || group % 2 == 1 || group > FIRST_GROUP_MAX))
        part10_bad(reader, "not DICOM: no prefix DICM, and no data set either");
}

/* ---- sequences ---- */

static void part10_enter(struct part10 *reader)
{
    if (reader->depth == PART10_DEPTH_MAX)
        part10_bad(reader, "sequences nested too deep");
    else
        reader->depth++;
}

static void part10_leave(struct part10 *reader)
{
    if (reader->unknown_at == reader->depth) reader->unknown_at = 0;
    reader->depth--;
    if (reader->depth == 0) reader->elements++;
}

/* An item's beginning, or a delimiter. */
static void part10_item_header(struct part10 *reader, uint32_t tag, uint32_t length)
{
    bool in_sequence = reader->depth % 2 == 1;

    if (tag == ITEM && in_sequence) {
        if (length == UNDEFINED)
            part10_enter(reader);
        else
            reader->skip = length;
    } else if (reader->depth > 0 && tag == (in_sequence ? SEQUENCE_END : ITEM_END)) {
        part10_leave(reader);
    } else if (reader->depth > 0 || tag == ITEM || length != 0) {
        part10_bad(reader, "%08X out of place", tag);
    } /* else a delimiter too many behind a sequence of defined length: seen, and harmless */
}

/* ---- elements ---- */

static void part10_element(struct part10 *reader, uint32_t tag, const char *vr, uint32_t length)
{
    const char *read_as;

    if (reader->depth % 2 == 1) {
        part10_bad(reader, "%08X where an item belongs", tag);
        return;
    }
    if (length == UNDEFINED) {
        part10_enter(reader);
        if (vr && strcmp(vr, "UN") == 0 && reader->unknown_at == 0)
            reader->unknown_at = reader->depth;
        if (reader->phase == PART10_META) part10_bad(reader, "%08X of undefined length", tag);
        return;
    }
    if (reader->depth > 0) {
        reader->skip = length;
        return;
    }
    reader->elements++;
    if (reader->rest == PART10_REST_FOLLOWED) {
        reader->skip = length;
        return;
    }
    read_as = part10_value_vr(tag, vr);
    if ((reader->phase == PART10_META) == (tag >> 16 == 2) && (tag >> 16) % 2 == 0 &&
        part10_is_text(read_as) && part10_wants(reader, tag))
        part10_value_begin(reader, tag, read_as, length);
    else
        reader->skip = length;
}

/* Nothing that is wanted can follow. */
static bool part10_passed(const struct part10 *reader, uint32_t tag)
{
    return reader->rest == PART10_REST_AHEAD && reader->phase != PART10_META &&
           reader->depth == 0 && tag >> 16 != 0xFFFE &&
           (tag > reader->wanted[reader->wanted_count - 1] || tag >> 16 == PIXEL_GROUP);
}

/* The VR at the header's fifth byte; NULL in implicit encoding. Some explicit files have elements
 * in implicit encoding among them: no letters, no VR. */
static const char *part10_header_vr(const struct part10 *reader, char letters[3])
{
    if (part10_u16(reader, 0) == 0xFFFE || reader->unknown_at != 0) return NULL;
    if (reader->phase != PART10_META && reader->implicit) return NULL;
    if (!part10_vr_letters(reader->header + 4)) return NULL;
    memcpy(letters, reader->header + 4, 2);
    letters[2] = '\0';
    return letters;
}

/* Behind the head, what is out of order may be anything, padding most of all. */
static void part10_rest_order(struct part10 *reader, uint32_t tag)
{
    if (reader->rest != PART10_REST_FOLLOWED || reader->depth > 0 || reader->have > 8) return;
    if (tag <= reader->rest_tag) part10_bad(reader, "%08X out of order", tag);
    reader->rest_tag = tag;
}

/* Eight bytes of a header are there, or twelve. */
static void part10_header(struct part10 *reader)
{
    char letters[3];
    const char *vr;
    uint32_t tag, length;
    bool group_length, is_long;

    if (reader->first) part10_look_at_first(reader);
    tag = part10_u16(reader, 0) << 16 | part10_u16(reader, 2);
    if (reader->state == PART10_MORE && part10_passed(reader, tag)) reader->state = PART10_DONE;
    if (reader->state != PART10_MORE) return;
    part10_rest_order(reader, tag);

    vr = part10_header_vr(reader, letters);
    is_long = vr && !part10_vr_short(vr);
    length = vr && !is_long ? part10_u16(reader, 6) : part10_u32(reader, is_long ? 8 : 4);
    group_length = reader->phase == PART10_META && tag == META_GROUP_LENGTH && length == 4;
    if (reader->have < 12 && (is_long || group_length)) {
        reader->need = 12;
        return;
    }
    if (group_length) reader->meta_end = reader->position + part10_u32(reader, 8);
    reader->have = 0;
    reader->need = 4;
    if (tag >> 16 == 0xFFFE)
        part10_item_header(reader, tag, length);
    else
        part10_element(reader, tag, vr, group_length ? 0 : length);
}

void part10_parse_rest(struct part10 *reader)
{
    part10_header(reader);
}

/* Four bytes of a header are there: enough to see the end of the file meta information. A wrong
 * group length is common, so it counts only where the deflated bytes could look like group 2. */
static void part10_tag(struct part10 *reader)
{
    bool meta_over = reader->meta_end && reader->position - 4 >= reader->meta_end;
    const char *uid = part10_transfer_syntax(reader);

    reader->need = 8;
    if (reader->phase != PART10_META) return;
    if (part10_u16(reader, 0) != 2 || (meta_over && uid && part10_is_deflated(uid)))
        part10_leave_meta(reader);
}

static size_t part10_header_take(struct part10 *reader, const uint8_t *data, size_t length)
{
    size_t missing = reader->need - reader->have, take = length < missing ? length : missing;

    memcpy(reader->header + reader->have, data, take);
    reader->have += (uint32_t)take;
    reader->position += take;
    if (reader->have < reader->need) return take;
    if (reader->need == 4)
        part10_tag(reader);
    else
        part10_header(reader);
    return take;
}

size_t part10_parse(struct part10 *reader, const uint8_t *data, size_t length)
{
    enum part10_phase phase = reader->phase;
    size_t used = 0;

    while (used < length && reader->state == PART10_MORE && reader->phase == phase) {
        size_t take = length - used;
        if (reader->skip) {
            if (take > reader->skip) take = (size_t)reader->skip;
            reader->skip -= take;
            reader->position += take;
        } else if (reader->fill) {
            take = part10_value_take(reader, data + used, take);
            reader->position += take;
        } else {
            take = part10_header_take(reader, data + used, take);
        }
        used += take;
    }
    return used;
}
