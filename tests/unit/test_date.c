/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/date.h"

#include <cmocka.h>

/* Local noon of a day in Amsterdam, where the clock moves twice a year. */
static time_t day(int year, int month, int mday, int hour)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = mday, .tm_hour = hour};

    tm.tm_isdst = -1;
    return mktime(&tm);
}

static void check(const char *text, time_t now, const char *from, const char *to)
{
    struct trolley_error error = {0};
    char ret_from[9] = "?", ret_to[9] = "?";
    int r = date_parse_range(text, now, ret_from, ret_to, &error);

    if (!from) {
        if (r != TROLLEY_ERR_INVALID_ARG) fail_msg("%s was taken", text);
        assert_string_equal(ret_from, "?");
        assert_string_equal(ret_to, "?");
        assert_int_equal(error.status, TROLLEY_ERR_INVALID_ARG);
        assert_true(*error.message);
        return;
    }
    if (r != 0) fail_msg("%s: %s", text, error.message);
    assert_string_equal(ret_from, from);
    assert_string_equal(ret_to, to);
}

static void test_calendar(void **state)
{
    static const struct {
        const char *text, *from, *to;
    } cases[] = {
        {"20150301", "20150301", "20150301"},
        {"2015-03-01", "20150301", "20150301"},
        {"20150301-20150401", "20150301", "20150401"},
        {"20150301..20150401", "20150301", "20150401"},
        {"2015-03-01-2015-04-01", "20150301", "20150401"},
        {"2015-03-01..2015-04-01", "20150301", "20150401"},
        {"2015-03-01-20150401", "20150301", "20150401"},
        {"20150301-20150301", "20150301", "20150301"},
        {"20150301-", "20150301", ""},
        {"2015-03-01..", "20150301", ""},
        {"-20150301", "", "20150301"},
        {"..2015-03-01", "", "20150301"},
        {"-2015-03-01", "", "20150301"},
        {"20160229", "20160229", "20160229"},
        {"20000229", "20000229", "20000229"},
        {"20151231", "20151231", "20151231"},
        {"00010101", "00010101", "00010101"},
        {"99991231", "99991231", "99991231"},
    };
    static const char *const bad[] = {
        "",
        "-",
        "..",
        "...",
        "20150229",
        "19000229",
        "21000229",
        "20150431",
        "20150631",
        "20151301",
        "20150001",
        "20150100",
        "20150132",
        "00000101",
        "2015",
        "201503",
        "2015030",
        "201503011",
        "2015-0301",
        "201503-01",
        "2015-3-1",
        "20150301 ",
        " 20150301",
        "2015/03/01",
        "01-03-2015",
        "20150301--20150401",
        "20150301-20150401-",
        "20150301...20150401",
        "20150301-2015040",
        "20150401-20150301",
        "20150401..20150301",
        "20150301-20150229",
        "2015*",
        "morgen",
        "20150301\\20150302",
        "\xd9\xa2\xd9\xa0",
        "20150301-99999999",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].text, 0, cases[i].from, cases[i].to);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check(bad[i], 0, NULL, NULL);
}

static void test_relative(void **state)
{
    (void)state;
    check("today", day(2024, 3, 1, 12), "20240301", "20240301");
    check("Today", day(2024, 3, 1, 12), "20240301", "20240301");
    check("yesterday", day(2024, 3, 1, 12), "20240229", "20240229");
    check("yesterday", day(2023, 3, 1, 12), "20230228", "20230228");
    check("today-0d", day(2024, 3, 1, 12), "20240301", "20240301");
    check("today-1d", day(2024, 1, 1, 12), "20231231", "20231231");
    check("today-365d", day(2024, 12, 31, 12), "20240101", "20240101");
    check("yesterday-7d", day(2015, 3, 10, 12), "20150302", "20150302");
    check("today-7d-today", day(2015, 3, 10, 12), "20150303", "20150310");
    check("today-7d..yesterday", day(2015, 3, 10, 12), "20150303", "20150309");
    check("today-7d-", day(2015, 3, 10, 12), "20150303", "");
    check("-today-7d", day(2015, 3, 10, 12), "", "20150303");
    check("today-", day(2015, 3, 10, 12), "20150310", "");
    check("20150301-today", day(2015, 3, 10, 12), "20150301", "20150310");
    check("today-20150401", day(2015, 3, 10, 12), "20150310", "20150401");
    check("today-yesterday", day(2015, 3, 10, 12), NULL, NULL);
    check("today-20150301", day(2015, 3, 10, 12), NULL, NULL);
    check("today-7", day(2015, 3, 10, 12), NULL, NULL);
    check("today+7d", day(2015, 3, 10, 12), NULL, NULL);
    check("today-d", day(2015, 3, 10, 12), NULL, NULL);
    check("todays", day(2015, 3, 10, 12), NULL, NULL);
    check("today-9999999d", day(2015, 3, 10, 12), NULL, NULL);
    check("today-999999d", day(2015, 3, 10, 12), NULL, NULL); /* before the year 1 */
}

/* Late and early hours around a change of the clock are still their own day. */
static void test_relative_in_local_time(void **state)
{
    (void)state;
    check("yesterday", day(2024, 3, 31, 0), "20240330", "20240330");
    check("yesterday", day(2024, 3, 31, 23), "20240330", "20240330");
    check("yesterday", day(2024, 4, 1, 0), "20240331", "20240331");
    check("today-7d", day(2024, 10, 27, 23), "20241020", "20241020");
    check("today", day(2024, 10, 28, 0), "20241028", "20241028");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_relative),
        cmocka_unit_test(test_relative_in_local_time),
    };

    /* A rule instead of a name needs no time zone files. */
    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
