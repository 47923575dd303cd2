/* path_value.c: what a placeholder stands for. SPDX-License-Identifier: MIT */
#include <locale.h>
#include <nettle/md5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <trolley/types.h>
#include <wctype.h>

#include "path_internal.h"
#include "text.h"

/* ---- characters ---- */

/* Bytes of the character at `text`; 0 when they are not UTF-8. */
static size_t character(const char *text, size_t length)
{
    const unsigned char c = (unsigned char)*text;
    const size_t size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return size <= length && kit_text_utf8_valid(text, size) ? size : 0;
}

/* The code of a character of `size` valid bytes. */
static uint32_t decode(const char *text, size_t size)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)text[0] & masks[size];
    size_t i;

    for (i = 1; i < size; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

static int encode(struct kit_buffer *out, uint32_t code)
{
    char text[4];

    if (code < 0x80) {
        text[0] = (char)code;
        return kit_buffer_append(out, text, 1);
    }
    if (code < 0x800) {
        text[0] = (char)(0xc0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3f));
        return kit_buffer_append(out, text, 2);
    }
    if (code < 0x10000) {
        text[0] = (char)(0xe0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[2] = (char)(0x80 | (code & 0x3f));
        return kit_buffer_append(out, text, 3);
    }
    text[0] = (char)(0xf0 | code >> 18);
    text[1] = (char)(0x80 | (code >> 12 & 0x3f));
    text[2] = (char)(0x80 | (code >> 6 & 0x3f));
    text[3] = (char)(0x80 | (code & 0x3f));
    return kit_buffer_append(out, text, 4);
}

/* Copies a value; controls and what is no UTF-8 become '_'. */
static int clean(const char *value, struct kit_buffer *out)
{
    size_t length = strlen(value), size;
    int r = kit_buffer_append(out, "", 0);

    for (; r == 0 && length; value += size, length -= size) {
        uint32_t code = 0;

        size = character(value, length);
        if (size) code = decode(value, size);
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            r = kit_buffer_text(out, "_");
            if (size == 0) size = 1;
        } else {
            r = kit_buffer_append(out, value, size);
        }
    }
    return r;
}

/* ---- types ---- */

static int put_upper(const char *value, struct kit_buffer *out)
{
    const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    size_t length = strlen(value), size;
    int r = 0;

    for (; r == 0 && length; value += size, length -= size) {
        uint32_t code;

        size = character(value, length);
        code = decode(value, size);
        if (unicode)
            code = (uint32_t)towupper_l((wint_t)code, unicode);
        else if (code >= 'a' && code <= 'z')
            code -= 'a' - 'A';
        r = encode(out, code);
    }
    if (unicode) freelocale(unicode);
    return r;
}

/* Where in the text character `index` begins. */
static size_t offset_of(const char *text, int64_t index)
{
    size_t length = strlen(text), at = 0;

    while (index-- > 0 && at < length)
        at += character(text + at, length - at);
    return at;
}

static int put_slice(const char *value, const struct path_piece *piece, struct kit_buffer *out)
{
    int64_t count = 0, begin = piece->begin, end = piece->end;
    const char *at;

    for (at = value; *at; at++)
        count += (*at & 0xc0) != 0x80;
    if (begin < 0) begin = begin + count > 0 ? begin + count : 0;
    if (end <= 0) end += count;
    if (end > count) end = count;
    if (begin >= end) return 0;
    at = value + offset_of(value, begin);
    return kit_buffer_append(out, at, offset_of(at, end - begin));
}

/* A form's field [HTML 4.01 17.13.4.1], as Java's URLEncoder writes it. */
static int put_urlencoded(const char *value, struct kit_buffer *out)
{
    static const char keep[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_";
    int r = 0;

    for (; r == 0 && *value; value++) {
        if (*value == ' ')
            r = kit_buffer_text(out, "+");
        else if (strchr(keep, *value))
            r = kit_buffer_append(out, value, 1);
        else
            r = kit_buffer_printf(out, "%%%02X", (unsigned char)*value);
    }
    return r;
}

static int put_hash(const char *value, struct kit_buffer *out)
{
    size_t length = strlen(value), size;
    uint32_t hash = 0;

    for (; length; value += size, length -= size) {
        uint32_t code;

        size = character(value, length);
        code = decode(value, size);
        if (code >= 0x10000) {
            hash = hash * 31 + (0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + code;
    }
    return kit_buffer_printf(out, "%08X", hash);
}

/* Half a digest as it is read there: big-endian, then shifted by another byte. */
static uint64_t md5_half(const unsigned char *digest)
{
    uint64_t half = 0;
    size_t i;

    for (i = 0; i < 8; i++)
        half = (half | digest[i]) << 8;
    return half;
}

static int put_md5(const char *value, struct kit_buffer *out)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned char digest[MD5_DIGEST_SIZE];
    char text[26];
    struct md5_ctx md5;
    uint64_t first, second;
    int i;

    md5_init(&md5);
    md5_update(&md5, strlen(value), (const unsigned char *)value);
    md5_digest(&md5, sizeof digest, digest);
    first = md5_half(digest);
    second = md5_half(digest + 8);
    for (i = 0; i < 12; i++, first >>= 5)
        text[i] = digits[first & 31];
    text[i++] = digits[(first | (second & 1) << 4) & 31];
    for (second >>= 1; i < 26; i++, second >>= 5)
        text[i] = digits[second & 31];
    return kit_buffer_append(out, text, sizeof text);
}

static int put_offset(const char *value, const struct path_piece *piece, struct kit_buffer *out)
{
    const long long number = value ? strtoll(value, NULL, 10) : 0;

    return kit_buffer_printf(out, "%d", (int32_t)((uint32_t)number + (uint32_t)piece->begin));
}

/* ---- now and chance ---- */

static int put_date(const char *value, const struct path_piece *piece, struct kit_buffer *out)
{
    struct tm when;
    int millisecond;

    if (!path_date_read(value, piece->type == PATH_TIME, &when, &millisecond))
        return kit_buffer_text(out, "null");
    return path_date_format(piece->text, &when, millisecond, out);
}

static int put_now(const struct path_piece *piece, const struct kit_path_values *values,
                   struct kit_buffer *out)
{
    struct timespec clock = {.tv_sec = (time_t)values->now};
    struct tm when;

    if (values->now < 0) (void)clock_gettime(CLOCK_REALTIME, &clock);
    if (!localtime_r(&clock.tv_sec, &when)) return TROLLEY_ERR_INVALID_ARG;
    return path_date_format(piece->text, &when, (int)(clock.tv_nsec / 1000000), out);
}

/* 128 bits in decimal, by dividing through 10^9. */
static int put_decimal(const unsigned char bytes[16], struct kit_buffer *out)
{
    uint32_t words[4], groups[5] = {0};
    size_t i, j, top = 0;
    int r;

    for (i = 0; i < 4; i++)
        words[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 |
                   (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    for (j = 0; j < 5; j++) {
        uint64_t rest = 0;

        for (i = 0; i < 4; i++) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        groups[j] = (uint32_t)rest;
        if (rest) top = j;
    }
    r = kit_buffer_printf(out, "%u", groups[top]);
    while (r == 0 && top-- > 0)
        r = kit_buffer_printf(out, "%09u", groups[top]);
    return r;
}

static int put_random(enum path_type type, struct kit_buffer *out)
{
    unsigned char b[16];
    int r;

    if (getrandom(b, sizeof b, 0) != sizeof b) return TROLLEY_ERR_IO;
    if (type == PATH_RND) return kit_buffer_printf(out, "%02X%02X%02X%02X", b[0], b[1], b[2], b[3]);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4 [RFC 9562 5.4] */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    if (type == PATH_UID) { /* [PS3.5 B.2] */
        r = kit_buffer_text(out, "2.25.");
        return r < 0 ? r : put_decimal(b, out);
    }
    return kit_buffer_printf(
        out, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static int put_typed(const struct path_piece *piece, const char *value, struct kit_buffer *out)
{
    switch (piece->type) {
    case PATH_UPPER:
        return put_upper(value, out);
    case PATH_SLICE:
        return put_slice(value, piece, out);
    case PATH_DATE:
    case PATH_TIME:
        return put_date(value, piece, out);
    case PATH_URLENCODED:
        return put_urlencoded(value, out);
    case PATH_HASH:
        return put_hash(value, out);
    case PATH_MD5:
        return put_md5(value, out);
    default:
        return kit_buffer_text(out, value);
    }
}

int path_value(const struct path_piece *piece, const struct kit_path_values *values,
               struct kit_buffer *out)
{
    struct kit_buffer cleaned = {0};
    const char *value = NULL;
    int r;

    if (piece->source == PATH_RANDOM) return put_random(piece->type, out);
    if (piece->source == PATH_NOW) return put_now(piece, values, out);
    if (piece->source == PATH_ATTRIBUTE)
        value = values->attribute(values->ctx, piece->tags, piece->depth, piece->index);
    else if (values->word)
        value = values->word(values->ctx, piece->text);
    if (piece->type == PATH_NUMBER)
        return path_number_format(&piece->number, value ? value : "0", out);
    if (piece->type == PATH_OFFSET) return put_offset(value, piece, out);
    if (!value || (!*value && piece->source == PATH_ATTRIBUTE)) return kit_buffer_text(out, "null");
    r = clean(value, &cleaned);
    if (r == 0) r = put_typed(piece, cleaned.data, out);
    kit_buffer_free(&cleaned);
    return r;
}
