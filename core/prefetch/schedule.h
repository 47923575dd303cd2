/*
 * schedule.h: durations and schedules as dcm4chee writes them. Pure: the caller brings the time.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_SCHEDULE_H
#define CORE_PREFETCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model/error.h"

/* Times here are milliseconds since 1970-01-01 UTC; hours and days are local time (TZ). */

/*
 * Reads `P[nD][T[nH][nM][n[.f]S]]`, in any case: at least one number, no bare T, no years, months,
 * weeks or sign; numbers are unlimited (PT90M). Errors: INVALID_ARG says what is wrong.
 */
int prefetch_duration(const char *text, int64_t *ret_ms, struct trolley_error *error);

struct prefetch_schedule;

/*
 * Reads `hour=18-6 dayOfWeek=*` expressions: lists, ranges that wrap, 0 = Sunday; what is not named
 * is `*`; several expressions are or-ed. A range of hours ends before its last number, as in
 * dcm4chee: 18-6 is from six in the evening to six in the morning. A range of days has its last
 * day: 1-5 is Monday to Friday, which is what dcm4chee's samples say (its code leaves Friday out).
 * `texts` has `count` of them, at least one. Free with prefetch_schedule_free. Errors: INVALID_ARG.
 */
int prefetch_schedule_parse(const char *const *texts, uint32_t count,
                            struct prefetch_schedule **ret_schedule, struct trolley_error *error);
void prefetch_schedule_free(struct prefetch_schedule *schedule);

/* Is it open at that time? NULL: always. The day is looked at again at each hour. [any] */
bool prefetch_schedule_open(const struct prefetch_schedule *schedule, int64_t now_ms);

/* The earliest time from `now_ms` on at which it is open; -1 when it never is. [any] */
int64_t prefetch_schedule_next(const struct prefetch_schedule *schedule, int64_t now_ms);

#endif
