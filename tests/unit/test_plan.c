/* test_plan.c: which requests a study still needs. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/retrieve/plan.h"

#define STUDY TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY)
#define SERIES TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES)
#define INSTANCE TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE)

static const struct ask ask_series = {STUDY | SERIES | INSTANCE, TROLLEY_LEVEL_SERIES, 1, 2, 0};

/* A whole study of `series` series with `instances` instances each: 1.S.I. */
static struct study *make(int series, int instances)
{
    struct study *study = study_new("1");
    char s[32], i[32];
    uint32_t index;
    int a, b;

    assert_non_null(study);
    study->whole = true;
    for (a = 1; a <= series; a++) {
        for (b = 1; b <= instances; b++) {
            (void)snprintf(s, sizeof s, "1.%d", a);
            (void)snprintf(i, sizeof i, "1.%d.%d", a, b);
            assert_int_equal(study_add(study, TROLLEY_LEVEL_INSTANCE, s, i, "1.2", NULL, &index),
                             0);
        }
    }
    return study;
}

/* The round's requests as text: "S" study, "s1" a series, "i2" so many instances. */
static const char *plan_text(struct study *study, const struct ask *ask)
{
    static char text[256];
    struct chunk chunk;

    text[0] = '\0';
    (void)plan_round(study, ask);
    while (plan_next(study, ask, &chunk) == 1) {
        size_t length = strlen(text);

        (void)snprintf(text + length, sizeof text - length, "%s%c%u", length ? " " : "",
                       "?Ssi"[chunk.level], chunk.level == TROLLEY_LEVEL_STUDY ? 1 : chunk.count);
        chunk_clear(&chunk);
    }
    return text;
}

static void test_untouched_study_is_asked_at_the_preferred_level(void **state)
{
    const struct ask ask_study = {STUDY | SERIES | INSTANCE, TROLLEY_LEVEL_STUDY, 1, 2, 0};
    const struct ask ask_single = {INSTANCE, TROLLEY_LEVEL_INSTANCE, 4, 2, 0};
    struct study *study = make(2, 3);

    (void)state;
    assert_string_equal(plan_text(study, &ask_series), "s1 s1");
    assert_string_equal(plan_text(study, &ask_study), "S1");
    assert_string_equal(plan_text(study, &ask_single), "i3 i3");
    study_free(study);
}

static void test_gaps_are_asked_singly(void **state)
{
    struct study *study = make(2, 3);

    (void)state;
    study->entries[0].state = ENTRY_DONE;
    assert_string_equal(plan_text(study, &ask_series), "i1 i1 s1");
    study->entries[1].state = ENTRY_DONE;
    study->entries[2].flags |= ENTRY_PERMANENT;
    assert_string_equal(plan_text(study, &ask_series), "s1");
    plan_next_downloader(study);
    assert_string_equal(plan_text(study, &ask_series), "i1 s1");
    study_free(study);
}

static void test_part_of_a_series_is_never_asked_wide(void **state)
{
    struct study *study = make(1, 3);

    (void)state;
    study->whole = false;
    assert_string_equal(plan_text(study, &ask_series), "i1 i1 i1");
    study->series[0].whole = true;
    assert_string_equal(plan_text(study, &ask_series), "s1");
    study->entries[0].flags |= ENTRY_SINGLY;
    assert_string_equal(plan_text(study, &ask_series), "i1 i1 i1");
    study_free(study);
}

static void test_instances_of_a_study_go_together_where_liked(void **state)
{
    const struct ask ask_study = {INSTANCE, TROLLEY_LEVEL_INSTANCE, 5, 2, TROLLEY_LEVEL_STUDY};
    const struct ask ask_mixed = {SERIES | INSTANCE, TROLLEY_LEVEL_SERIES, 9, 2,
                                  TROLLEY_LEVEL_STUDY};
    struct study *study = make(4, 2);

    (void)state;
    assert_string_equal(plan_text(study, &ask_study), "i5 i3");
    study->entries[7].state = ENTRY_DONE;
    assert_string_equal(plan_text(study, &ask_study), "i5 i2");
    study->entries[2].state = ENTRY_DONE;
    study->entries[7].state = ENTRY_PENDING;
    /* A series asked for as a whole is a request of its own. */
    assert_string_equal(plan_text(study, &ask_mixed), "s1 i1 s1 s1");
    study_free(study);
}

static void test_attempts_end(void **state)
{
    struct study *study = make(1, 1);

    (void)state;
    study->entries[0].attempts = 2;
    assert_string_equal(plan_text(study, &ask_series), "s1");
    study->entries[0].attempts = 3;
    assert_string_equal(plan_text(study, &ask_series), "");
    assert_int_equal(plan_round(study, &ask_series), 0);
    study_free(study);
}

static void test_unnamed_instances_need_a_wide_downloader(void **state)
{
    const struct ask ask_single = {INSTANCE, TROLLEY_LEVEL_INSTANCE, 1, 2, 0};
    struct study *study = study_new("1");
    uint32_t index;

    (void)state;
    assert_int_equal(study_add(study, TROLLEY_LEVEL_STUDY, NULL, NULL, NULL, NULL, &index), 0);
    study->whole = true;
    assert_string_equal(plan_text(study, &ask_series), "S1");
    assert_int_equal(plan_round(study, &ask_single), 0);
    assert_int_equal(study_failure_status(study, &study->entries[0]), TROLLEY_ERR_NEED_DEEPER_REF);
    study_free(study);
}

static void test_lookup_among_many(void **state)
{
    struct study *study = make(3, 20000);
    char uid[32];
    int i;

    (void)state;
    assert_int_equal(study->entry_count, 60000);
    for (i = 1; i <= 20000; i += 37) {
        uint32_t index;

        (void)snprintf(uid, sizeof uid, "1.2.%d", i);
        index = study_lookup(study, uid);
        assert_int_not_equal(index, ENTRY_NONE);
        assert_string_equal(study->entries[index].uid, uid);
    }
    assert_int_equal(study_lookup(study, "1.4.1"), ENTRY_NONE);
    study_free(study);
}

static void test_chunk_covers_its_entries(void **state)
{
    struct study *study = make(2, 3);
    struct chunk chunk;
    uint64_t cursor = 0;
    uint32_t seen = 0, i;

    (void)state;
    (void)plan_round(study, &ask_series);
    assert_int_equal(plan_next(study, &ask_series, &chunk), 1);
    chunk_clear(&chunk);
    assert_int_equal(plan_next(study, &ask_series, &chunk), 1);
    while ((i = chunk_entry(&chunk, &cursor)) != ENTRY_NONE) {
        assert_int_equal(study->entries[i].series, 1);
        seen++;
    }
    assert_int_equal(seen, 3);
    chunk_clear(&chunk);
    study_free(study);
}

/* A counted series of `related` instances; what came of it unasked: 1.1.1, 1.1.2, ... */
static struct study *make_counted(uint32_t related, uint32_t came)
{
    struct study *study = make(1, (int)came);
    uint32_t i;

    for (i = 0; i < came; i++) {
        study->entries[i].flags |= ENTRY_UNASKED;
        study->entries[i].request = 1;
        study->entries[i].state = ENTRY_DONE;
    }
    assert_int_equal(study_add(study, TROLLEY_LEVEL_SERIES, "1.1", NULL, NULL, NULL, &i), 0);
    study->entries[i].flags |= ENTRY_COUNTED;
    study->series[0].related = related;
    return study;
}

static void add_named(struct study *study, const char *uid)
{
    uint32_t index;

    assert_int_equal(study_add(study, TROLLEY_LEVEL_INSTANCE, "1.1", uid, "1.2", NULL, &index), 0);
}

static void test_counted_series_is_asked_wide(void **state)
{
    struct study *study = make_counted(3, 0);

    (void)state;
    assert_string_equal(plan_text(study, &ask_series), "s1");
    assert_true(study_is_verified(study));
    study_free(study);
}

static void test_names_take_the_place_of_a_count(void **state)
{
    struct study *study = make_counted(3, 2);

    (void)state;
    study->entries[2].attempts = 1; /* the series' own */
    add_named(study, "1.1.1");
    add_named(study, "1.1.2");
    add_named(study, "1.1.3");
    assert_int_equal(study_expect(study), 3);
    study_named(study, 0);
    assert_int_equal(study_expect(study), 0);
    assert_int_equal(study->entries[3].attempts, 1);
    assert_string_equal(plan_text(study, &ask_series), "i1");
    assert_int_equal(study_extra(study), 0);
    assert_int_equal(study_known(study, 0), 3);
    study_named(study, 0); /* once */
    assert_int_equal(study->series[0].entries, 3);
    study_free(study);
}

/* The count said 3, 4 came, and the names are three of these and two that are not there. */
static void test_names_are_more_than_a_count(void **state)
{
    struct study *study = make_counted(3, 4);

    (void)state;
    assert_int_equal(study_extra(study), 1);
    assert_int_equal(study_expect(study), 4);
    add_named(study, "1.1.1");
    add_named(study, "1.1.2");
    add_named(study, "1.1.3");
    add_named(study, "1.1.8");
    add_named(study, "1.1.9");
    study_named(study, ENTRY_NONE);
    assert_int_equal(study_expect(study), 2);
    assert_int_equal(study_extra(study), 1);
    assert_int_equal(study_delivered(study, 0), 4);
    assert_string_equal(plan_text(study, &ask_series), "i1 i1");
    study_free(study);
}

/* The count said 2, and a list of 2 has come up to its end when there comes what nobody named. */
static void test_unnamed_comes_amid_names(void **state)
{
    struct study *study = make_counted(2, 0);

    (void)state;
    assert_int_equal(study_expect(study), 2);
    add_named(study, "1.1.1");
    add_named(study, "1.1.2");
    assert_int_equal(study_expect(study), 0);
    add_named(study, "1.1.9");
    study->entries[3].flags |= ENTRY_UNASKED;
    assert_int_equal(study_expect(study), 1);
    study_named(study, 0);
    assert_int_equal(study_expect(study), 0);
    assert_int_equal(study_extra(study), 1);
    study_free(study);
}

/* A study that is only counted, of which some instances are asked for by name as well. */
static void test_named_ones_are_among_the_counted(void **state)
{
    const struct trolley_ref ref = {.size = sizeof ref, .level = TROLLEY_LEVEL_STUDY, .study = "1"};
    struct study *study = study_new("1");
    uint32_t i;

    (void)state;
    add_named(study, "1.1.1");
    add_named(study, "1.1.2");
    assert_int_equal(study_expect(study), 2);
    assert_int_equal(study_add(study, TROLLEY_LEVEL_STUDY, NULL, NULL, NULL, NULL, &i), 0);
    study_count(study, &ref, 9);
    assert_int_equal(study_expect(study), 7);
    study_count(study, &ref, 5); /* the highest stands */
    assert_int_equal(study_expect(study), 0);
    study_free(study);
}

/* What a request for the whole series met with is what its instances met with. */
static void test_names_inherit_the_failure(void **state)
{
    const struct task_failure failure = {
        .status = TROLLEY_ERR_GONE, .flags = TROLLEY_FAILURE_PERMANENT, .message = "410"};
    struct study *study = make_counted(2, 0);

    (void)state;
    study_fail(study, &study->entries[0], &failure);
    add_named(study, "1.1.1");
    add_named(study, "1.1.2");
    study_named(study, 0);
    assert_int_equal(study_expect(study), 2);
    assert_string_equal(study_failure_text(study, &study->entries[1]), "410");
    assert_string_equal(plan_text(study, &ask_series), "");
    plan_next_downloader(study);
    /* Nothing of it came: the next one is asked for all of it at once. */
    assert_string_equal(plan_text(study, &ask_series), "s1");
    study_free(study);
}

/* What the server said of one of them stands. */
static void test_names_keep_their_own_failure(void **state)
{
    const struct task_failure of_one = {
        .status = TROLLEY_ERR_REMOTE, .flags = TROLLEY_FAILURE_PERMANENT, .message = "A701"};
    const struct task_failure of_all = {
        .status = TROLLEY_ERR_TRUNCATED, .flags = TROLLEY_FAILURE_TRANSIENT, .message = "cut off"};
    struct study *study = make_counted(2, 0);

    (void)state;
    add_named(study, "1.1.1");
    study_fail(study, &study->entries[1], &of_one);
    study_fail(study, &study->entries[0], &of_all);
    add_named(study, "1.1.2");
    study_named(study, 0);
    assert_string_equal(study_failure_text(study, &study->entries[1]), "A701");
    assert_string_equal(study_failure_text(study, &study->entries[2]), "cut off");
    study_free(study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untouched_study_is_asked_at_the_preferred_level),
        cmocka_unit_test(test_gaps_are_asked_singly),
        cmocka_unit_test(test_part_of_a_series_is_never_asked_wide),
        cmocka_unit_test(test_instances_of_a_study_go_together_where_liked),
        cmocka_unit_test(test_attempts_end),
        cmocka_unit_test(test_unnamed_instances_need_a_wide_downloader),
        cmocka_unit_test(test_lookup_among_many),
        cmocka_unit_test(test_chunk_covers_its_entries),
        cmocka_unit_test(test_counted_series_is_asked_wide),
        cmocka_unit_test(test_unnamed_comes_amid_names),
        cmocka_unit_test(test_named_ones_are_among_the_counted),
        cmocka_unit_test(test_names_take_the_place_of_a_count),
        cmocka_unit_test(test_names_are_more_than_a_count),
        cmocka_unit_test(test_names_inherit_the_failure),
        cmocka_unit_test(test_names_keep_their_own_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
