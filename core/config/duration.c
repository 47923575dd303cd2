/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/config/values.h"

#define DURATION_SECOND INT64_C(1000)
#define DURATION_MINUTE (60 * DURATION_SECOND)
#define DURATION_HOUR (60 * DURATION_MINUTE)
#define DURATION_DAY (24 * DURATION_HOUR)

static bool duration_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at *at; false when there are none or too many. */
static bool duration_number(const char **at, int64_t *ret_number)
{
    int64_t number = 0;

    if (!duration_digit(**at)) return false;
    for (; duration_digit(**at); (*at)++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, **at - '0', &number))
            return false;
    *ret_number = number;
    return true;
}

/* *total += number * unit; false past int64. */
static bool duration_add(int64_t *total, int64_t number, int64_t unit)
{
    return !__builtin_mul_overflow(number, unit, &number) &&
           !__builtin_add_overflow(*total, number, total);
}

/* ".f" of seconds at *at, in whole milliseconds; further digits are dropped. */
static bool duration_fraction(const char **at, int64_t *ret_ms)
{
    int64_t ms = 0, unit = 100;

    if (!duration_digit(*++*at)) return false;
    for (; duration_digit(**at); (*at)++, unit /= 10)
        ms += (**at - '0') * unit;
    *ret_ms = ms;
    return true;
}

/* P[nD][T[nH][nM][n[.f]S]], in any case, with one number at least and no T at the end. */
static bool duration_iso(const char *at, int64_t *ret_ms)
{
    static const struct {
        char letter;
        bool time;
        int64_t unit;
    } parts[] = {{'D', false, DURATION_DAY},
                 {'H', true, DURATION_HOUR},
                 {'M', true, DURATION_MINUTE},
                 {'S', true, DURATION_SECOND}};
    const size_t count = sizeof parts / sizeof parts[0];
    int64_t total = 0, number, fraction;
    bool time = false, any = false;
    size_t next = 0;

    for (at++; *at; at++) {
        if ((*at == 'T' || *at == 't') && !time) {
            time = true;
            any = false;
            continue;
        }
        fraction = -1;
        if (!duration_number(&at, &number)) return false;
        if (*at == '.' && !duration_fraction(&at, &fraction)) return false;
        while (next < count && parts[next].letter != (*at & ~0x20))
            next++;
        if (next == count || parts[next].time != time) return false;
        if (fraction >= 0 && parts[next].letter != 'S') return false;
        if (!duration_add(&total, number, parts[next].unit)) return false;
        if (fraction > 0 && !duration_add(&total, fraction, 1)) return false;
        next++;
        any = true;
    }
    if (!any) return false;
    *ret_ms = total;
    return true;
}

bool config_duration_parse(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        int64_t unit;
    } units[] = {{"ms", 1},
                 {"s", DURATION_SECOND},
                 {"m", DURATION_MINUTE},
                 {"h", DURATION_HOUR},
                 {"d", DURATION_DAY}};
    int64_t number, total = 0;
    size_t i;

    if (*text == 'P' || *text == 'p') return duration_iso(text, ret_ms);
    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return true;
    }
    if (!duration_number(&text, &number)) return false;
    text += strspn(text, " ");
    for (i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text, units[i].name) == 0 && duration_add(&total, number, units[i].unit)) {
            *ret_ms = total;
            return true;
        }
    return false;
}
