/* test_prefetch_scheduler.c: when tasks run, again after failures, and not after a cancel
 * (prefetch.md, acceptance tests 8, 10, 17). SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prefetch/schedule.h"
#include "tests/unit/prefetch_fixture.h"

/* ---- retries -------------------------------------------------------------------------------- */

static void example_queue(struct prefetch_queue *queue)
{
    queue->max_retries = 10;
    queue->retry_delay_ms = 30 * SECOND;
    queue->retry_multiplier = 200;
    queue->max_retry_delay_ms = 10 * MINUTE;
}

static void test_8_retry_times(void **state)
{
    static const int64_t delays[] = {30, 60, 120, 240, 480, 600, 600, 600, 600, 600};
    struct fixture *fixture = *state;
    int64_t at = 0;
    uint32_t i;

    example_queue(&fixture->queues[0]);
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    for (i = 0; i < 10; i++) {
        at += delays[i] * SECOND;
        fixture_at(fixture, at - 1);
        assert_int_equal(fixture_step(fixture), 0);
        fixture_at(fixture, at);
        assert_int_equal(fixture_step(fixture), 1);
        fixture_run(fixture);
        assert_int_equal(fixture->call_count, i + 2);
    }
    /* An hour and a day later nothing more comes. */
    fixture_at(fixture, at + 25 * HOUR);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 11);
    assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_FAILED), 1);
}

static void test_8_delays_are_truncated_and_capped(void **state)
{
    struct prefetch_queue queue = {.retry_delay_ms = 101, .retry_multiplier = 150};

    (void)state;
    assert_int_equal(prefetch_retry_delay(&queue, 1), 101);
    assert_int_equal(prefetch_retry_delay(&queue, 2), 151);
    assert_int_equal(prefetch_retry_delay(&queue, 3), 226);
    queue.max_retry_delay_ms = 100;
    assert_int_equal(prefetch_retry_delay(&queue, 1), 100);
    /* Without a cap it must not wrap. */
    queue = (struct prefetch_queue){.retry_delay_ms = HOUR, .retry_multiplier = 1000};
    assert_true(prefetch_retry_delay(&queue, 4000000000u) > 0);
    queue.retry_multiplier = 100;
    assert_int_equal(prefetch_retry_delay(&queue, 4000000000u), HOUR);
}

static void test_8_retry_after_is_a_minimum(void **state)
{
    struct fixture *fixture = *state;

    example_queue(&fixture->queues[0]);
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture->answer.retry_after_ms = 45 * SECOND;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED FOR RETRY E 1/*/* 45000 1");
    fixture_at(fixture, 45 * SECOND);
    fixture_run(fixture);
    /* The second delay is a minute anyway. */
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED FOR RETRY E 1/*/* 105000 2");
}

static void test_8_no_retries_by_default(void **state)
{
    struct fixture *fixture = *state;

    fixture->answer.outcome = PREFETCH_FAILED;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "FAILED E 1/*/* 0 0");
}

static void test_warning_is_retried_only_when_asked_for(void **state)
{
    struct fixture *fixture = *state;

    example_queue(&fixture->queues[0]);
    fixture->answer.outcome = PREFETCH_WARNING;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "WARNING E 1/*/* 0 0");
    fixture->queues[0].retry_on_warning = true;
    fixture_arrive(fixture, "2", NULL, NULL);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "WARNING E 1/*/* 0 0\n"
                                                "SCHEDULED FOR RETRY E 2/*/* 30000 1");
}

/* ---- what is repeated ----------------------------------------------------------------------- */

static void test_retry_repeats_only_what_failed(void **state)
{
    struct fixture *fixture = *state;

    example_queue(&fixture->queues[0]);
    fixture->queues[0].retry_on_warning = true;
    fixture->answer.outcome = PREFETCH_WARNING;
    fixture->answer.failed = fixture->fails = 150; /* more than are kept in memory */
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    fixture->answer.failed = fixture->fails = 70;
    fixture_at(fixture, 30 * SECOND);
    fixture_run(fixture);
    fixture->answer.failed = fixture->fails = 0;
    fixture->answer.outcome = PREFETCH_COMPLETED;
    fixture_at(fixture, 90 * SECOND);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 3);
    assert_false(fixture->calls[0].again);
    assert_int_equal(fixture->calls[1].repeated, 150);
    assert_int_equal(fixture->calls[2].repeated, 70);
    assert_string_equal(fixture_tasks(fixture), "COMPLETED E 1/*/* 90000 2");
}

/* What the second run sees after the first one failed in the given way. */
static bool second_run_repeats(struct fixture *fixture)
{
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture->answer.failed = fixture->fails = 1;
    fixture->queues[0].max_retries = 1;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    return true;
}

static void test_retry_expands_anew_when_the_first_ended_early(void **state)
{
    struct fixture *fixture = *state;

    fixture->answer.unfinished = true;
    second_run_repeats(fixture);
    assert_int_equal(fixture->call_count, 2);
    assert_false(fixture->calls[1].again);
}

static void test_retry_scope_all_expands_anew(void **state)
{
    struct fixture *fixture = *state;

    fixture->exporters[0].retry_all = true;
    second_run_repeats(fixture);
    assert_int_equal(fixture->call_count, 2);
    assert_false(fixture->calls[1].again);
}

static void test_retry_expands_anew_when_the_urls_changed(void **state)
{
    struct fixture *fixture = *state;

    example_queue(&fixture->queues[0]);
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture->answer.failed = fixture->fails = 1;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    fixture->url.text = "http://x/new/[0]";
    fixture_restart(fixture);
    fixture_at(fixture, HOUR);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 2);
    assert_false(fixture->calls[1].again);
}

/* ---- queues --------------------------------------------------------------------------------- */

static void test_17_max_parallel_is_never_exceeded(void **state)
{
    struct fixture *fixture = *state;
    char study[16];
    int i;

    fixture->queues[0].max_parallel = 3;
    fixture->exporters[1].queue = &fixture->queues[0]; /* two exporters share it */
    fixture->rules[0].exporter_count = 2;
    fixture->hold = true;
    for (i = 0; i < 20; i++) {
        (void)snprintf(study, sizeof study, "1.%d", i + 1);
        fixture_arrive(fixture, study, NULL, NULL);
    }
    assert_int_equal(fixture_step(fixture), 3);
    fixture_in_hand(fixture, 3);
    assert_int_equal(fixture_step(fixture), 0);
    fixture_hold(fixture, false);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 40);
    assert_int_equal(fixture->most_in_hand, 3);
    assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_COMPLETED), 40);
}

static void test_queues_do_not_hold_each_other_up(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].exporter_count = 2;
    fixture->hold = true;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_arrive(fixture, "2", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 2);
    fixture_in_hand(fixture, 2);
    fixture_hold(fixture, false);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 4);
}

static void test_paused_queue_waits_and_goes_on(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].exporter_count = 2;
    assert_int_equal(prefetch_store_pause(fixture->store, "one", true, NULL), 0);
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0\nCOMPLETED F 1/*/* 0 0");
    /* A pause outlives who runs the tasks. */
    fixture_restart(fixture);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
    assert_int_equal(prefetch_store_pause(fixture->store, "one", false, NULL), 0);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 2);
}

static void test_queue_schedule_pauses_without_moving_tasks(void **state)
{
    struct fixture *fixture = *state;
    char text[32];
    const char *texts[] = {text};
    struct prefetch_schedule *schedule;
    struct trolley_error error;
    int64_t next;

    (void)snprintf(text, sizeof text, "hour=%d", (int)(START / HOUR + 1) % 24);
    assert_int_equal(prefetch_schedule_parse(texts, 1, &schedule, NULL), 0);
    fixture->queues[0].schedule = schedule;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(prefetch_scheduler_step(fixture->scheduler, &next, &error), 0);
    assert_int_equal(next - START, HOUR - START % HOUR);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0");
    fixture_at(fixture, HOUR - START % HOUR);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
    fixture->queues[0].schedule = NULL;
    prefetch_schedule_free(schedule);
}

static void test_oldest_due_task_of_a_queue_runs_first(void **state)
{
    struct fixture *fixture = *state;

    fixture->exporters[1].queue = &fixture->queues[0];
    fixture_at(fixture, 2 * SECOND);
    fixture_arrive(fixture, "2", NULL, NULL);
    fixture->rules[0].exporters = &fixture->named[1];
    fixture_at(fixture, SECOND);
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_at(fixture, MINUTE);
    fixture_run(fixture);
    assert_string_equal(fixture->calls[0].study, "1");
    assert_string_equal(fixture->calls[1].study, "2");
}

/* ---- cancel --------------------------------------------------------------------------------- */

static void test_10_cancel_of_a_running_task_sticks(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct fixture *fixture = *state;
    struct trolley_prefetch_changes changes;

    example_queue(&fixture->queues[0]);
    fixture->hold = true;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 1);
    fixture_in_hand(fixture, 1);
    assert_int_equal(prefetch_store_cancel(fixture->store, &all, START, &changes, NULL), 0);
    assert_int_equal(changes.changed, 1);
    fixture_run(fixture); /* the run is told, and ends although it is held */
    fixture_in_hand(fixture, 0);
    assert_string_equal(fixture_tasks(fixture), "CANCELED E 1/*/* 0 0");
    fixture_at(fixture, HOUR);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
}

static void test_10_cancel_sticks_when_the_run_ends_by_itself(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct fixture *fixture = *state;
    struct trolley_prefetch_changes changes;

    fixture->hold = true;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 1);
    fixture_in_hand(fixture, 1);
    assert_int_equal(prefetch_store_cancel(fixture->store, &all, START, &changes, NULL), 0);
    fixture_hold(fixture, false);
    fixture_in_hand(fixture, 0);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "CANCELED E 1/*/* 0 0");
}

static void test_10_rescheduled_after_cancel_waits_for_the_run_to_end(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct fixture *fixture = *state;
    struct trolley_prefetch_changes changes;

    fixture->queues[0].max_parallel = 2;
    fixture->hold = fixture->deaf = true;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 1);
    fixture_in_hand(fixture, 1);
    assert_int_equal(prefetch_store_cancel(fixture->store, &all, START, &changes, NULL), 0);
    assert_int_equal(
        prefetch_store_reschedule(fixture->store, &all, START, 0, NULL, &changes, NULL), 0);
    assert_int_equal(changes.changed, 1);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0");
    assert_int_equal(fixture_step(fixture), 0);
    fixture_hold(fixture, false);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 2);
    assert_int_equal(fixture->most_in_hand, 1);
    assert_string_equal(fixture_tasks(fixture), "COMPLETED E 1/*/* 0 0");
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void test_stop_puts_tasks_back(void **state)
{
    struct fixture *fixture = *state;

    fixture->hold = true;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 1);
    fixture_in_hand(fixture, 1);
    fixture_restart(fixture);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0");
    fixture_hold(fixture, false);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 2);
}

static void test_purge_by_age(void **state)
{
    struct fixture *fixture = *state;

    fixture->queues[0].purge_completed_ms = HOUR;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture_arrive(fixture, "2", NULL, NULL);
    fixture_run(fixture);
    assert_int_equal(prefetch_purge(fixture->store, &fixture->settings, START + HOUR, NULL), 0);
    assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_COMPLETED), 1);
    assert_int_equal(prefetch_purge(fixture->store, &fixture->settings, START + HOUR + 1, NULL), 0);
    assert_string_equal(fixture_tasks(fixture), "FAILED E 2/*/* 0 0");
}

/* ---- clocks --------------------------------------------------------------------------------- */

static void test_clock_jump_is_told_from_time_going_by(void **state)
{
    const struct prefetch_time start = {1000000, 50}, later = {1000000 + HOUR, 50 + HOUR},
                               back = {1000000 - HOUR, 60}, slewed = {1000000 + 61000, 50 + 60000};

    (void)state;
    assert_int_equal(prefetch_clock_jump(&start, &later), 0);
    assert_int_equal(prefetch_clock_jump(&start, &back), -HOUR - 10);
    assert_int_equal(prefetch_clock_jump(&start, &slewed), 0);
}

static void test_jump_moves_delays_and_not_named_times(void **state)
{
    struct fixture *fixture = *state;
    const struct trolley_prefetch_order order = {
        .exporter = "F", .study = "2", .at_ms = START + 2 * HOUR};
    int64_t id;
    bool merged;

    fixture->rules[0].delay_ms = MINUTE;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(prefetch_store_order(fixture->store, &order, START, &id, &merged, NULL), 0);
    assert_true(prefetch_store_jump(fixture->store, -HOUR, NULL) >= 0);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* -3540000 0\n"
                                                "SCHEDULED F 2/*/* 7200000 0");
    assert_true(prefetch_store_jump(fixture->store, 2 * HOUR, NULL) >= 0);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 3660000 0\n"
                                                "SCHEDULED F 2/*/* 7200000 0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_8_retry_times),
        TEST(test_8_delays_are_truncated_and_capped),
        TEST(test_8_retry_after_is_a_minimum),
        TEST(test_8_no_retries_by_default),
        TEST(test_warning_is_retried_only_when_asked_for),
        TEST(test_retry_repeats_only_what_failed),
        TEST(test_retry_expands_anew_when_the_first_ended_early),
        TEST(test_retry_scope_all_expands_anew),
        TEST(test_retry_expands_anew_when_the_urls_changed),
        TEST(test_17_max_parallel_is_never_exceeded),
        TEST(test_queues_do_not_hold_each_other_up),
        TEST(test_paused_queue_waits_and_goes_on),
        TEST(test_queue_schedule_pauses_without_moving_tasks),
        TEST(test_oldest_due_task_of_a_queue_runs_first),
        TEST(test_10_cancel_of_a_running_task_sticks),
        TEST(test_10_cancel_sticks_when_the_run_ends_by_itself),
        TEST(test_10_rescheduled_after_cancel_waits_for_the_run_to_end),
        TEST(test_stop_puts_tasks_back),
        TEST(test_purge_by_age),
        TEST(test_clock_jump_is_told_from_time_going_by),
        TEST(test_jump_moves_delays_and_not_named_times),
    };

    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
