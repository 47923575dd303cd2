/* test_prefetch_store.c: what survives, who may look, and changes by hand (prefetch.md, acceptance
 * tests 9 and 10). SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/prefetch/store_db.h"
#include "tests/unit/prefetch_fixture.h"

/* ---- kill -9 -------------------------------------------------------------------------------- */

/* In a process that is killed at once: leads, takes up study 1, leaves half of what failed. */
static void die_running(struct fixture *fixture)
{
    const struct prefetch_failed failed = {.request = {.study = "1"}, .message = "500"};
    struct prefetch_claim claim;
    struct prefetch_store *store;
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (prefetch_store_open(fixture->folder, &store, NULL) < 0 ||
            prefetch_store_lead(store, START, NULL) < 0 ||
            prefetch_store_claim(store, "E", "u", START, &claim, NULL) != 1 ||
            prefetch_store_failed_add(store, claim.id, claim.generation + 1, &failed, 1, NULL) < 0)
            _exit(1);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void close_all(struct fixture *fixture)
{
    prefetch_scheduler_free(fixture->scheduler);
    fixture->scheduler = NULL;
    prefetch_store_close(fixture->store);
    fixture->store = NULL;
}

static void test_9_killed_while_running_is_scheduled_again(void **state)
{
    struct fixture *fixture = *state;

    fixture_arrive(fixture, "1", NULL, NULL);
    close_all(fixture);
    die_running(fixture);
    fixture_restart(fixture);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0");
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
    assert_false(fixture->calls[0].again);
    assert_string_equal(fixture_tasks(fixture), "COMPLETED E 1/*/* 0 0");
}

static void test_9_killed_with_a_follow_up_waiting_is_not_doubled(void **state)
{
    struct fixture *fixture = *state;

    fixture_arrive(fixture, "1", NULL, NULL);
    close_all(fixture);
    die_running(fixture);
    /* Before anyone leads again, another process tells of an arrival. */
    assert_int_equal(prefetch_store_open(fixture->folder, &fixture->store, NULL), 0);
    fixture_at(fixture, SECOND);
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_IN_PROCESS), 1);
    fixture_restart(fixture);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 1000 0");
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
}

static void test_9_killed_in_a_retry_repeats_what_had_failed_before(void **state)
{
    struct fixture *fixture = *state;

    fixture->queues[0].max_retries = 2;
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture->answer.failed = fixture->fails = 5;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture->queues[0].retry_delay_ms = MINUTE;
    fixture_run(fixture);
    fixture_at(fixture, MINUTE);
    fixture->hold = true;
    assert_int_equal(fixture_step(fixture), 1);
    fixture_in_hand(fixture, 1);
    fixture_restart(fixture); /* stopped in the middle */
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED FOR RETRY E 1/*/* 60000 1");
    fixture_hold(fixture, false);
    fixture->answer.outcome = PREFETCH_COMPLETED;
    fixture->answer.failed = fixture->fails = 0;
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 3);
    assert_int_equal(fixture->calls[2].repeated, 5);
}

static void test_one_runs_tasks_others_work_beside(void **state)
{
    struct fixture *fixture = *state;
    struct prefetch_store *other;
    const struct trolley_prefetch_order order = {.exporter = "E", .study = "1"};
    struct trolley_error error = {0};
    int64_t id;
    bool merged;

    assert_int_equal(prefetch_store_open(fixture->folder, &other, NULL), 0);
    assert_int_equal(prefetch_store_lead(other, START, &error), TROLLEY_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.message, "another process"));
    (void)prefetch_store_touched(fixture->store);
    assert_false(prefetch_store_touched(fixture->store));
    assert_int_equal(prefetch_store_order(other, &order, START, &id, &merged, NULL), 0);
    assert_true(prefetch_store_touched(fixture->store));
    prefetch_store_close(other);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
}

/* ---- the file ------------------------------------------------------------------------------- */

static void test_files_are_private(void **state)
{
    static const char *const files[] = {"tasks.sqlite", "tasks.sqlite-wal", "tasks.sqlite-shm",
                                        "daemon.lock"};
    struct fixture *fixture = *state;
    char path[128];
    struct stat stat_buf;
    size_t i;

    fixture_arrive(fixture, "1", NULL, NULL);
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, files[i]);
        assert_int_equal(stat(path, &stat_buf), 0);
        assert_int_equal(stat_buf.st_mode & 0777, 0600);
    }
}

static void test_folder_that_others_write_to_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct prefetch_store *other;
    struct trolley_error error = {0};

    assert_int_equal(chmod(fixture->folder, 0777), 0);
    assert_int_equal(prefetch_store_open(fixture->folder, &other, &error),
                     TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "others may write"));
    assert_int_equal(chmod(fixture->folder, 0700), 0);
}

static void test_later_version_and_damage_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct prefetch_store *other;
    struct trolley_error error = {0};
    char path[128];
    FILE *file;

    assert_true(store_do(fixture->store, NULL, "PRAGMA user_version = 99", "") >= 0);
    assert_int_equal(prefetch_store_open(fixture->folder, &other, &error),
                     TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "version 99"));
    close_all(fixture);
    (void)snprintf(path, sizeof path, "%s/tasks.sqlite", fixture->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("this is no database, and longer than its header: "
                      "0123456789012345678901234567890123456789012345678901234567890123",
                      file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(prefetch_store_open(fixture->folder, &other, &error), TROLLEY_ERR_IO);
    assert_int_equal(unlink(path), 0);
    fixture_restart(fixture);
}

static void test_failure_in_a_transaction_undoes_all_of_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(prefetch_store_begin(fixture->store, NULL), 0);
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(prefetch_store_end(fixture->store, TROLLEY_ERR_IO, NULL), TROLLEY_ERR_IO);
    assert_string_equal(fixture_tasks(fixture), "");
}

/* ---- administration from every state -------------------------------------------------------- */

/* Brings study "1" of exporter E into a state. */
static void bring(struct fixture *fixture, uint32_t wanted)
{
    struct trolley_error error = {0};

    fixture_arrive(fixture, "1", NULL, NULL);
    if (store_do(fixture->store, &error, "UPDATE task SET state = ?1, retries = ?2", "ii",
                 (int64_t)wanted, (int64_t)(wanted == TROLLEY_PREFETCH_RETRY)) < 0)
        fail_msg("%s", error.message);
}

static void clear(struct fixture *fixture)
{
    assert_true(store_do(fixture->store, NULL, "DELETE FROM task", "") >= 0);
}

static void test_10_cancel_from_every_state(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct trolley_prefetch_changes changes;
    struct fixture *fixture = *state;
    uint32_t from;

    for (from = TROLLEY_PREFETCH_SCHEDULED; from <= TROLLEY_PREFETCH_RETRY; from++) {
        bool may = from == TROLLEY_PREFETCH_SCHEDULED || from == TROLLEY_PREFETCH_RETRY ||
                   from == TROLLEY_PREFETCH_IN_PROCESS;

        bring(fixture, from);
        assert_int_equal(prefetch_store_cancel(fixture->store, &all, START, &changes, NULL), 0);
        assert_int_equal(changes.changed, may);
        assert_int_equal(changes.refused, !may);
        assert_int_equal(fixture_count(fixture, may ? TROLLEY_PREFETCH_CANCELED : from), 1);
        clear(fixture);
    }
}

static void test_10_reschedule_from_every_state(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct trolley_prefetch_changes changes;
    struct fixture *fixture = *state;
    uint32_t from;

    for (from = TROLLEY_PREFETCH_SCHEDULED; from <= TROLLEY_PREFETCH_RETRY; from++) {
        bool may = from != TROLLEY_PREFETCH_IN_PROCESS;

        bring(fixture, from);
        assert_int_equal(prefetch_store_reschedule(fixture->store, &all, START, START + HOUR, NULL,
                                                   &changes, NULL),
                         0);
        assert_int_equal(changes.changed, may);
        assert_int_equal(changes.refused, !may);
        assert_string_equal(fixture_tasks(fixture),
                            may ? "SCHEDULED E 1/*/* 3600000 0" : "IN PROCESS E 1/*/* 0 0");
        clear(fixture);
    }
}

static void test_10_delete_from_every_state(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct trolley_prefetch_changes changes;
    struct fixture *fixture = *state;
    uint32_t from;

    for (from = TROLLEY_PREFETCH_SCHEDULED; from <= TROLLEY_PREFETCH_RETRY; from++) {
        bool may = from != TROLLEY_PREFETCH_IN_PROCESS;

        bring(fixture, from);
        assert_int_equal(prefetch_store_delete(fixture->store, &all, &changes, NULL), 0);
        assert_int_equal(changes.changed, may);
        assert_int_equal(changes.refused, !may);
        assert_int_equal(fixture_count(fixture, from), !may);
        clear(fixture);
    }
}

static void test_10_reschedule_merges_with_a_pending_task(void **state)
{
    const struct trolley_prefetch_filter failed = {
        .states = TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_FAILED)};
    struct trolley_prefetch_changes changes;
    struct fixture *fixture = *state;

    bring(fixture, TROLLEY_PREFETCH_FAILED);
    fixture->rules[0].delay_ms = MINUTE;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(
        prefetch_store_reschedule(fixture->store, &failed, START, 0, NULL, &changes, NULL), 0);
    assert_int_equal(changes.merged, 1);
    assert_int_equal(changes.changed, 0);
    assert_string_equal(fixture_tasks(fixture), "FAILED E 1/*/* 0 0\nSCHEDULED E 1/*/* 0 0");
}

static void test_10_reschedule_to_another_exporter(void **state)
{
    const struct trolley_prefetch_filter all = {0};
    struct trolley_prefetch_changes changes;
    struct fixture *fixture = *state;

    bring(fixture, TROLLEY_PREFETCH_WARNING);
    assert_int_equal(prefetch_store_reschedule(fixture->store, &all, START, 0, "F", &changes, NULL),
                     0);
    fixture_run(fixture);
    assert_string_equal(fixture->calls[0].exporter, "F");
}

static void test_filters(void **state)
{
    struct fixture *fixture = *state;
    const int64_t ids[] = {1, 3};
    const struct trolley_prefetch_filter filters[] = {
        {.ids = ids, .id_count = 2},
        {.exporter = "F"},
        {.study = "2"},
        {.batch = "B"},
        {.since_ms = START + SECOND},
        {.until_ms = START},
        {.states = TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_CANCELED)},
        {.ids = ids, .id_count = 0},
    };
    static const uint64_t found[] = {2, 2, 2, 1, 1, 4, 0, 0};
    const struct trolley_prefetch_order order = {.exporter = "E", .study = "3", .batch = "B"};
    uint64_t counts[8];
    int64_t id;
    bool merged;
    size_t i, j;

    fixture->rules[0].exporter_count = 2;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_arrive(fixture, "2", NULL, NULL);
    assert_int_equal(
        prefetch_store_order(fixture->store, &order, START + SECOND, &id, &merged, NULL), 0);
    for (i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        uint64_t sum = 0;

        assert_int_equal(prefetch_store_count(fixture->store, &filters[i], counts, NULL), 0);
        for (j = 0; j < 8; j++)
            sum += counts[j];
        assert_int_equal(sum, found[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_9_killed_while_running_is_scheduled_again),
        TEST(test_9_killed_with_a_follow_up_waiting_is_not_doubled),
        TEST(test_9_killed_in_a_retry_repeats_what_had_failed_before),
        TEST(test_one_runs_tasks_others_work_beside),
        TEST(test_files_are_private),
        TEST(test_folder_that_others_write_to_is_refused),
        TEST(test_later_version_and_damage_are_refused),
        TEST(test_failure_in_a_transaction_undoes_all_of_it),
        TEST(test_10_cancel_from_every_state),
        TEST(test_10_reschedule_from_every_state),
        TEST(test_10_delete_from_every_state),
        TEST(test_10_reschedule_merges_with_a_pending_task),
        TEST(test_10_reschedule_to_another_exporter),
        TEST(test_filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
