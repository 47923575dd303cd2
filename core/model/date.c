/* SPDX-License-Identifier: MIT */
#include "core/model/date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool date_is_real(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool date_write(int year, int month, int day, char out[9])
{
    if (!date_is_real(year, month, day)) return false;
    (void)snprintf(out, 9, "%04u%02u%02u", (unsigned)year % 10000, (unsigned)month % 100,
                   (unsigned)day % 100);
    return true;
}

/* Reads exactly `count` digits and moves past them. */
static bool date_digits(const char **at, int count, int *ret_number)
{
    int number = 0, i;

    for (i = 0; i < count; i++) {
        char c = (*at)[i];

        if (c < '0' || c > '9') return false;
        number = number * 10 + (c - '0');
    }
    *at += count;
    *ret_number = number;
    return true;
}

/* YYYYMMDD or YYYY-MM-DD. */
static bool date_read_calendar(const char **at, char out[9])
{
    const char *p = *at;
    bool dashes;
    int year, month, day;

    if (!date_digits(&p, 4, &year)) return false;
    dashes = *p == '-';
    p += dashes;
    if (!date_digits(&p, 2, &month)) return false;
    if (dashes && *p++ != '-') return false;
    if (!date_digits(&p, 2, &day) || !date_write(year, month, day, out)) return false;
    *at = p;
    return true;
}

/* "-7d" behind a word: the days to go back. Anything else is left where it is, for in "today-" and
 * "today-20150301" the dash is the range's. */
static int date_read_offset(const char **at)
{
    const char *p = *at;
    int days = 0, digits;

    if (*p != '-') return 0;
    for (p++, digits = 0; *p >= '0' && *p <= '9' && digits < 6; p++, digits++)
        days = days * 10 + (*p - '0');
    if (digits == 0 || (*p != 'd' && *p != 'D')) return 0;
    *at = p + 1;
    return days;
}

/* today, yesterday, and either of them some days back, in local time. */
static bool date_read_relative(const char **at, time_t now, char out[9])
{
    static const char today[] = "today", yesterday[] = "yesterday";
    struct tm day;
    int back = 0;

    if (strncasecmp(*at, today, strlen(today)) == 0) {
        *at += strlen(today);
    } else if (strncasecmp(*at, yesterday, strlen(yesterday)) == 0) {
        *at += strlen(yesterday);
        back = 1;
    } else {
        return false;
    }
    back += date_read_offset(at);
    if (!localtime_r(&now, &day)) return false;
    /* Noon exists on every day, midnight does not where the clock is put forward at night. */
    day.tm_hour = 12;
    day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    day.tm_mday -= back;
    if (mktime(&day) == (time_t)-1) return false;
    return date_write(day.tm_year + 1900, day.tm_mon + 1, day.tm_mday, out);
}

static bool date_read(const char **at, time_t now, char out[9])
{
    if (**at >= '0' && **at <= '9') return date_read_calendar(at, out);
    return date_read_relative(at, now, out);
}

/* Moves past "-" or "..". */
static bool date_read_separator(const char **at)
{
    if (**at == '-') {
        *at += 1;
        return true;
    }
    if (strncmp(*at, "..", 2) == 0) {
        *at += 2;
        return true;
    }
    return false;
}

int date_parse_range(const char *text, time_t now, char from[9], char to[9],
                     struct trolley_error *error)
{
    char first[9] = "", last[9] = "";
    const char *at = text;
    bool ok, range;

    range = date_read_separator(&at);
    ok = date_read(&at, now, range ? last : first);
    if (ok && !range) {
        range = date_read_separator(&at);
        if (range && *at) ok = date_read(&at, now, last);
        if (!range) memcpy(last, first, sizeof last);
    }
    if (!ok || *at)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "not a date or range of dates (YYYYMMDD, YYYY-MM-DD, today, yesterday, "
                         "today-7d, A-B, A..B, A-, -B)");
    if (*first && *last && strcmp(first, last) > 0)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "the range of dates runs backwards");
    memcpy(from, first, sizeof first);
    memcpy(to, last, sizeof last);
    return 0;
}
