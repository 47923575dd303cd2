/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <trolley/helpers.h>

#include "core/model/tree.h"
#include "core/model/tree_store.h"

#include <cmocka.h>

#define PATIENT_NAME 0x00100010
#define STUDY_DATE 0x00080020
#define SERIES_NUMBER 0x00200011
#define INSTANCE_NUMBER 0x00200013
#define OTHER_PATIENT_IDS 0x00101000

/* A record under construction. */
struct draft {
    struct trolley_element elements[16];
    const char *values[16];
    struct trolley_record record;
};

static void draft_begin(struct draft *draft, uint32_t level)
{
    memset(draft, 0, sizeof *draft);
    draft->record.size = sizeof draft->record;
    draft->record.level = level;
    draft->record.elements.items = draft->elements;
    draft->record.elements.stride = sizeof draft->elements[0];
}

static struct trolley_element *draft_put(struct draft *draft, uint32_t tag, const char *value)
{
    uint32_t i = draft->record.elements.count++;
    struct trolley_element *element = &draft->elements[i];

    draft->values[i] = value;
    element->size = sizeof *element;
    element->tag = tag;
    if (value) element->values = (struct trolley_span){&draft->values[i], 1, sizeof value};
    return element;
}

static void draft_uids(struct draft *draft, uint32_t level, const char *study, const char *series,
                       const char *instance)
{
    draft_begin(draft, level);
    draft_put(draft, 0x0020000D, study);
    if (series) draft_put(draft, 0x0020000E, series);
    if (instance) draft_put(draft, 0x00080018, instance);
}

static uint32_t add(struct trolley_tree *tree, struct draft *draft)
{
    struct trolley_error error = {0};
    uint32_t conflicts = 99;

    if (tree_add(tree, &draft->record, &conflicts, &error) < 0) fail_msg("%s", error.message);
    return conflicts;
}

static void test_levels(void **state)
{
    struct trolley_tree *tree;
    const struct trolley_node *study, *series, *instance;
    const struct trolley_element *element;
    struct draft draft;
    uint32_t i, last = 0;

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    draft_uids(&draft, TROLLEY_LEVEL_INSTANCE, "1.2 ", " 1.2.3", "1.2.3.4");
    draft_put(&draft, INSTANCE_NUMBER, "7");
    draft_put(&draft, SERIES_NUMBER, "3");
    draft_put(&draft, PATIENT_NAME, "Doe^John");
    draft_put(&draft, STUDY_DATE, "20150301");
    assert_int_equal(add(tree, &draft), 0);

    study = trolley_tree_first(tree);
    series = trolley_node_first_child(study);
    instance = trolley_node_first_child(series);
    assert_string_equal(trolley_node_uid(study), "1.2");
    assert_string_equal(trolley_node_uid(series), "1.2.3");
    assert_string_equal(trolley_node_uid(instance), "1.2.3.4");
    assert_int_equal(trolley_node_level(instance), TROLLEY_LEVEL_INSTANCE);
    assert_ptr_equal(trolley_node_parent(instance), series);
    assert_null(trolley_node_parent(study));
    assert_null(trolley_node_first_child(instance));
    assert_null(trolley_node_next(study));

    assert_string_equal(trolley_node_text(instance, PATIENT_NAME, 0), "Doe^John");
    assert_string_equal(trolley_node_text(instance, 0x0020000D, 0), "1.2");
    assert_null(trolley_node_text(study, INSTANCE_NUMBER, 0));
    assert_null(trolley_node_text(instance, INSTANCE_NUMBER, 1));
    for (i = 0; (element = trolley_node_element(study, i)); i++) {
        assert_true(element->tag > last);
        last = element->tag;
    }
    assert_int_equal(i, 3); /* name, date, UID */
    assert_string_equal(trolley_node_element(study, 1)->vr, "PN");
    assert_non_null(trolley_node_element(series, 1));
    assert_null(trolley_node_element(series, 2));
    assert_null(trolley_node_element(instance, 2));
    trolley_tree_free(tree);
}

static void test_merging(void **state)
{
    struct trolley_tree *tree;
    struct draft draft;

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    draft_uids(&draft, TROLLEY_LEVEL_SERIES, "1.2", "1.2.3", NULL);
    draft_put(&draft, PATIENT_NAME, "Doe^John");
    draft_put(&draft, STUDY_DATE, NULL);
    assert_int_equal(add(tree, &draft), 0);
    assert_int_equal(trolley_node_element(trolley_tree_first(tree), 0)->flags,
                     TROLLEY_ELEMENT_NULL);

    draft_uids(&draft, TROLLEY_LEVEL_SERIES, "1.2", "1.2.4", NULL);
    draft_put(&draft, PATIENT_NAME, "Roe^Jane"); /* contradicts: the first stays */
    draft_put(&draft, STUDY_DATE, "20150301");   /* fills what was empty */
    assert_int_equal(add(tree, &draft), 1);

    draft_uids(&draft, TROLLEY_LEVEL_SERIES, "1.2", "1.2.4", NULL);
    draft_put(&draft, PATIENT_NAME, NULL); /* an empty value contradicts nothing */
    draft_put(&draft, STUDY_DATE, "20150301");
    draft_put(&draft, 0x00091001, "mine")->private_creator = "ACME";
    draft_put(&draft, 0x00091001, "theirs")->private_creator = "OTHER";
    assert_int_equal(add(tree, &draft), 0);

    assert_int_equal(trolley_tree_count(tree, TROLLEY_LEVEL_STUDY), 1);
    assert_int_equal(trolley_tree_count(tree, TROLLEY_LEVEL_SERIES), 2);
    assert_int_equal(trolley_tree_count(tree, TROLLEY_LEVEL_INSTANCE), 0);
    assert_int_equal(trolley_tree_count(tree, 77), 0);
    assert_string_equal(trolley_node_text(trolley_tree_first(tree), PATIENT_NAME, 0), "Doe^John");
    assert_string_equal(trolley_node_text(trolley_tree_first(tree), STUDY_DATE, 0), "20150301");
    assert_string_equal(
        trolley_node_element(trolley_tree_study(tree, "1.2")->last_child, 1)->private_creator,
        "OTHER");
    trolley_tree_free(tree);
}

static void test_lookup(void **state)
{
    struct trolley_tree *tree;
    struct draft draft;

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    assert_null(trolley_tree_study(tree, "1"));
    draft_uids(&draft, TROLLEY_LEVEL_INSTANCE, "1", "2", "3");
    add(tree, &draft);
    draft_uids(&draft, TROLLEY_LEVEL_INSTANCE, "9", "2", "3"); /* same UIDs below another study */
    add(tree, &draft);
    assert_int_equal(trolley_tree_count(tree, TROLLEY_LEVEL_INSTANCE), 2);
    assert_ptr_equal(trolley_node_next(trolley_tree_study(tree, "1")),
                     trolley_tree_study(tree, "9"));
    assert_ptr_equal(trolley_node_parent(trolley_node_child(trolley_tree_study(tree, "9"), "2")),
                     trolley_tree_study(tree, "9"));
    assert_string_equal(trolley_node_uid(trolley_node_child(
                            trolley_node_child(trolley_tree_study(tree, "9"), "2"), "3")),
                        "3");
    assert_null(trolley_tree_study(tree, "2"));
    assert_null(trolley_node_child(trolley_tree_study(tree, "1"), "9"));
    trolley_tree_free(tree);
    trolley_tree_free(NULL);
}

static void test_join(void **state)
{
    static const char *const ids[] = {"A1", "", "M\xC3\xBCller"};
    struct trolley_tree *tree;
    const struct trolley_node *study;
    struct draft draft;
    char buf[32];

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    draft_uids(&draft, TROLLEY_LEVEL_STUDY, "1", NULL, NULL);
    draft_put(&draft, OTHER_PATIENT_IDS, "")->values = (struct trolley_span)TROLLEY_SPAN(ids);
    add(tree, &draft);
    study = trolley_tree_first(tree);
    assert_int_equal(trolley_node_join(study, "OtherPatientIDs", buf, sizeof buf), 11);
    assert_string_equal(buf, "A1\\\\M\xC3\xBCller");
    assert_int_equal(trolley_node_join(study, "OtherPatientIDs", buf, 7), 11);
    assert_string_equal(buf, "A1\\\\M"); /* no half character */
    assert_int_equal(trolley_node_join(study, "OtherPatientIDs", buf, 3), 11);
    assert_string_equal(buf, "A1");
    assert_int_equal(trolley_node_join(study, "OtherPatientIDs", NULL, 0), 11);
    assert_int_equal(trolley_node_join(study, "PatientName", buf, sizeof buf), -1);
    assert_int_equal(trolley_node_join(study, "NoSuchKeyword", buf, sizeof buf), -1);
    trolley_tree_free(tree);
}

static void test_bad_records(void **state)
{
    static const char *const bad[] = {"", " ", "1.2/3", "../x", "1.2 3", "1..2", NULL};
    struct trolley_error error;
    struct trolley_tree *tree;
    struct draft draft;

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        draft_uids(&draft, TROLLEY_LEVEL_INSTANCE, "1.2", "1.2.3", "1");
        draft.values[2] = bad[i];
        assert_int_equal(tree_add(tree, &draft.record, NULL, &error), TROLLEY_ERR_PROTOCOL);
        assert_non_null(strstr(error.message, "SOPInstanceUID"));
    }
    draft_uids(&draft, TROLLEY_LEVEL_SERIES, "1.2", NULL, NULL);
    assert_int_equal(tree_add(tree, &draft.record, NULL, &error), TROLLEY_ERR_PROTOCOL);
    draft_uids(&draft, 4, "1.2", "1", "1");
    assert_int_equal(tree_add(tree, &draft.record, NULL, &error), TROLLEY_ERR_INVALID_ARG);
    draft_uids(&draft, TROLLEY_LEVEL_STUDY, "1.2", NULL, NULL);
    draft.elements[0].size = 4;
    assert_int_equal(tree_add(tree, &draft.record, NULL, NULL), TROLLEY_ERR_INVALID_ARG);
    assert_null(trolley_tree_first(tree)); /* nothing half-made stays */
    trolley_tree_free(tree);
}

static void test_cap(void **state)
{
    struct trolley_error error;
    struct trolley_tree *tree;
    struct draft draft;
    char uid[24];
    int r = 0;

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    tree->arena.cap = 1 << 20;
    for (int i = 0; r == 0 && i < 100000; i++) {
        (void)snprintf(uid, sizeof uid, "1.%d", i);
        draft_uids(&draft, TROLLEY_LEVEL_STUDY, uid, NULL, NULL);
        r = tree_add(tree, &draft.record, NULL, &error);
    }
    assert_int_equal(r, TROLLEY_ERR_TOO_LARGE);
    assert_true(trolley_tree_count(tree, TROLLEY_LEVEL_STUDY) > 5000);
    assert_string_equal(trolley_node_uid(trolley_tree_study(tree, "1.5000")), "1.5000");
    trolley_tree_free(tree);
}

static double fill(uint32_t count, size_t *ret_bytes)
{
    struct timespec start, end;
    struct trolley_tree *tree;
    struct draft draft;
    char uid[40], series[40], number[12];

    assert_int_equal(tree_new(&tree), 0);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(uid, sizeof uid, "1.2.840.113619.2.55.3.%010u", i);
        (void)snprintf(series, sizeof series, "1.2.840.113619.2.55.%u", i / 500);
        (void)snprintf(number, sizeof number, "%u", i % 500);
        draft_uids(&draft, TROLLEY_LEVEL_INSTANCE, "1.2.840", series, uid);
        draft_put(&draft, PATIENT_NAME, "Doe^John");
        draft_put(&draft, 0x00080016, "1.2.840.10008.5.1.4.1.1.2");
        draft_put(&draft, INSTANCE_NUMBER, number);
        assert_int_equal(add(tree, &draft), 0);
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_int_equal(trolley_tree_count(tree, TROLLEY_LEVEL_INSTANCE), count);
    *ret_bytes = tree->arena.total + (tree->nodes.size + tree->elements.size) * sizeof(void *);
    trolley_tree_free(tree);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static void test_many(void **state)
{
    const size_t uid_element = sizeof(struct trolley_element) + sizeof(char *) + 40;
    size_t bytes;
    double few, many;

    (void)state;
    few = fill(20000, &bytes);
    many = fill(100000, &bytes);
    /* Beside its UID's element: the node, its place in the table, pointers to three elements. */
    assert_true(bytes / 100000 <= uid_element + 120);
    assert_true(many < few * 5 * 4 + 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),      cmocka_unit_test(test_merging),
        cmocka_unit_test(test_lookup),      cmocka_unit_test(test_join),
        cmocka_unit_test(test_bad_records), cmocka_unit_test(test_cap),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
