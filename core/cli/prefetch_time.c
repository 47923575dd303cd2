/* prefetch_time.c: times as people type and read them. SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

static int time_fail(const char *text, struct trolley_error *error)
{
    return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                    "%s: no time; as 2026-03-01, 2026-03-01T18:00, 18:00, now, +2h, -7d", text);
}

/* "+2h", "-7d", "+90s". */
static int time_relative(const char *text, int64_t now_ms, int64_t *ret_ms,
                         struct trolley_error *error)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end;
    long long number;
    size_t i;

    if (!isdigit((unsigned char)text[1])) return time_fail(text, error);
    number = strtoll(text + 1, &end, 10);
    for (i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end[0] != units[i].unit || end[1]) continue;
        if (number > 1000000000) return time_fail(text, error);
        *ret_ms = now_ms + (text[0] == '-' ? -1 : 1) * number * units[i].ms;
        return 0;
    }
    return time_fail(text, error);
}

/* Reads exactly `pattern`, in which 9 is a digit and all else itself; the rest stays. */
static bool time_reads(const char **text, const char *pattern, int *numbers)
{
    const char *at = *text;

    for (; *pattern; pattern++, at++) {
        if (*pattern == '9') {
            if (!isdigit((unsigned char)*at)) return false;
            *numbers = *numbers * 10 + (*at - '0');
        } else {
            if (*at != *pattern) return false;
            numbers++;
        }
    }
    *text = at;
    return true;
}

static int time_absolute(const char *text, int64_t now_ms, int64_t *ret_ms,
                         struct trolley_error *error)
{
    const char *at = text;
    int date[3] = {0}, hour[2] = {0}, second = 0;
    time_t now = (time_t)(now_ms / 1000), time;
    struct tm tm, check;
    bool utc, dated = time_reads(&at, "9999-99-99", date), timed = !dated;

    localtime_r(&now, &tm);
    if (dated && (*at == 'T' || *at == ' ')) {
        at++;
        timed = true;
    }
    if (timed && !time_reads(&at, "99:99", hour)) return time_fail(text, error);
    if (timed && *at == ':' && (at++, !time_reads(&at, "99", &second)))
        return time_fail(text, error);
    utc = dated && timed && *at == 'Z';
    if (at[utc]) return time_fail(text, error);
    if (dated) {
        tm.tm_year = date[0] - 1900;
        tm.tm_mon = date[1] - 1;
        tm.tm_mday = date[2];
    }
    tm.tm_hour = hour[0];
    tm.tm_min = hour[1];
    tm.tm_sec = second;
    tm.tm_isdst = -1;
    check = tm;
    time = utc ? timegm(&tm) : mktime(&tm);
    if (time < 0 || check.tm_mday != tm.tm_mday || hour[0] > 23 || hour[1] > 59 || second > 59)
        return time_fail(text, error);
    *ret_ms = (int64_t)time * 1000;
    return 0;
}

int prefetch_time(const char *text, int64_t now_ms, int64_t *ret_ms, struct trolley_error *error)
{
    if (strcmp(text, "now") == 0) {
        *ret_ms = now_ms;
        return 0;
    }
    if (*text == '+' || *text == '-') return time_relative(text, now_ms, ret_ms, error);
    return time_absolute(text, now_ms, ret_ms, error);
}

void prefetch_time_text(int64_t ms, bool local, char out[32])
{
    time_t time = (time_t)(ms / 1000);
    struct tm tm;

    out[0] = '\0';
    if (ms == 0) return;
    if (local)
        localtime_r(&time, &tm);
    else
        gmtime_r(&time, &tm);
    (void)strftime(out, 32, local ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%dT%H:%M:%SZ", &tm);
}
