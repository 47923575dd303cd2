/* test_prefetch_arrivals.c: how arrivals become tasks (prefetch.md, acceptance tests 4 and 17).
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/tree.h"
#include "core/prefetch/condition.h"
#include "core/prefetch/schedule.h"
#include "tests/unit/prefetch_fixture.h"

/* ---- debounce ------------------------------------------------------------------------------- */

static void test_4_arrivals_at_0_30_50_s_are_one_task_at_110_s(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].delay_ms = MINUTE;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_at(fixture, 30 * SECOND);
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_at(fixture, 50 * SECOND);
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 110000 0");

    fixture_at(fixture, 110 * SECOND - 1);
    assert_int_equal(fixture_step(fixture), 0);
    fixture_at(fixture, 110 * SECOND);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 1);
    assert_int_equal(fixture->calls[0].at_ms, 110 * SECOND);
    assert_string_equal(fixture_tasks(fixture), "COMPLETED E 1/*/* 110000 0");
}

static void test_4_trickle_is_ended_by_max_delay(void **state)
{
    struct fixture *fixture = *state;
    int64_t at;

    fixture->rules[0].delay_ms = MINUTE;
    fixture->rules[0].max_delay_ms = 3 * MINUTE;
    for (at = 0; at < 3 * MINUTE; at += 30 * SECOND) {
        fixture_at(fixture, at);
        fixture_arrive(fixture, "1", NULL, NULL);
        assert_int_equal(fixture_step(fixture), 0);
    }
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 180000 0");
}

static void test_4_two_series_are_two_tasks(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture->rules[0].delay_ms = MINUTE;
    fixture_arrive(fixture, "1", "1.1", "1.1.1");
    fixture_at(fixture, 10 * SECOND);
    fixture_arrive(fixture, "1", "1.2", "1.2.1");
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/1.1/* 60000 0\n"
                                                "SCHEDULED E 1/1.2/* 70000 0");
}

static void test_4_arrival_while_running_is_one_second_run(void **state)
{
    struct fixture *fixture = *state;

    fixture->hold = true;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 1);
    fixture_in_hand(fixture, 1);
    fixture_at(fixture, 5 * SECOND);
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_at(fixture, 6 * SECOND);
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), "IN PROCESS E 1/*/* 0 0\n"
                                                "SCHEDULED E 1/*/* 6000 0");
    /* Its key is taken as long as the first run goes on, whatever room the queue has. */
    fixture->queues[0].max_parallel = 8;
    assert_int_equal(fixture_step(fixture), 0);
    fixture_hold(fixture, false);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 2);
    assert_int_equal(fixture->most_in_hand, 1);
}

static void test_4_three_series_then_the_study_are_one_task(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture->rules[0].delay_ms = MINUTE;
    fixture_arrive(fixture, "1", "1.1", NULL);
    fixture_arrive(fixture, "1", "1.2", NULL);
    fixture_arrive(fixture, "1", "1.3", NULL);
    fixture_arrive(fixture, "2", "2.1", NULL);
    fixture_at(fixture, 20 * SECOND);
    fixture->rules[0].entity = PREFETCH_STUDY;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 2/2.1/* 60000 0\n"
                                                "SCHEDULED E 1/*/* 80000 0");
    /* A series of it is part of it from then on. */
    fixture_at(fixture, 30 * SECOND);
    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture_arrive(fixture, "1", "1.4", NULL);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 2/2.1/* 60000 0\n"
                                                "SCHEDULED E 1/*/* 90000 0");
}

static void test_absorbed_tasks_keep_their_max_delay(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].delay_ms = MINUTE;
    fixture->rules[0].max_delay_ms = 2 * MINUTE;
    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture_arrive(fixture, "1", "1.1", NULL);
    fixture_at(fixture, 100 * SECOND);
    fixture->rules[0].entity = PREFETCH_STUDY;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 120000 0");
}

static void test_jitter_is_the_same_for_a_task_and_within_bounds(void **state)
{
    struct fixture *fixture = *state;
    char first[4096], study[16];
    int64_t due, least = INT64_MAX;
    int i;

    fixture->rules[0].delay_ms = MINUTE;
    fixture->rules[0].jitter_ms = 30 * SECOND;
    fixture_arrive(fixture, "1", NULL, NULL);
    (void)snprintf(first, sizeof first, "%s", fixture_tasks(fixture));
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), first);
    for (i = 10; i < 60; i++) {
        const struct trolley_prefetch_filter all = {0};
        uint64_t counts[8];

        (void)snprintf(study, sizeof study, "1.%d", i);
        fixture_arrive(fixture, study, NULL, NULL);
        assert_int_equal(prefetch_store_count(fixture->store, &all, counts, NULL), 0);
        assert_int_equal(counts[TROLLEY_PREFETCH_SCHEDULED], i - 8);
        assert_int_equal(prefetch_store_next(fixture->store, "E", &due, NULL), 0);
        if (due - START < least) least = due - START;
        assert_true(due - START >= MINUTE);
    }
    /* Not before the delay is over, not more than the jitter behind it; and not all at once. */
    fixture_at(fixture, MINUTE + 30 * SECOND);
    fixture->queues[0].max_parallel = 1;
    fixture_run(fixture);
    assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_SCHEDULED), 0);
    assert_true(least < MINUTE + 10 * SECOND);
}

/* ---- while a retry waits -------------------------------------------------------------------- */

static void test_arrival_merges_into_a_retry_and_does_all_of_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->queues[0].max_retries = 3;
    fixture->queues[0].retry_delay_ms = 10 * MINUTE;
    fixture->answer.outcome = PREFETCH_FAILED;
    fixture->answer.failed = fixture->fails = 2;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_run(fixture);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED FOR RETRY E 1/*/* 600000 1");
    fixture_at(fixture, MINUTE);
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED FOR RETRY E 1/*/* 600000 1");
    fixture_at(fixture, 10 * MINUTE);
    fixture_run(fixture);
    assert_int_equal(fixture->call_count, 2);
    assert_false(fixture->calls[1].again);
}

/* ---- rules ---------------------------------------------------------------------------------- */

static void test_widest_entity_wins(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.rule_count = 3;
    fixture->rules[0].entity = PREFETCH_INSTANCE;
    fixture->rules[1].entity = PREFETCH_SERIES;
    fixture->rules[1].delay_ms = MINUTE;
    fixture->rules[2].entity = PREFETCH_INSTANCE;
    fixture_arrive(fixture, "1", "1.1", "1.1.1");
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/1.1/* 60000 0");
}

static void test_each_exporter_has_a_task_of_its_own(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].exporter_count = 2;
    fixture_arrive(fixture, "1", "1.1", "1.1.1");
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0\n"
                                                "SCHEDULED F 1/*/* 0 0");
}

static void arrive_as(struct fixture *fixture, uint32_t kind, const char *study)
{
    const struct prefetch_arrival arrival = {
        .kind = kind, .study = study, .at_ms = fixture->now.wall_ms};

    assert_int_equal(prefetch_arrive(fixture->store, &fixture->settings, &arrival, NULL, NULL), 0);
}

static void test_reoccurred_and_previous_entity(void **state)
{
    static const struct {
        enum prefetch_reoccurred reoccurred;
        bool previous;
        uint64_t tasks;
    } cases[] = {{PREFETCH_NEVER, false, 1},
                 {PREFETCH_REPLACE, false, 2},
                 {PREFETCH_ALWAYS, false, 3},
                 {PREFETCH_NEVER, true, 2}};
    struct fixture *fixture = *state;
    char study[16];
    size_t i;
    uint32_t kind;
    uint64_t before = 0;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture->rules[0].reoccurred = cases[i].reoccurred;
        fixture->rules[0].export_previous_entity = cases[i].previous;
        for (kind = TROLLEY_PREFETCH_NEW; kind <= TROLLEY_PREFETCH_PREVIOUS; kind++) {
            (void)snprintf(study, sizeof study, "%zu.%u", i + 1, (unsigned)kind);
            arrive_as(fixture, kind, study);
        }
        before += cases[i].tasks;
        assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_SCHEDULED), before);
    }
}

static void test_rule_schedule_drops_exporter_schedule_postpones(void **state)
{
    struct fixture *fixture = *state;
    const char *never_now[1], *later[1];
    char closed[32], opens[32];
    int hour = (int)(START / HOUR % 24); /* TZ is UTC */
    struct prefetch_schedule *rule, *exporter;

    (void)snprintf(closed, sizeof closed, "hour=%d", (hour + 2) % 24);
    (void)snprintf(opens, sizeof opens, "hour=%d", (hour + 1) % 24);
    never_now[0] = closed;
    later[0] = opens;
    assert_int_equal(prefetch_schedule_parse(never_now, 1, &rule, NULL), 0);
    assert_int_equal(prefetch_schedule_parse(later, 1, &exporter, NULL), 0);
    fixture->rules[0].schedule = rule;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_string_equal(fixture_tasks(fixture), "");
    fixture->rules[0].schedule = NULL;
    fixture->exporters[0].schedule = exporter;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(fixture_step(fixture), 0);
    assert_int_equal(fixture_count(fixture, TROLLEY_PREFETCH_SCHEDULED), 1);
    fixture_at(fixture, HOUR - START % HOUR - 1);
    assert_int_equal(fixture_step(fixture), 0);
    fixture_at(fixture, HOUR - START % HOUR);
    assert_int_equal(fixture_step(fixture), 1);
    fixture_run(fixture);
    fixture->exporters[0].schedule = NULL;
    prefetch_schedule_free(rule);
    prefetch_schedule_free(exporter);
}

/* ---- what is known of a study --------------------------------------------------------------- */

static void tree_instance(struct trolley_tree *tree, const char *series, const char *instance,
                          const char *modality, const char *sop_class)
{
    const struct {
        uint32_t tag;
        const char *text;
    } attributes[] = {{0x0020000d, "1"},
                      {0x0020000e, series},
                      {0x00080018, instance},
                      {0x00080060, modality},
                      {0x00080016, sop_class}};
    struct trolley_element elements[5];
    struct trolley_record record = {.size = sizeof record, .level = TROLLEY_LEVEL_INSTANCE};
    size_t i;

    memset(elements, 0, sizeof elements);
    for (i = 0; i < 5; i++) {
        elements[i].size = sizeof elements[i];
        elements[i].tag = attributes[i].tag;
        elements[i].values =
            (struct trolley_span){&attributes[i].text, 1, sizeof attributes[i].text};
    }
    record.elements = (struct trolley_span){elements, 5, sizeof elements[0]};
    assert_int_equal(tree_add(tree, &record, NULL, NULL), 0);
}

static struct trolley_tree *tree_make(void)
{
    struct trolley_tree *tree;

    assert_int_equal(tree_new(&tree), 0);
    tree_instance(tree, "1.1", "1.1.1", "CT", "1.2.840.10008.5.1.4.1.1.2");
    tree_instance(tree, "1.1", "1.1.2", "CT", "1.2.840.10008.5.1.4.1.1.2");
    tree_instance(tree, "1.2", "1.2.1", "SR", "1.2.840.10008.5.1.4.1.1.88.11");
    return tree;
}

static void arrive_tree(struct fixture *fixture, const struct trolley_tree *tree)
{
    const struct prefetch_arrival arrival = {.kind = TROLLEY_PREFETCH_NEW,
                                             .study = "1",
                                             .at_ms = fixture->now.wall_ms,
                                             .node = trolley_tree_first(tree)};

    assert_int_equal(prefetch_arrive(fixture->store, &fixture->settings, &arrival, NULL, NULL), 0);
}

static void test_study_arrival_fans_out_for_narrower_rules(void **state)
{
    struct fixture *fixture = *state;
    struct trolley_tree *tree = tree_make();

    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture->settings.rule_count = 2;
    fixture->rules[1].entity = PREFETCH_INSTANCE;
    fixture->rules[1].exporters = &fixture->named[1];
    arrive_tree(fixture, tree);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/1.1/* 0 0\n"
                                                "SCHEDULED E 1/1.2/* 0 0\n"
                                                "SCHEDULED F 1/1.1/1.1.1 0 0\n"
                                                "SCHEDULED F 1/1.1/1.1.2 0 0\n"
                                                "SCHEDULED F 1/1.2/1.2.1 0 0");
    trolley_tree_free(tree);
}

static void test_nothing_known_makes_the_task_as_wide_as_the_arrival(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].entity = PREFETCH_INSTANCE;
    fixture_arrive(fixture, "1", NULL, NULL);
    fixture_arrive(fixture, "2", "2.1", NULL);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0\n"
                                                "SCHEDULED E 2/2.1/* 0 0");
}

static void test_3_conditions_choose_series_also_by_what_instances_have(void **state)
{
    static const char *const modality[] = {"Modality=CT|MR"};
    static const char *const class[] = {
        "SOPClassUID=1\\.2\\.840\\.10008\\.5\\.1\\.4\\.1\\.1\\.88\\..*"};
    struct fixture *fixture = *state;
    struct trolley_tree *tree = tree_make();
    struct prefetch_condition *of_modality, *of_class;

    assert_int_equal(prefetch_condition_parse(modality, 1, &of_modality, NULL), 0);
    assert_int_equal(prefetch_condition_parse(class, 1, &of_class, NULL), 0);
    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture->rules[0].conditions = of_modality;
    fixture->settings.rule_count = 2;
    fixture->rules[1].entity = PREFETCH_SERIES;
    fixture->rules[1].exporters = &fixture->named[1];
    fixture->rules[1].conditions = of_class;
    assert_int_equal(prefetch_rules_depth(&fixture->settings), TROLLEY_LEVEL_INSTANCE);
    arrive_tree(fixture, tree);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/1.1/* 0 0\n"
                                                "SCHEDULED F 1/1.2/* 0 0");
    trolley_tree_free(tree);
    prefetch_condition_free(of_modality);
    prefetch_condition_free(of_class);
}

/* ---- orders --------------------------------------------------------------------------------- */

static void test_orders_merge_unless_forced(void **state)
{
    struct fixture *fixture = *state;
    struct trolley_prefetch_order order = {.exporter = "E", .study = "1", .batch = "B"};
    int64_t id, other;
    bool merged;

    fixture->rules[0].delay_ms = MINUTE;
    fixture_arrive(fixture, "1", NULL, NULL);
    assert_int_equal(prefetch_store_order(fixture->store, &order, START, &id, &merged, NULL), 0);
    assert_true(merged);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0");
    order.force = 1;
    order.at_ms = START + HOUR;
    assert_int_equal(prefetch_store_order(fixture->store, &order, START, &other, &merged, NULL), 0);
    assert_false(merged);
    assert_int_not_equal(id, other);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/*/* 0 0\n"
                                                "SCHEDULED E 1/*/* 3600000 0");
}

/* ---- scale ---------------------------------------------------------------------------------- */

static void test_17_ten_thousand_arrivals_of_one_series_are_one_task(void **state)
{
    struct fixture *fixture = *state;
    char instance[32];
    int i;

    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture->rules[0].delay_ms = MINUTE;
    assert_int_equal(prefetch_store_begin(fixture->store, NULL), 0);
    for (i = 0; i < 10000; i++) {
        fixture_at(fixture, i);
        (void)snprintf(instance, sizeof instance, "1.1.%d", i + 1);
        fixture_arrive(fixture, "1", "1.1", instance);
    }
    assert_int_equal(prefetch_store_end(fixture->store, 0, NULL), 0);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/1.1/* 69999 0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_4_arrivals_at_0_30_50_s_are_one_task_at_110_s),
        TEST(test_4_trickle_is_ended_by_max_delay),
        TEST(test_4_two_series_are_two_tasks),
        TEST(test_4_arrival_while_running_is_one_second_run),
        TEST(test_4_three_series_then_the_study_are_one_task),
        TEST(test_absorbed_tasks_keep_their_max_delay),
        TEST(test_jitter_is_the_same_for_a_task_and_within_bounds),
        TEST(test_arrival_merges_into_a_retry_and_does_all_of_it),
        TEST(test_widest_entity_wins),
        TEST(test_each_exporter_has_a_task_of_its_own),
        TEST(test_reoccurred_and_previous_entity),
        TEST(test_rule_schedule_drops_exporter_schedule_postpones),
        TEST(test_study_arrival_fans_out_for_narrower_rules),
        TEST(test_nothing_known_makes_the_task_as_wide_as_the_arrival),
        TEST(test_3_conditions_choose_series_also_by_what_instances_have),
        TEST(test_orders_merge_unless_forced),
        TEST(test_17_ten_thousand_arrivals_of_one_series_are_one_task),
    };

    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
