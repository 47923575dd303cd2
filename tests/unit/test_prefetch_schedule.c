/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/prefetch/schedule.h"

#include <cmocka.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
/* Half an hour of daylight saving. */
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Acceptance test 1: every form, right and wrong. */
static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"PT1M", MINUTE},
        {"pt1m", MINUTE},
        {"Pt1M", MINUTE},
        {"PT90M", 90 * MINUTE},
        {"PT0S", 0},
        {"P0D", 0},
        {"P1D", DAY},
        {"P1DT2H3M4S", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND},
        {"P1DT4S", DAY + 4 * SECOND},
        {"PT2H4S", 2 * HOUR + 4 * SECOND},
        {"PT0.5S", 500},
        {"PT1.005S", 1005},
        {"PT1.0059S", 1005},
        {"PT007M", 7 * MINUTE},
        {"PT1000000M", 1000000 * MINUTE},
        {"P36500D", 36500 * DAY},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_error error = {0};
        int64_t ms = -7;

        if (prefetch_duration(cases[i].text, &ms, &error) < 0)
            fail_msg("%s: %s", cases[i].text, error.message);
        if (ms != cases[i].ms) fail_msg("%s is %lld ms", cases[i].text, (long long)ms);
    }
}

static void test_no_durations(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "begins with P"},
        {"1M", "begins with P"},
        {"T1M", "begins with P"},
        {" PT1M", "begins with P"},
        {"60s", "begins with P"},
        {"P", "no number"},
        {"PT", "no number"},
        {"PTM", "no number"},
        {"PTS", "no number"},
        {"P1DT", "behind the T"},
        {"P1Y", "years"},
        {"P1M", "years"},
        {"P1W", "years"},
        {"P1M1DT1H", "years"},
        {"PT1W", "years"},
        {"-PT1M", "begins with P"},
        {"P-1D", "sign"},
        {"PT+1M", "sign"},
        {"PT-1M", "sign"},
        {"PT1", "is written"},
        {"P1", "is written"},
        {"P1H", "is written"},
        {"PT1D", "is written"},
        {"PT1M1H", "is written"},
        {"PT1M1M", "is written"},
        {"PT1.5M", "is written"},
        {"PT1.S", "is written"},
        {"PT.5S", "is written"},
        {"PT1,5S", "is written"},
        {"PT1M ", "is written"},
        {"PT1MT1S", "is written"},
        {"PT1Mx", "is written"},
        {"PTT1M", "is written"},
        {"P1D1D", "is written"},
        {"PT1H30", "is written"},
        {"PT99999999999999999999M", "is written"},
        {"P200000000000D", "is written"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_error error = {0};
        int64_t ms = -7;

        if (prefetch_duration(cases[i].text, &ms, &error) != TROLLEY_ERR_INVALID_ARG)
            fail_msg("`%s` was taken as %lld ms", cases[i].text, (long long)ms);
        assert_int_equal(ms, -7);
        if (!strstr(error.message, cases[i].why))
            fail_msg("`%s`: %s", cases[i].text, error.message);
    }
}

/* Local time "YYYY-MM-DD HH:MM[:SS][.mmm]" in ms; `dst` where a time comes twice, else -1. */
static int64_t at_dst(const char *text, int dst)
{
    struct tm tm = {.tm_isdst = dst};
    const char *rest = strptime(text, "%Y-%m-%d %H:%M", &tm);
    int64_t ms = 0;

    assert_non_null(rest);
    tm.tm_isdst = dst;
    if (*rest == ':') rest = strptime(rest, ":%S", &tm);
    if (rest && *rest == '.') ms = strtol(rest + 1, NULL, 10);
    return (int64_t)mktime(&tm) * 1000 + ms;
}

static int64_t at(const char *text)
{
    return at_dst(text, -1);
}

static struct prefetch_schedule *parse(const char *first, const char *second)
{
    const char *const texts[] = {first, second};
    struct prefetch_schedule *schedule = NULL;
    struct trolley_error error = {0};

    if (prefetch_schedule_parse(texts, second ? 2 : 1, &schedule, &error) < 0)
        fail_msg("%s: %s", first, error.message);
    return schedule;
}

static void zone(const char *name)
{
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
}

struct moment {
    const char *first, *second; /* expressions */
    const char *now, *next;     /* NULL: open now */
};

static void check_moments(const struct moment *moments, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        struct prefetch_schedule *schedule = parse(moments[i].first, moments[i].second);
        const int64_t now = at(moments[i].now);
        const int64_t next = moments[i].next ? at(moments[i].next) : now;
        const int64_t told = prefetch_schedule_next(schedule, now);

        if (prefetch_schedule_open(schedule, now) != !moments[i].next)
            fail_msg("%s at %s: wrongly open or shut", moments[i].first, moments[i].now);
        if (told != next)
            fail_msg("%s at %s: %lld, not %lld", moments[i].first, moments[i].now, (long long)told,
                     (long long)next);
        if (!prefetch_schedule_open(schedule, told)) fail_msg("not open when it says");
        prefetch_schedule_free(schedule);
    }
}

/* Acceptance test 2. 2026-11-23 is a Monday. */
static void test_schedules(void **state)
{
    static const struct moment moments[] = {
        /* A night, which wraps. */
        {"hour=18-6 dayOfWeek=*", NULL, "2026-11-23 17:59:59.999", "2026-11-23 18:00"},
        {"hour=18-6 dayOfWeek=*", NULL, "2026-11-23 18:00", NULL},
        {"hour=18-6 dayOfWeek=*", NULL, "2026-11-23 23:59:59.999", NULL},
        {"hour=18-6 dayOfWeek=*", NULL, "2026-11-24 00:00", NULL},
        {"hour=18-6 dayOfWeek=*", NULL, "2026-11-24 05:59:59.999", NULL},
        {"hour=18-6 dayOfWeek=*", NULL, "2026-11-24 06:00", "2026-11-24 18:00"},
        {"hour=18-6", NULL, "2026-11-23 10:10", "2026-11-23 18:00"},
        {"hour=8-18", NULL, "2026-11-23 18:00", "2026-11-24 08:00"},
        {"hour=20-24", NULL, "2026-11-23 23:30", NULL},
        {"hour=20-24", NULL, "2026-11-24 00:00", "2026-11-24 20:00"},
        {"hour=22-0", NULL, "2026-11-23 23:30", NULL},
        {"hour=0-24", NULL, "2026-11-23 23:30", NULL},
        /* Lists. */
        {"hour=3,7,12-14", NULL, "2026-11-23 07:30", NULL},
        {"hour=3,7,12-14", NULL, "2026-11-23 08:00", "2026-11-23 12:00"},
        {"hour=3,7,12-14", NULL, "2026-11-23 14:00", "2026-11-24 03:00"},
        {"hour=5", NULL, "2026-11-23 05:59", NULL},
        {"hour=*", NULL, "2026-11-23 05:59", NULL},
        /* Days: 0 is Sunday, a range has its last day, one may wrap. */
        {"dayOfWeek=0", NULL, "2026-11-22 12:00", NULL},
        {"dayOfWeek=0", NULL, "2026-11-23 00:00", "2026-11-29 00:00"},
        {"dayOfWeek=1-5", NULL, "2026-11-27 23:59", NULL},
        {"dayOfWeek=1-5", NULL, "2026-11-28 00:00", "2026-11-30 00:00"},
        {"dayOfWeek=6-0", NULL, "2026-11-28 00:00", NULL},
        {"dayOfWeek=6-0", NULL, "2026-11-29 23:00", NULL},
        {"dayOfWeek=6-0", NULL, "2026-11-30 00:00", "2026-12-05 00:00"},
        {"dayOfWeek=3-3", NULL, "2026-11-25 09:00", NULL},
        {"dayOfWeek=3-3", NULL, "2026-11-24 09:00", "2026-11-25 00:00"},
        {"dayOfWeek=0-6", NULL, "2026-11-24 09:00", NULL},
        {"dayOfWeek=5-1", NULL, "2026-11-24 09:00", "2026-11-27 00:00"},
        /* The day is looked at again at the next hour: the night of Friday ends at midnight, and
         * its small hours are those of the morning before. */
        {"hour=18-6 dayOfWeek=5", NULL, "2026-11-27 20:00", NULL},
        {"hour=18-6 dayOfWeek=5", NULL, "2026-11-28 00:00", "2026-12-04 00:00"},
        {"hour=18-6 dayOfWeek=5", NULL, "2026-11-26 23:00", "2026-11-27 00:00"},
        {"hour=18-6 dayOfWeek=5", NULL, "2026-11-27 06:00", "2026-11-27 18:00"},
        /* Any of several, in any order and case. */
        {"hour=18-6 dayOfWeek=*", "hour=* dayOfWeek=0,6", "2026-11-28 12:00", NULL},
        {"hour=18-6 dayOfWeek=*", "hour=* dayOfWeek=0,6", "2026-11-27 12:00", "2026-11-27 18:00"},
        {"DAYOFWEEK=0,6  HOUR=10", " hour=12 ", "2026-11-28 10:00", NULL},
        {"dayOfWeek=0,6 hour=10", "hour=12", "2026-11-27 10:00", "2026-11-27 12:00"},
        /* The end of a year, and before 1970. */
        {"hour=3 dayOfWeek=5", NULL, "2026-12-31 23:00", "2027-01-01 03:00"},
        {"hour=3", NULL, "1969-12-30 03:59:59.500", NULL},
        {"hour=3", NULL, "1969-12-30 02:59:59.500", "1969-12-30 03:00"},
    };

    (void)state;
    zone("UTC");
    check_moments(moments, sizeof moments / sizeof moments[0]);
    zone(BERLIN);
    check_moments(moments, sizeof moments / sizeof moments[0]);
    zone(LORD_HOWE);
    check_moments(moments, sizeof moments / sizeof moments[0]);
}

/* Clocks go forward at 02:00 on 2026-03-29, back at 03:00 on 2026-10-25. */
static void test_daylight_saving(void **state)
{
    static const struct moment spring[] = {
        /* There is no hour 2 on that Sunday. */
        {"hour=2", NULL, "2026-03-29 01:59", "2026-03-30 02:00"},
        {"hour=2 dayOfWeek=0", NULL, "2026-03-29 00:00", "2026-04-05 02:00"},
        {"hour=3", NULL, "2026-03-29 01:59", "2026-03-29 03:00"},
        {"hour=18-6", NULL, "2026-03-29 03:30", NULL},
        {"hour=4-6", NULL, "2026-03-28 12:00", "2026-03-29 04:00"},
    };
    struct prefetch_schedule *schedule;

    (void)state;
    zone(BERLIN);
    check_moments(spring, sizeof spring / sizeof spring[0]);
    /* Hour 2 comes twice in autumn, and is open both times, without a gap. */
    schedule = parse("hour=2", NULL);
    assert_true(prefetch_schedule_open(schedule, at_dst("2026-10-25 02:30", 1)));
    assert_true(prefetch_schedule_open(schedule, at_dst("2026-10-25 02:30", 0)));
    assert_int_equal(prefetch_schedule_next(schedule, at("2026-10-25 01:15")),
                     at_dst("2026-10-25 02:00", 1));
    prefetch_schedule_free(schedule);
    schedule = parse("hour=3", NULL);
    assert_int_equal(prefetch_schedule_next(schedule, at_dst("2026-10-25 02:15", 1)),
                     at_dst("2026-10-25 03:00", 0));
    assert_int_equal(at_dst("2026-10-25 03:00", 0) - at_dst("2026-10-25 02:00", 1), 2 * HOUR);
    prefetch_schedule_free(schedule);
}

/* Half an hour forward at 02:00 on 2026-10-04, back at 02:00 on 2026-04-05. */
static void test_half_hour_shift(void **state)
{
    struct prefetch_schedule *schedule = parse("hour=2", NULL);

    (void)state;
    zone(LORD_HOWE);
    assert_int_equal(prefetch_schedule_next(schedule, at("2026-10-04 01:10")),
                     at("2026-10-04 02:30"));
    assert_int_equal(at("2026-10-04 02:30") - at("2026-10-04 01:10"), 50 * MINUTE);
    assert_int_equal(prefetch_schedule_next(schedule, at_dst("2026-04-05 01:10", 1)),
                     at_dst("2026-04-05 02:00", 0));
    assert_int_equal(at_dst("2026-04-05 02:00", 0) - at_dst("2026-04-05 01:10", 1), 80 * MINUTE);
    prefetch_schedule_free(schedule);
}

static void test_always(void **state)
{
    (void)state;
    assert_true(prefetch_schedule_open(NULL, 12345));
    assert_int_equal(prefetch_schedule_next(NULL, 12345), 12345);
    prefetch_schedule_free(NULL);
}

static void test_no_schedules(void **state)
{
    static const char *const cases[] = {
        "",
        "   ",
        "hour",
        "hour=",
        "hour=24",
        "hour=-1",
        "hour=1-",
        "hour=1-2-3",
        "hour=1,",
        "hour=,1",
        "hour=1 2",
        "hour=6-6",
        "hour=*,1",
        "hour=1,*",
        "hour=x",
        "hour=25-3",
        "hour=3-25",
        "dayOfWeek=7",
        "dayOfWeek=1-7",
        "dayOfWeek=Mon",
        "day=1",
        "minute=5",
        "hour=1 hour=2",
        "hour=1;dayOfWeek=2",
        "hour =1",
        "hour=1 dayOfWeek=*x",
        "hour=99999999999999999999",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct prefetch_schedule *schedule = NULL;
        struct trolley_error error = {0};

        if (prefetch_schedule_parse(&cases[i], 1, &schedule, &error) != TROLLEY_ERR_INVALID_ARG)
            fail_msg("`%s` was taken", cases[i]);
        assert_null(schedule);
        assert_true(*error.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),       cmocka_unit_test(test_no_durations),
        cmocka_unit_test(test_schedules),       cmocka_unit_test(test_daylight_saving),
        cmocka_unit_test(test_half_hour_shift), cmocka_unit_test(test_always),
        cmocka_unit_test(test_no_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
