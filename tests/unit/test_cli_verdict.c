/* Verdicts, progress, exit statuses. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cli/exit.h"
#include "core/cli/progress.h"
#include "core/cli/verdict.h"

static void says(int status, struct trolley_counts counts, const char *expected)
{
    struct kit_buffer out = {0};

    assert_int_equal(verdict_text(&out, status, &counts), 0);
    assert_string_equal(out.data, expected);
    kit_buffer_free(&out);
}

static void the_verdict_is_one_line(void **state)
{
    (void)state;
    says(TROLLEY_OK,
         (struct trolley_counts){.expected = 1000,
                                 .stored = 1000,
                                 .bytes = UINT64_C(501) << 20,
                                 .seconds = 1.24,
                                 .verified = 1},
         "complete: 1000 of 1000 instances (1000 stored, 0 skipped, 0 missing, 0 failed), 501 MiB "
         "in 1.2 s");
    says(TROLLEY_OK,
         (struct trolley_counts){.expected = 3,
                                 .skipped = 1,
                                 .replaced = 1,
                                 .ignored = 1,
                                 .duplicate = 2,
                                 .verified = 1,
                                 .bytes = 1536},
         "complete: 2 of 3 instances (0 stored, 1 skipped, 0 missing, 0 failed, 1 replaced, 1 "
         "ignored, 2 duplicate), 1.5 KiB in 0.0 s");
    says(
        TROLLEY_OK, (struct trolley_counts){.stored = 12, .bytes = 12, .seconds = 61},
        "unverified: 12 instances (12 stored, 0 skipped, 0 missing, 0 failed), 12 B in 1 min 01 s");
    says(TROLLEY_ERR_PARTIAL,
         (struct trolley_counts){.expected = 3, .stored = 2, .missing = 1, .verified = 1},
         "partial: 2 of 3 instances (2 stored, 0 skipped, 1 missing, 0 failed), 0 B in 0.0 s");
    says(TROLLEY_ERR_PARTIAL, (struct trolley_counts){.expected = 1, .failed = 1, .verified = 1},
         "failed: 0 of 1 instances (0 stored, 0 skipped, 0 missing, 1 failed), 0 B in 0.0 s");
    says(TROLLEY_ERR_CANCELLED,
         (struct trolley_counts){.expected = 9, .stored = 1, .verified = 1, .seconds = 7500},
         "cancelled: 1 of 9 instances (1 stored, 0 skipped, 0 missing, 0 failed), 0 B in 2 h 05 "
         "min");
}

static void sizes_have_the_unit_that_fits(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {10240, "10 KiB"},
        {1048575, "1.0 MiB"},
        {UINT64_C(6) << 30, "6.0 GiB"},
        {UINT64_MAX, "16 EiB"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_buffer out = {0};

        assert_int_equal(bytes_text(&out, cases[i].bytes), 0);
        assert_string_equal(out.data, cases[i].text);
        kit_buffer_free(&out);
    }
}

static void the_worst_exit_status_wins(void **state)
{
    static const int order[] = {0, 3, 1, 4, 2};
    size_t i, j;

    (void)state;
    for (i = 0; i < 5; i++)
        for (j = 0; j < 5; j++)
            assert_int_equal(exit_worse(order[i], order[j]), order[i > j ? i : j]);
}

static void statuses_become_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(exit_of(TROLLEY_OK, false), 0);
    assert_int_equal(exit_of(TROLLEY_ERR_PARTIAL, true), 3);
    assert_int_equal(exit_of(TROLLEY_ERR_PARTIAL, false), 1);
    assert_int_equal(exit_of(TROLLEY_ERR_NOT_FOUND, false), 1);
    assert_int_equal(exit_of(TROLLEY_ERR_AUTH, false), 4);
    assert_int_equal(exit_of(TROLLEY_ERR_AUTH, true), 3);
    assert_int_equal(exit_of(TROLLEY_ERR_NETWORK, true), 3);
    assert_int_equal(exit_of(TROLLEY_ERR_INVALID_CONFIG, false), 2);
    assert_int_equal(exit_of(TROLLEY_ERR_UNSUPPORTED_PARAM, false), 2);
}

static void progress_tells_rate_and_time_left(void **state)
{
    struct progress progress = {0};
    struct trolley_counts counts = {.expected = 100, .verified = 1};
    struct kit_buffer out = {0};
    int i;

    (void)state;
    for (i = 1; i <= 5; i++) {
        counts.seconds = i;
        counts.stored = (uint64_t)i * 10;
        counts.bytes = (uint64_t)i * (10 << 20);
        progress_sample(&progress, &counts);
    }
    assert_int_equal(progress_text(&out, &progress, &counts, 0), 0);
    assert_string_equal(out.data, "50 of 100 instances, 50 MiB, 10 MiB/s, 5.0 s left");
    kit_buffer_reset(&out);
    assert_int_equal(progress_text(&out, &progress, &counts, 80), 0);
    assert_memory_equal(out.data, "[#", 2);
    assert_non_null(strstr(out.data, "#-"));
    assert_in_range(out.length, 50, 79);
    kit_buffer_reset(&out);
    assert_int_equal(progress_text(&out, &progress, &counts, 20), 0);
    assert_int_equal(out.length, 19);
    kit_buffer_free(&out);
}

static void progress_without_a_total_has_no_bar(void **state)
{
    struct progress progress = {0};
    const struct trolley_counts counts = {.stored = 5, .failed = 1, .seconds = 2};
    struct kit_buffer out = {0};

    (void)state;
    progress_sample(&progress, &counts);
    assert_int_equal(progress_text(&out, &progress, &counts, 80), 0);
    assert_string_equal(out.data, "6 instances, 1 missing or failed, 0 B, 0 B/s");
    kit_buffer_free(&out);
}

/* Where there is no terminal: a line every few seconds of the download's own clock, none between.
 */
static void progress_is_plain_lines_in_a_pipe(void **state)
{
    struct console console;
    struct progress progress = {.console = &console};
    struct trolley_counts counts = {.expected = 10};
    char text[512];
    int ends[2];
    ssize_t length;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    console_init(&console, ends[1]);
    for (counts.seconds = 1; counts.seconds < 12; counts.seconds++) {
        counts.stored = (uint64_t)counts.seconds / 2;
        progress_show(&progress, &counts);
    }
    progress_end(&progress);
    console_destroy(&console);
    close(ends[1]);
    length = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    assert_in_range(length, 1, sizeof text - 1);
    text[length] = '\0';
    assert_memory_equal(text, "2 of 10 instances, 0 B, 0 B/s, ", 31);
    assert_non_null(strstr(text, " left\n5 of 10 instances, 0 B, 0 B/s, "));
    assert_null(strpbrk(text, "#\r\033"));
}

static void progress_tells_what_workers_do(void **state)
{
    const struct trolley_ref ref = {.size = sizeof ref, .study = "1.2", .series = "1.2.3"};
    const struct trolley_worker busy = {.downloader = "wado-rs \033x", .ref = &ref, .count = 3};
    const struct trolley_worker idle = {.number = 1};
    struct kit_buffer out = {0};

    (void)state;
    assert_int_equal(progress_worker_text(&out, &busy), 0);
    assert_string_equal(out.data, "wado-rs \\x1bx: series 1.2.3 and 2 more");
    kit_buffer_reset(&out);
    assert_int_equal(progress_worker_text(&out, &idle), 0);
    assert_string_equal(out.data, "waits");
    kit_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_is_one_line),
        cmocka_unit_test(sizes_have_the_unit_that_fits),
        cmocka_unit_test(the_worst_exit_status_wins),
        cmocka_unit_test(statuses_become_exit_statuses),
        cmocka_unit_test(progress_tells_rate_and_time_left),
        cmocka_unit_test(progress_without_a_total_has_no_bar),
        cmocka_unit_test(progress_is_plain_lines_in_a_pipe),
        cmocka_unit_test(progress_tells_what_workers_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
