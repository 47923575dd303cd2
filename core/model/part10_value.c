/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/model/part10_reader.h"

#define ESC '\x1B'

bool part10_wants(const struct part10 *reader, uint32_t tag)
{
    uint32_t low = 0, high = reader->wanted_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reader->wanted[middle] < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reader->wanted_count && reader->wanted[low] == tag &&
           part10_text(reader, tag) == NULL;
}

const char *part10_value_vr(uint32_t tag, const char *vr)
{
    return vr && strcmp(vr, "UN") != 0 ? vr : trolley_vr(tag);
}

static bool part10_vr_in(const char *vr, const char *list)
{
    return strlen(vr) == 2 && strstr(list, vr) != NULL;
}

bool part10_is_text(const char *vr)
{
    return part10_vr_in(vr, "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT");
}

/* ---- splitting at backslashes ---- */

/* How the bytes of text are to be read: where 0x5C may be the second byte of a character. */
struct part10_charset {
    bool gb;    /* GB18030, GBK: two or four bytes from 0x81 on [PS3.5 6.1.2.5.3, note] */
    bool sjis;  /* not DICOM's, but seen in the wild: two bytes from 0x81 to 0x9F and 0xE0 on */
    bool pairs; /* ISO 2022: a set of two bytes is designated to G0 */
};

static struct part10_charset part10_charset(const struct part10 *reader, const char *vr)
{
    const char *text = part10_text(reader, 0x00080005);
    struct part10_charset set = {false, false, false};

    if (!text || !part10_vr_in(vr, "LO PN SH UC")) return set;
    set.gb = strstr(text, "GB18030") || strstr(text, "GBK");
    set.sjis = strstr(text, "SHIFT_JIS") != NULL;
    return set;
}

/* Length of an escape sequence at `text`; notes what it designates to G0. */
static size_t part10_escape(struct part10_charset *set, const char *text)
{
    if (text[1] == '(' || text[1] == ')') {
        if (text[1] == '(') set->pairs = false;
        return text[2] ? 3 : 2;
    }
    if (text[1] != '$') return 1;
    if (text[2] == ')') return text[3] ? 4 : 3; /* to G1: bytes from 0x80 on */
    set->pairs = true;
    if (text[2] == '(') return text[3] ? 4 : 3;
    return text[2] ? 3 : 2;
}

/* Bytes of the character at `text`, which is not its end. */
static size_t part10_character(struct part10_charset *set, const char *text)
{
    unsigned char c = (unsigned char)text[0], next = (unsigned char)text[1];

    if (c == ESC) return part10_escape(set, text);
    if (set->pairs && c > 0x20 && c < 0x7F && next) return 2;
    if (set->gb && c >= 0x81 && c <= 0xFE && next)
        return next >= '0' && next <= '9' && text[2] && text[3] ? 4 : 2;
    if (set->sjis && ((c >= 0x81 && c <= 0x9F) || c >= 0xE0) && next) return 2;
    return 1;
}

/* The end of the value at `text`: its backslash or NUL. */
static const char *part10_value_end(struct part10_charset set, const char *text)
{
    while (*text && *text != '\\')
        text += part10_character(&set, text);
    return text;
}

/* Copies one value without padding. */
static char *part10_value_copy(char *to, const char *from, const char *end, bool keep_leading)
{
    while (end > from && end[-1] == ' ')
        end--;
    while (from < end && *from == ' ' && !keep_leading)
        from++;
    memcpy(to, from, (size_t)(end - from));
    to[end - from] = '\0';
    return to + (end - from) + 1;
}

static void part10_split(struct part10 *reader, struct part10_item *item)
{
    const char *vr = item->element.vr;
    bool whole = part10_vr_in(vr, "LT ST UR UT");
    struct part10_charset set = part10_charset(reader, vr);
    const char *end, *text, **values;
    size_t length = strlen(item->text) + 1;
    uint32_t count = 0;
    void *memory;
    char *to;

    for (text = item->text;; text = end + 1, count++) {
        end = whole ? text + strlen(text) : part10_value_end(set, text);
        if (*end == '\0') break;
    }
    count++;
    if (arena_alloc(&reader->split, count * sizeof *values + length, &memory) < 0) {
        part10_bad(reader, "%08X has too many values", item->element.tag);
        return;
    }
    values = memory;
    to = (char *)(values + count);
    item->element.values = (struct trolley_span){values, count, sizeof *values};
    for (text = item->text; count > 0; text = end + 1, count--) {
        end = whole ? text + strlen(text) : part10_value_end(set, text);
        *values++ = to;
        to = part10_value_copy(to, text, end, part10_vr_in(vr, "LT ST UT"));
    }
}

/* ---- collecting ---- */

static void part10_value_end_of(struct part10 *reader)
{
    struct part10_item *item = &reader->items[reader->item_count];
    uint32_t length = reader->fill_length;

    while (length > 0 && (item->text[length - 1] == ' ' || item->text[length - 1] == '\0'))
        length--;
    item->text[length] = '\0';
    reader->fill = NULL;
    if (item->text[0] == '\0')
        item->element.flags = TROLLEY_ELEMENT_NULL;
    else
        part10_split(reader, item);
    reader->item_count++;
    if (reader->state == PART10_MORE &&
        item->element.tag == reader->wanted[reader->wanted_count - 1])
        reader->state = PART10_DONE;
}

void part10_value_begin(struct part10 *reader, uint32_t tag, const char *vr, uint32_t length)
{
    struct part10_item *item = &reader->items[reader->item_count];
    void *memory;
    int r = arena_alloc(&reader->values, (size_t)length + 1, &memory);

    if (r < 0) {
        if (r == TROLLEY_ERR_NOMEM)
            part10_bad(reader, "out of memory");
        else
            part10_bad(reader, "%08X of %u bytes: more than the head may hold", tag, length);
        return;
    }
    memset(item, 0, sizeof *item);
    item->element.size = sizeof item->element;
    item->element.tag = tag;
    memcpy(item->element.vr, vr, 2);
    item->text = reader->fill = memory;
    reader->fill_left = reader->fill_length = length;
    if (length == 0) part10_value_end_of(reader);
}

size_t part10_value_take(struct part10 *reader, const uint8_t *data, size_t length)
{
    size_t take = length < reader->fill_left ? length : reader->fill_left;

    memcpy(reader->fill, data, take);
    reader->fill += take;
    reader->fill_left -= (uint32_t)take;
    if (reader->fill_left == 0) part10_value_end_of(reader);
    return take;
}
