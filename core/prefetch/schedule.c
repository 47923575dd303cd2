/* schedule.c: durations and schedules as dcm4chee writes them. SPDX-License-Identifier: MIT */
#include "core/prefetch/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/config/values.h"

#define SCHEDULE_MOST 64 /* expressions of one schedule */
/* Every hour of every day comes within a week, but for those that a change of the clocks or of the
 * date line leaves out: then within two. */
#define SCHEDULE_STEPS (15 * 24 * 2)

/* One expression: sets of bits, hour 0 and Sunday lowest. */
struct schedule_window {
    uint32_t hours, days;
};

struct prefetch_schedule {
    uint32_t count;
    struct schedule_window windows[];
};

/* What a malformed duration got wrong. */
static const char *duration_fault(const char *text)
{
    const char *time = strpbrk(text, "Tt");

    if (*text != 'P' && *text != 'p') return "it begins with P, as in PT1M";
    if (strpbrk(text, "+-")) return "it has no sign";
    if (strpbrk(text, "YyWw") || strcspn(text, "Mm") < strcspn(text, "Tt"))
        return "years, months and weeks are not taken: D, and behind T also H, M and S";
    if (!strpbrk(text, "0123456789")) return "it has no number";
    if (time && !time[1]) return "nothing stands behind the T";
    return "it is written P[nD][T[nH][nM][n[.f]S]]";
}

int prefetch_duration(const char *text, int64_t *ret_ms, struct trolley_error *error)
{
    int64_t ms;

    if ((*text != 'P' && *text != 'p') || !config_duration_parse(text, &ms))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "`%s` is no duration: %s", text,
                         duration_fault(text));
    *ret_ms = ms;
    return 0;
}

/* A decimal number below `bound` at *at. */
static bool schedule_number(const char **at, uint32_t bound, uint32_t *ret_number)
{
    uint32_t number = 0;

    if (**at < '0' || **at > '9') return false;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        number = number * 10 + (uint32_t)(**at - '0');
        if (number >= bound) return false;
    }
    *ret_number = number;
    return true;
}

/* `n` or `n-m` at *at, into *set. A range of hours ends before its last number, as 18-6 is from six
 * in the evening to six in the morning; one of days has its last day. */
static bool schedule_range(const char **at, uint32_t bound, uint32_t *set)
{
    const bool hours = bound == 24;
    uint32_t from, to;

    if (!schedule_number(at, bound, &from)) return false;
    *set |= UINT32_C(1) << from;
    if (**at != '-') return true;
    (*at)++;
    /* 24 is the end of the day. */
    if (!schedule_number(at, hours ? bound + 1 : bound, &to)) return false;
    if (hours && from == to) return false;
    to = (hours ? to : to + 1) % bound;
    do {
        *set |= UINT32_C(1) << from;
        from = (from + 1) % bound;
    } while (from != to);
    return true;
}

/* `*`, or ranges separated by commas, up to white space or the end. */
static bool schedule_set(const char **at, uint32_t bound, uint32_t *set)
{
    if (**at == '*') {
        (*at)++;
        *set = (UINT32_C(1) << bound) - 1;
        return !**at || **at == ' ' || **at == '\t';
    }
    for (;; (*at)++) {
        if (!schedule_range(at, bound, set)) return false;
        if (!**at || **at == ' ' || **at == '\t') return true;
        if (**at != ',') return false;
    }
}

static int schedule_window(const char *text, struct schedule_window *window,
                           struct trolley_error *error)
{
    static const struct {
        const char *name;
        uint32_t bound;
    } parts[] = {{"hour=", 24}, {"dayOfWeek=", 7}};
    uint32_t *const sets[] = {&window->hours, &window->days};
    const char *at = text;
    size_t i;

    for (at += strspn(at, " \t"); *at; at += strspn(at, " \t")) {
        for (i = 0; i < 2; i++)
            if (strncasecmp(at, parts[i].name, strlen(parts[i].name)) == 0) break;
        if (i == 2)
            return error_set(error, TROLLEY_ERR_INVALID_ARG,
                             "`%s`: a schedule is made of hour= and dayOfWeek=", text);
        if (*sets[i])
            return error_set(error, TROLLEY_ERR_INVALID_ARG, "`%s`: %s stands here twice", text,
                             parts[i].name);
        at += strlen(parts[i].name);
        if (!schedule_set(&at, parts[i].bound, sets[i]))
            return error_set(error, TROLLEY_ERR_INVALID_ARG,
                             "`%s`: %s takes *, or numbers from 0 to %u and ranges of them, "
                             "separated by commas",
                             text, parts[i].name, parts[i].bound - 1);
    }
    if (!window->hours && !window->days)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "a schedule is empty");
    if (!window->hours) window->hours = (UINT32_C(1) << 24) - 1;
    if (!window->days) window->days = (UINT32_C(1) << 7) - 1;
    return 0;
}

int prefetch_schedule_parse(const char *const *texts, uint32_t count,
                            struct prefetch_schedule **ret_schedule, struct trolley_error *error)
{
    struct prefetch_schedule *schedule;
    uint32_t i;
    int r = 0;

    if (count == 0 || count > SCHEDULE_MOST)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "a schedule has 1 to %d expressions",
                         SCHEDULE_MOST);
    schedule = calloc(1, sizeof *schedule + count * sizeof schedule->windows[0]);
    if (!schedule) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    schedule->count = count;
    for (i = 0; r == 0 && i < count; i++)
        r = schedule_window(texts[i], &schedule->windows[i], error);
    if (r < 0) {
        free(schedule);
        return r;
    }
    *ret_schedule = schedule;
    return 0;
}

void prefetch_schedule_free(struct prefetch_schedule *schedule)
{
    free(schedule);
}

/* Whole seconds, rounded down before 1970 too. */
static time_t schedule_seconds(int64_t ms)
{
    return (time_t)(ms / 1000 - (ms % 1000 < 0));
}

static bool schedule_open_at(const struct prefetch_schedule *schedule, const struct tm *at)
{
    uint32_t i;

    for (i = 0; i < schedule->count; i++)
        if ((schedule->windows[i].hours >> at->tm_hour & 1) &&
            (schedule->windows[i].days >> at->tm_wday & 1))
            return true;
    return false;
}

bool prefetch_schedule_open(const struct prefetch_schedule *schedule, int64_t now_ms)
{
    const time_t now = schedule_seconds(now_ms);
    struct tm at;

    if (!schedule) return true;
    return localtime_r(&now, &at) && schedule_open_at(schedule, &at);
}

/* The start of the next hour of local time. Where the clocks change in between, the next minute,
 * since the change itself may begin an hour. */
static bool schedule_advance(time_t *now, struct tm *at)
{
    const int rest = at->tm_sec < 60 ? 60 - at->tm_sec : 1;
    time_t next = *now + rest + (59 - at->tm_min) * 60;
    struct tm then;

    if (!localtime_r(&next, &then)) return false;
    if (then.tm_gmtoff != at->tm_gmtoff) {
        next = *now + rest;
        if (!localtime_r(&next, &then)) return false;
    }
    *now = next;
    *at = then;
    return true;
}

int64_t prefetch_schedule_next(const struct prefetch_schedule *schedule, int64_t now_ms)
{
    time_t now = schedule_seconds(now_ms);
    struct tm at;
    int steps;

    if (!schedule) return now_ms;
    if (!localtime_r(&now, &at)) return -1;
    if (schedule_open_at(schedule, &at)) return now_ms;
    for (steps = 0; steps < SCHEDULE_STEPS; steps++) {
        if (!schedule_advance(&now, &at)) return -1;
        if (schedule_open_at(schedule, &at)) return (int64_t)now * 1000;
    }
    return -1;
}
