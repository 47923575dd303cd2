/* SPDX-License-Identifier: MIT */
#include "match_time.h"

#include <stdint.h>
#include <string.h>

#define SECOND INT64_C(1000000) /* all times are microseconds */
#define DAY (86400 * SECOND)

/* The moments from `low` up to and without `high`, local time. */
struct match_interval {
    int64_t low, high;
    int64_t offset; /* from UTC */
    bool zoned;     /* an offset was given */
};

/* Reads exactly `digits` digits in [least, most]. Leaves *p alone when they are not there. */
static bool time_field(const char **p, const char *end, int digits, int least, int most,
                       int *ret_value)
{
    int value = 0, i;

    if (end - *p < digits) return false;
    for (i = 0; i < digits; i++) {
        if ((*p)[i] < '0' || (*p)[i] > '9') return false;
        value = value * 10 + ((*p)[i] - '0');
    }
    if (value < least || value > most) return false;
    *p += digits;
    *ret_value = value;
    return true;
}

/* Days from year 0 to the first of a month, which may be 13: the January after. */
static int64_t time_days(int year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t past = year > 0 ? year - 1 : 0;
    int64_t days = (int64_t)year * 365 + (year > 0 ? past / 4 - past / 100 + past / 400 + 1 : 0);

    return days + before[month - 1] + (leap && month > 2 ? 1 : 0);
}

static void time_skip(const char **p, const char *end, char separator)
{
    if (*p < end && **p == separator) (*p)++;
}

/* YYYY[MM[DD]]; the old form YYYY.MM.DD is accepted [PS3.5 6.2, DA]. */
static bool time_date(const char **p, const char *end, struct match_interval *interval,
                      bool *ret_whole)
{
    int year, month, day;

    if (!time_field(p, end, 4, 0, 9999, &year)) return false;
    interval->low = time_days(year, 1) * DAY;
    interval->high = time_days(year, 13) * DAY;
    time_skip(p, end, '.');
    if (!time_field(p, end, 2, 1, 12, &month)) return true;
    interval->low = time_days(year, month) * DAY;
    interval->high = time_days(year, month + 1) * DAY;
    time_skip(p, end, '.');
    if (!time_field(p, end, 2, 1, 31, &day)) return true;
    interval->low += (day - 1) * DAY;
    if (interval->low >= interval->high) return false;
    interval->high = interval->low + DAY;
    *ret_whole = true;
    return true;
}

/* .F to .FFFFFF */
static bool time_fraction(const char **p, const char *end, struct match_interval *interval)
{
    int64_t unit = SECOND;
    int digit;

    if (*p >= end || **p != '.') return true;
    (*p)++;
    while (unit > 1 && time_field(p, end, 1, 0, 9, &digit)) {
        unit /= 10;
        interval->low += digit * unit;
        interval->high = interval->low + unit;
    }
    return unit < SECOND;
}

/* HH[MM[SS[.F]]] within the interval's day; the old form HH:MM:SS is accepted. */
static bool time_clock(const char **p, const char *end, struct match_interval *interval)
{
    static const int most[] = {23, 59, 60}; /* leap seconds exist */
    static const int64_t unit[] = {3600 * SECOND, 60 * SECOND, SECOND};
    int i, value;

    for (i = 0; i < 3; i++) {
        if (i > 0) time_skip(p, end, ':');
        if (!time_field(p, end, 2, 0, most[i], &value)) return true;
        interval->low += value * unit[i];
        interval->high = interval->low + unit[i];
    }
    return time_fraction(p, end, interval);
}

/* &ZZXX */
static bool time_offset(const char **p, const char *end, struct match_interval *interval)
{
    int hours, minutes, sign;

    if (*p >= end || (**p != '+' && **p != '-')) return true;
    sign = *(*p)++ == '-' ? -1 : 1;
    if (!time_field(p, end, 2, 0, 14, &hours) || !time_field(p, end, 2, 0, 59, &minutes))
        return false;
    interval->zoned = true;
    interval->offset = sign * (hours * 60 + minutes) * 60 * SECOND;
    return true;
}

static bool time_read(const char *vr, const char *text, const char *end,
                      struct match_interval *interval)
{
    bool whole = false, ok;

    memset(interval, 0, sizeof *interval);
    while (text < end && *text == ' ')
        text++;
    while (text < end && end[-1] == ' ')
        end--;
    if (text == end) return false;
    if (strcmp(vr, "TM") == 0) {
        interval->high = DAY;
        ok = time_clock(&text, end, interval);
    } else {
        ok = time_date(&text, end, interval, &whole);
        if (ok && whole && strcmp(vr, "DT") == 0) ok = time_clock(&text, end, interval);
        if (ok && strcmp(vr, "DT") == 0) ok = time_offset(&text, end, interval);
    }
    return ok && text == end;
}

/*
 * A '-' in a DT is an offset's sign, not a range, when four digits up to 1200 follow and then the
 * key ends or a range's '-' comes.
 */
static bool time_is_offset(const char *key, const char *at, const char *end)
{
    int hours, minutes;

    if (at == key || at[-1] < '0' || at[-1] > '9') return false;
    at++;
    if (!time_field(&at, end, 2, 0, 12, &hours) || !time_field(&at, end, 2, 0, 59, &minutes))
        return false;
    return hours * 60 + minutes <= 720 && (at == end || *at == '-');
}

/* The '-' of a range; NULL for a single value. */
static const char *time_range(const char *vr, const char *key, const char *end)
{
    const char *at;

    for (at = key; at < end; at++) {
        if (*at != '-') continue;
        if (strcmp(vr, "DT") == 0 && time_is_offset(key, at, end)) continue;
        return at;
    }
    return NULL;
}

/* Local time, but UTC where both sides know their offset. */
static int64_t time_shift(const struct match_interval *of, const struct match_interval *other)
{
    return of->zoned && other->zoned ? of->offset : 0;
}

bool match_time(const char *vr, const char *key, const char *key_end, const char *value,
                const char *value_end)
{
    const char *dash = time_range(vr, key, key_end);
    struct match_interval from, to, v;
    bool has_from = dash != key, has_to = !dash || dash + 1 < key_end;

    if (!time_read(vr, value, value_end, &v)) return false;
    if (!has_from && !has_to) return false;
    if (has_from) {
        if (!time_read(vr, key, dash ? dash : key_end, &from)) return false;
        if (v.high - time_shift(&v, &from) <= from.low - time_shift(&from, &v)) return false;
    }
    if (has_to) {
        if (!time_read(vr, dash ? dash + 1 : key, key_end, &to)) return false;
        if (v.low - time_shift(&v, &to) >= to.high - time_shift(&to, &v)) return false;
    }
    return true;
}
