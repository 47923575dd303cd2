/* tree_value.c: typed values of a study tree's attributes, and references of its objects.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/error.h"
#include "core/model/tree_store.h"
#include "kit/uid.h"

#define TAG_SOP_CLASS 0x00080016
#define TAG_AVAILABLE_TRANSFER_SYNTAX 0x00083002

uint32_t trolley_node_count(const struct trolley_node *node, uint32_t tag)
{
    const struct trolley_element *element = tree_look_up(node, tag);

    return element ? element->values.count : 0;
}

const char *trolley_node_get(const struct trolley_node *node, const char *attribute)
{
    uint32_t tag;

    if (!attribute || trolley_parse_attribute(attribute, &tag, NULL) < 0) return NULL;
    return trolley_node_text(node, tag, 0);
}

/* A value without the spaces that pad it. */
struct trimmed {
    const char *text;
    size_t length;
};

static int value_trimmed(const struct trolley_node *node, uint32_t tag, uint32_t i,
                         struct trimmed *ret)
{
    const char *text = trolley_node_text(node, tag, i);
    size_t length;

    if (!text) return TROLLEY_ERR_NOT_FOUND;
    text += strspn(text, " ");
    for (length = strlen(text); length > 0 && text[length - 1] == ' '; length--)
        ;
    if (length == 0) return TROLLEY_ERR_NOT_FOUND;
    ret->text = text;
    ret->length = length;
    return 0;
}

int trolley_node_integer(const struct trolley_node *node, uint32_t tag, uint32_t i,
                         int64_t *ret_value)
{
    struct trimmed value;
    long long number;
    char *end;
    int r = value_trimmed(node, tag, i, &value);

    if (r < 0) return r;
    if (!strchr("+-0123456789", value.text[0])) return TROLLEY_ERR_PROTOCOL;
    errno = 0;
    number = strtoll(value.text, &end, 10);
    if (end != value.text + value.length) return TROLLEY_ERR_PROTOCOL;
    if (errno == ERANGE) return TROLLEY_ERR_TOO_LARGE;
    *ret_value = number;
    return 0;
}

int trolley_node_decimal(const struct trolley_node *node, uint32_t tag, uint32_t i,
                         double *ret_value)
{
    struct trimmed value;
    locale_t plain;
    double number;
    char *end;
    int r = value_trimmed(node, tag, i, &value);

    if (r < 0) return r;
    /* No hexadecimal, no "inf", no "nan" [PS3.5 6.2]. */
    if (strspn(value.text, "+-.0123456789eE") < value.length) return TROLLEY_ERR_PROTOCOL;
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return TROLLEY_ERR_NOMEM;
    number = strtod_l(value.text, &end, plain);
    freelocale(plain);
    if (end != value.text + value.length) return TROLLEY_ERR_PROTOCOL;
    if (isinf(number)) return TROLLEY_ERR_TOO_LARGE;
    *ret_value = number;
    return 0;
}

/* `count` digits as a number; -1 when they are none. */
static int32_t value_digits(const char *text, size_t count)
{
    int32_t number = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) return 29;
    return days[month - 1];
}

int trolley_node_date(const struct trolley_node *node, uint32_t tag, uint32_t i,
                      struct trolley_date *ret_date)
{
    struct trolley_date date;
    struct trimmed value;
    size_t gap;
    int r = value_trimmed(node, tag, i, &value);

    if (r < 0) return r;
    gap = value.length == 10 && value.text[4] == '.' && value.text[7] == '.';
    if (value.length < 8) return TROLLEY_ERR_PROTOCOL;
    /* What follows the day is the time of a DT: digits, a fraction, the offset from UTC. */
    if (!gap && strspn(value.text, "0123456789.+-") < value.length) return TROLLEY_ERR_PROTOCOL;
    date.year = value_digits(value.text, 4);
    date.month = value_digits(value.text + 4 + gap, 2);
    date.day = value_digits(value.text + 6 + 2 * gap, 2);
    if (date.year < 0 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > month_days(date.year, date.month))
        return TROLLEY_ERR_PROTOCOL;
    *ret_date = date;
    return 0;
}

/* Two digits of a time at *at, if the value goes on; false when they are none. */
static bool time_part(const char **at, const char *end, size_t gap, int32_t *part)
{
    if (*at == end) return true;
    if (gap && *(*at)++ != ':') return false;
    if (end - *at < 2) return false;
    *part = value_digits(*at, 2);
    *at += 2;
    return *part >= 0;
}

/* ".ffffff" as microseconds; digits beyond the sixth are no part of a TM. */
static bool time_fraction(const char *at, const char *end, int32_t *ret_microsecond)
{
    int32_t scale = 1;
    ptrdiff_t digits = end - at - 1;

    if (at == end) return true;
    if (*at != '.' || digits < 1 || digits > 6) return false;
    *ret_microsecond = value_digits(at + 1, (size_t)digits);
    if (*ret_microsecond < 0) return false;
    for (; digits < 6; digits++)
        scale *= 10;
    *ret_microsecond *= scale;
    return true;
}

int trolley_node_time(const struct trolley_node *node, uint32_t tag, uint32_t i,
                      struct trolley_time *ret_time)
{
    struct trolley_time time = {0};
    struct trimmed value;
    const char *at, *end;
    size_t gap;
    int r = value_trimmed(node, tag, i, &value);

    if (r < 0) return r;
    at = value.text;
    end = at + value.length;
    gap = value.length > 2 && at[2] == ':';
    if (!time_part(&at, end, 0, &time.hour) || !time_part(&at, end, gap, &time.minute) ||
        !time_part(&at, end, gap, &time.second) || !time_fraction(at, end, &time.microsecond))
        return TROLLEY_ERR_PROTOCOL;
    if (time.hour > 23 || time.minute > 59 || time.second > 60) return TROLLEY_ERR_PROTOCOL;
    *ret_time = time;
    return 0;
}

/* The n-th piece between separators, of `length` bytes; empty when there are fewer. */
static struct trimmed text_piece(const char *text, size_t length, char separator, uint32_t n)
{
    const char *at = text, *end = text + length, *stop;

    for (;; n--, at = stop + 1) {
        stop = memchr(at, separator, (size_t)(end - at));
        if (n == 0) return (struct trimmed){at, (size_t)((stop ? stop : end) - at)};
        if (!stop) return (struct trimmed){end, 0};
    }
}

int64_t trolley_node_person(const struct trolley_node *node, uint32_t tag, uint32_t i,
                            uint32_t group, uint32_t part, char *buf, uint64_t size)
{
    const char *text = trolley_node_text(node, tag, i);
    struct trimmed piece;

    if (!text) return -1;
    piece = text_piece(text, strlen(text), '=', group);
    piece = text_piece(piece.text, piece.length, '^', part);
    for (; piece.length > 0 && *piece.text == ' '; piece.text++)
        piece.length--;
    while (piece.length > 0 && piece.text[piece.length - 1] == ' ')
        piece.length--;
    if (size) *tree_join_copy(buf, buf + size - 1, piece.text, piece.length) = '\0';
    return (int64_t)piece.length;
}

int trolley_node_ref(const struct trolley_node *node, struct trolley_ref *ret_ref)
{
    struct trolley_ref ref = {.size = sizeof ref};

    if (!node) return TROLLEY_ERR_INVALID_ARG;
    ref.level = node->level;
    if (node->level == TROLLEY_LEVEL_INSTANCE) {
        ref.instance = node->uid;
        ref.sop_class = trolley_node_text(node, TAG_SOP_CLASS, 0);
        ref.transfer_syntax = trolley_node_text(node, TAG_AVAILABLE_TRANSFER_SYNTAX, 0);
        node = trolley_node_parent(node);
    }
    if (node->level == TROLLEY_LEVEL_SERIES) {
        ref.series = node->uid;
        node = trolley_node_parent(node);
    }
    ref.study = node->uid;
    *ret_ref = ref;
    return 0;
}

static int ref_check(const char *uid, const char *what, struct trolley_error *error)
{
    if (!uid || kit_uid_valid(uid)) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_ARG,
                     "`%.80s` is no %s (digits and dots, at most 64)", uid, what);
}

int trolley_ref_make(const char *study, const char *series, const char *instance,
                     struct trolley_ref *ret_ref, struct trolley_error *error)
{
    struct trolley_ref ref = {.size = sizeof ref};
    int r;

    if (!study || (instance && !series))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "a reference needs the UIDs of all levels above");
    r = ref_check(study, "Study Instance UID", error);
    if (r == 0) r = ref_check(series, "Series Instance UID", error);
    if (r == 0) r = ref_check(instance, "SOP Instance UID", error);
    if (r < 0) return r;
    ref.level = instance ? TROLLEY_LEVEL_INSTANCE
                : series ? TROLLEY_LEVEL_SERIES
                         : TROLLEY_LEVEL_STUDY;
    ref.study = study;
    ref.series = series;
    ref.instance = instance;
    *ret_ref = ref;
    return 0;
}
