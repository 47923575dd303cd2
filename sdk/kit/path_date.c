/* path_date.c: dates and times in a path template. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "path_internal.h"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

/* ---- patterns ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How often the first character is repeated. */
static size_t run_length(const char *text)
{
    size_t length = 1;

    while (text[length] == text[0])
        length++;
    return length;
}

const char *path_date_problem(const char *pattern)
{
    if (!*pattern) return "the pattern of a date is empty";
    while (*pattern) {
        const size_t length = run_length(pattern);

        if (*pattern == '\'') {
            const char *end = strchr(pattern + 1, '\'');

            if (!end) return "a quote is not closed in the pattern of a date:";
            pattern = end + 1;
            continue;
        }
        if (is_letter(*pattern) && !strchr("yMdDEaHhkKmsS", *pattern))
            return "a date's pattern has y M d D E a H h k K m s S and 'text':";
        if (length > 9) return "a letter is repeated too often in the pattern of a date:";
        pattern += length;
    }
    return NULL;
}

static int put_number(struct kit_buffer *out, int number, size_t digits)
{
    return kit_buffer_printf(out, "%0*d", (int)digits, number);
}

static int put_name(struct kit_buffer *out, const char *name, size_t length)
{
    return length > 3 ? kit_buffer_text(out, name) : kit_buffer_append(out, name, 3);
}

static int put_field(struct kit_buffer *out, char letter, size_t length, const struct tm *when,
                     int millisecond)
{
    const int year = when->tm_year + 1900, hour = when->tm_hour;

    switch (letter) {
    case 'y':
        return put_number(out, length == 2 ? year % 100 : year, length);
    case 'M':
        if (length > 2) return put_name(out, months[when->tm_mon], length);
        return put_number(out, when->tm_mon + 1, length);
    case 'd':
        return put_number(out, when->tm_mday, length);
    case 'D':
        return put_number(out, when->tm_yday + 1, length);
    case 'E':
        return put_name(out, days[when->tm_wday], length);
    case 'a':
        return kit_buffer_text(out, hour < 12 ? "AM" : "PM");
    case 'H':
        return put_number(out, hour, length);
    case 'h':
        return put_number(out, hour % 12 ? hour % 12 : 12, length);
    case 'k':
        return put_number(out, hour ? hour : 24, length);
    case 'K':
        return put_number(out, hour % 12, length);
    case 'm':
        return put_number(out, when->tm_min, length);
    case 's':
        return put_number(out, when->tm_sec, length);
    default:
        return put_number(out, millisecond, length);
    }
}

int path_date_format(const char *pattern, const struct tm *when, int millisecond,
                     struct kit_buffer *out)
{
    int r = 0;

    while (r == 0 && *pattern) {
        size_t length = run_length(pattern);

        if (*pattern == '\'') {
            length = strcspn(pattern + 1, "'");
            r = length ? kit_buffer_append(out, pattern + 1, length) : kit_buffer_text(out, "'");
            length += 2;
        } else if (is_letter(*pattern)) {
            r = put_field(out, *pattern, length, when, millisecond);
        } else {
            r = kit_buffer_append(out, pattern, length);
        }
        pattern += length;
    }
    return r;
}

/* ---- values ---- */

/* The digits at *text, at most `most`; what separates them in old values is passed over. */
static size_t take_digits(const char **text, char separator, char *digits, size_t most)
{
    size_t count = 0;

    for (; **text; ++*text) {
        if (**text == separator && count) continue;
        if (**text < '0' || **text > '9' || count == most) break;
        digits[count++] = **text;
    }
    digits[count] = '\0';
    return count;
}

static int take_number(const char **digits, size_t width, int fallback)
{
    int number = 0;

    if (!**digits) return fallback;
    while (width-- > 0 && **digits)
        number = number * 10 + (*(*digits)++ - '0');
    return number;
}

static bool in_range(const struct tm *when)
{
    return when->tm_mon >= 0 && when->tm_mon < 12 && when->tm_mday >= 1 && when->tm_mday <= 31 &&
           when->tm_hour < 24 && when->tm_min < 60 && when->tm_sec <= 60;
}

bool path_date_read(const char *value, bool time, struct tm *ret_when, int *ret_millisecond)
{
    const bool old_date = strlen(value) == 10 && value[4] == '.' && value[7] == '.';
    struct tm when = {.tm_year = 70, .tm_mday = 1};
    char digits[15], fraction[4];
    const char *at = digits;
    size_t count = take_digits(&value, old_date ? '.' : ':', digits, 14);
    bool has_date;

    /* Pairs alone, and a year before a date. */
    if (count < 2 || count % 2 || (!time && count < 4)) return false;
    has_date = !time || count > 6;
    *ret_millisecond = 0;
    if (*value == '.') {
        value++;
        if (take_digits(&value, '\0', fraction, 3) == 3)
            *ret_millisecond = (int)strtol(fraction, NULL, 10);
    }
    if (has_date) {
        when.tm_year = take_number(&at, 4, 1970) - 1900;
        when.tm_mon = take_number(&at, 2, 1) - 1;
        when.tm_mday = take_number(&at, 2, 1);
    }
    when.tm_hour = take_number(&at, 2, 0);
    when.tm_min = take_number(&at, 2, 0);
    when.tm_sec = take_number(&at, 2, 0);
    if (!in_range(&when)) return false;
    (void)timegm(&when); /* which day of the week and the year that is */
    *ret_when = when;
    return true;
}
