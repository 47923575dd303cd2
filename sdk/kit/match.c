/* SPDX-License-Identifier: MIT */
#include "match.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "match_time.h"
#include "trolley/helpers.h"

struct match_text {
    const char *at, *end;
};

static bool match_vr_in(const char *vr, const char *list)
{
    return strlen(vr) == 2 && strstr(list, vr) != NULL;
}

static bool match_equal(struct match_text a, struct match_text b)
{
    size_t length = (size_t)(a.end - a.at);

    return length == (size_t)(b.end - b.at) && memcmp(a.at, b.at, length) == 0;
}

/* Padding is spaces; in running text (LT, ST, UT) leading ones mean something. */
static struct match_text match_trim(const char *vr, const char *text)
{
    struct match_text result = {text, text + strlen(text)};

    while (result.end > result.at && result.end[-1] == ' ')
        result.end--;
    while (result.at < result.end && *result.at == ' ' && !match_vr_in(vr, "LT ST UT"))
        result.at++;
    return result;
}

/* Simple case folding of the scripts of DICOM's 8-bit character sets: Latin, Greek, Cyrillic. */
static uint32_t match_fold(uint32_t c)
{
    if (c < 0x80) return (uint32_t)tolower((int)c);
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    if (c == 0x178) return 0xFF;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1);
    if (c >= 0x100 && c <= 0x177 && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149)
        return c | 1;
    return c;
}

/* The next character; a byte that is not UTF-8 counts as a character of its own. */
static uint32_t match_next(struct match_text *text, bool fold)
{
    const unsigned char *p = (const unsigned char *)text->at;
    size_t left = (size_t)(text->end - text->at), i;
    size_t length = p[0] < 0xC2 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 1;
    uint32_t c = length == 1 ? p[0] : p[0] & (0x7Fu >> length);

    for (i = 1; i < length && i < left && (p[i] & 0xC0) == 0x80; i++)
        c = c << 6 | (p[i] & 0x3F);
    if (i < length || (length == 1 && p[0] >= 0x80)) {
        text->at++;
        return UINT32_C(0x110000) + p[0];
    }
    text->at += length;
    return fold ? match_fold(c) : c;
}

/*
 * Wildcards: only the last '*' is ever widened, since an earlier one already took the first place
 * that fits. So the cost is at most the product of the lengths, and nothing recurses.
 */
static bool match_glob(struct match_text key, struct match_text value, bool fold)
{
    struct match_text star = {NULL, NULL}, retry = value;

    while (value.at < value.end) {
        struct match_text next_key = key, next_value = value;
        uint32_t k = 0;
        if (key.at < key.end) k = match_next(&next_key, fold);
        if (k == '*') {
            star = key = next_key;
            retry = value;
        } else if (k && (match_next(&next_value, fold) == k || k == '?')) {
            key = next_key;
            value = next_value;
        } else if (star.end) {
            (void)match_next(&retry, fold);
            value = retry;
            key = star;
        } else {
            return false;
        }
    }
    while (key.at < key.end && *key.at == '*')
        key.at++;
    return key.at == key.end;
}

/* The component group at text->at; moves text behind its '='. */
static struct match_text match_group(struct match_text *text)
{
    struct match_text group = *text;
    const char *equal = memchr(text->at, '=', (size_t)(text->end - text->at));

    group.end = equal ? equal : text->end;
    text->at = equal ? equal + 1 : text->end;
    while (group.end > group.at && (group.end[-1] == ' ' || group.end[-1] == '^'))
        group.end--;
    while (group.at < group.end && *group.at == ' ')
        group.at++;
    return group;
}

static bool match_name_group(struct match_text key, struct match_text value)
{
    bool shorter = false;

    if (key.at == key.end || match_glob(key, value, true)) return true;
    /* "Doe^*" means "Doe" too, whose trailing '^' may be left out. */
    while (key.end - key.at > 2 && key.end[-1] == '*' && key.end[-2] == '^') {
        key.end -= 2;
        shorter = true;
    }
    return shorter && match_glob(key, value, true);
}

static bool match_name(struct match_text key, struct match_text value)
{
    bool any_group = !memchr(key.at, '=', (size_t)(key.end - key.at));
    struct match_text key_group = match_group(&key);

    if (any_group) {
        do {
            if (match_name_group(key_group, match_group(&value))) return true;
        } while (value.at < value.end);
        return false;
    }
    for (;;) {
        if (!match_name_group(key_group, match_group(&value))) return false;
        if (key.at >= key.end) return true;
        key_group = match_group(&key);
    }
}

/* Decimal text as a number, whatever the process's locale. */
static bool match_number(struct match_text text, double *ret_number)
{
    char copy[64], *end;
    size_t length = (size_t)(text.end - text.at);
    locale_t c_locale;
    double number;

    if (length == 0 || length >= sizeof copy) return false;
    memcpy(copy, text.at, length);
    copy[length] = '\0';
    if (strspn(copy, "0123456789+-.eE") != length) return false;
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale) return false;
    number = strtod_l(copy, &end, c_locale);
    freelocale(c_locale);
    if (*end != '\0') return false;
    *ret_number = number;
    return true;
}

static bool match_numbers(struct match_text key, struct match_text value)
{
    const double exact = 9007199254740992.0; /* beyond 2^53 a double tells no neighbours apart */
    double a, b;

    if (match_equal(key, value)) return true;
    if (!match_number(key, &a) || !match_number(value, &b)) return false;
    return a == b && a < exact && a > -exact;
}

bool kit_match_value(const char *vr, const char *key, const char *value)
{
    struct match_text k, v;

    if (!vr) vr = "";
    k = match_trim(vr, key);
    v = match_trim(vr, value);
    if (k.at == k.end || (k.end - k.at == 1 && *k.at == '*')) return true;
    if (strcmp(vr, "PN") == 0) return match_name(k, v);
    if (match_vr_in(vr, "AE CS LO LT SH ST UC UR UT")) return match_glob(k, v, false);
    if (match_vr_in(vr, "DA TM DT"))
        return match_equal(k, v) || match_time(vr, k.at, k.end, v.at, v.end);
    if (match_vr_in(vr, "IS DS FL FD SS US SL UL SV UV")) return match_numbers(k, v);
    return match_equal(k, v);
}

bool kit_match(const char *vr, const struct trolley_span *keys, const struct trolley_span *values)
{
    uint32_t i, j;

    if (keys->count == 0) return true;
    for (i = 0; i < keys->count; i++) {
        const char *key = trolley_span_text(keys, i);
        if (!key || kit_match_value(vr, key, "")) return true;
        for (j = 0; j < values->count; j++) {
            const char *value = trolley_span_text(values, j);
            if (value && kit_match_value(vr, key, value)) return true;
        }
    }
    return false;
}
