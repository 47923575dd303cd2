/* test_tree_value.c: typed getters of the study tree, references. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/tree.h"

#include <cmocka.h>

#define STUDY "1.2.3"
#define SERIES "1.2.3.4"
#define INSTANCE "1.2.3.4.5"
#define UNTOUCHED 4711

/* An instance whose attribute `tag` has these values; its study has the UID alone. */
static const struct trolley_node *instance_of(uint32_t tag, const char *const *values,
                                              uint32_t count, struct trolley_tree **ret_tree)
{
    static const char *const uids[] = {STUDY, SERIES, INSTANCE};
    const struct trolley_element elements[] = {
        {.size = sizeof elements[0], .tag = 0x0020000d, .values = {&uids[0], 1, sizeof uids[0]}},
        {.size = sizeof elements[0], .tag = 0x0020000e, .values = {&uids[1], 1, sizeof uids[0]}},
        {.size = sizeof elements[0], .tag = 0x00080018, .values = {&uids[2], 1, sizeof uids[0]}},
        {.size = sizeof elements[0], .tag = tag, .values = {values, count, sizeof values[0]}}};
    const struct trolley_record record = {sizeof record, TROLLEY_LEVEL_INSTANCE,
                                          TROLLEY_SPAN(elements)};

    assert_int_equal(tree_new(ret_tree), 0);
    assert_int_equal(tree_add(*ret_tree, &record, NULL, NULL), 0);
    return trolley_node_first_child(trolley_node_first_child(trolley_tree_first(*ret_tree)));
}

static void test_integer(void **state)
{
    static const struct {
        const char *text;
        int status;
        int64_t value;
    } cases[] = {{"512", 0, 512},
                 {" -7 ", 0, -7},
                 {"+12", 0, 12},
                 {"9223372036854775807", 0, INT64_MAX},
                 {"9223372036854775808", TROLLEY_ERR_TOO_LARGE, UNTOUCHED},
                 {"", TROLLEY_ERR_NOT_FOUND, UNTOUCHED},
                 {"  ", TROLLEY_ERR_NOT_FOUND, UNTOUCHED},
                 {"1.5", TROLLEY_ERR_PROTOCOL, UNTOUCHED},
                 {"0x10", TROLLEY_ERR_PROTOCOL, UNTOUCHED},
                 {"\t5", TROLLEY_ERR_PROTOCOL, UNTOUCHED},
                 {"5 6", TROLLEY_ERR_PROTOCOL, UNTOUCHED},
                 {"-", TROLLEY_ERR_PROTOCOL, UNTOUCHED}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_tree *tree;
        const struct trolley_node *node = instance_of(0x00280010, &cases[i].text, 1, &tree);
        int64_t value = UNTOUCHED;

        assert_int_equal(trolley_node_integer(node, trolley_tag("Rows"), 0, &value),
                         cases[i].status);
        assert_int_equal(value, cases[i].value);
        assert_int_equal(trolley_node_integer(node, trolley_tag("Rows"), 1, &value),
                         TROLLEY_ERR_NOT_FOUND);
        assert_int_equal(trolley_node_integer(node, trolley_tag("Columns"), 0, &value),
                         TROLLEY_ERR_NOT_FOUND);
        trolley_tree_free(tree);
    }
}

static void test_decimal(void **state)
{
    static const char *const values[] = {"0.5", "-1.25e2 ", "7", "1,5", "nan", "0x1p3", "1e999"};
    struct trolley_tree *tree;
    const struct trolley_node *node = instance_of(0x00280030, values, 7, &tree);
    const uint32_t tag = trolley_tag("PixelSpacing");
    double value = UNTOUCHED;
    uint32_t i;

    (void)state;
    assert_int_equal(trolley_node_count(node, tag), 7);
    assert_int_equal(trolley_node_decimal(node, tag, 0, &value), 0);
    assert_true(value == 0.5);
    assert_int_equal(trolley_node_decimal(node, tag, 1, &value), 0);
    assert_true(value == -125);
    assert_int_equal(trolley_node_decimal(node, tag, 2, &value), 0);
    assert_true(value == 7);
    for (i = 3; i < 6; i++)
        assert_int_equal(trolley_node_decimal(node, tag, i, &value), TROLLEY_ERR_PROTOCOL);
    assert_int_equal(trolley_node_decimal(node, tag, 6, &value), TROLLEY_ERR_TOO_LARGE);
    assert_int_equal(trolley_node_decimal(node, tag, 7, &value), TROLLEY_ERR_NOT_FOUND);
    assert_true(value == 7);
    trolley_tree_free(tree);
}

static void test_date(void **state)
{
    static const char *const good[] = {"20200229", "2020.02.29", "20200229 ",
                                       "20200229101500+0100"};
    static const char *const bad[] = {"20190229",   "2020",     "20201301", "20200100",
                                      "2020-02-29", "2020022x", "19000229"};
    struct trolley_tree *tree;
    const struct trolley_node *node = instance_of(0x00080023, good, 4, &tree);
    struct trolley_date date;
    uint32_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        memset(&date, 0, sizeof date);
        assert_int_equal(trolley_node_date(node, 0x00080023, i, &date), 0);
        assert_int_equal(date.year, 2020);
        assert_int_equal(date.month, 2);
        assert_int_equal(date.day, 29);
    }
    trolley_tree_free(tree);
    node = instance_of(0x00080023, bad, 7, &tree);
    for (i = 0; i < 7; i++)
        assert_int_equal(trolley_node_date(node, 0x00080023, i, &date), TROLLEY_ERR_PROTOCOL);
    assert_int_equal(date.year, 2020);
    trolley_tree_free(tree);
}

static void test_time(void **state)
{
    static const struct {
        const char *text;
        struct trolley_time time;
    } good[] = {{"10", {10, 0, 0, 0}},
                {"1015", {10, 15, 0, 0}},
                {"101530", {10, 15, 30, 0}},
                {"101530.5", {10, 15, 30, 500000}},
                {"235960.000001 ", {23, 59, 60, 1}},
                {"10:15:30", {10, 15, 30, 0}}};
    static const char *const bad[] = {"1",       "2400",       "1060",    "101561",
                                      "10:1530", "101530.",    "10.5x",   "101530.1234567",
                                      "ab",      "101530.12x", "10:15:3", "10.5.5"};
    struct trolley_tree *tree;
    struct trolley_time time = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct trolley_node *node = instance_of(0x00080033, &good[i].text, 1, &tree);

        assert_int_equal(trolley_node_time(node, 0x00080033, 0, &time), 0);
        assert_memory_equal(&time, &good[i].time, sizeof time);
        trolley_tree_free(tree);
    }
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct trolley_node *node = instance_of(0x00080033, &bad[i], 1, &tree);

        assert_int_equal(trolley_node_time(node, 0x00080033, 0, &time), TROLLEY_ERR_PROTOCOL);
        trolley_tree_free(tree);
    }
}

static void test_person(void **state)
{
    static const char *const value = "Yamada ^Tarou^^ Dr.=\xe5\xb1\xb1\xe7\x94\xb0^"
                                     "\xe5\xa4\xaa\xe9\x83\x8e=";
    struct trolley_tree *tree;
    const struct trolley_node *node = instance_of(0x00100010, &value, 1, &tree);
    const uint32_t tag = trolley_tag("PatientName");
    char part[64];

    (void)state;
    assert_int_equal(trolley_node_person(node, tag, 0, 0, TROLLEY_PERSON_FAMILY, part, 64), 6);
    assert_string_equal(part, "Yamada");
    assert_int_equal(trolley_node_person(node, tag, 0, 0, TROLLEY_PERSON_GIVEN, part, 64), 5);
    assert_string_equal(part, "Tarou");
    assert_int_equal(trolley_node_person(node, tag, 0, 0, TROLLEY_PERSON_MIDDLE, part, 64), 0);
    assert_string_equal(part, "");
    assert_int_equal(trolley_node_person(node, tag, 0, 0, TROLLEY_PERSON_PREFIX, part, 64), 3);
    assert_string_equal(part, "Dr.");
    assert_int_equal(trolley_node_person(node, tag, 0, 0, TROLLEY_PERSON_SUFFIX, part, 64), 0);
    assert_int_equal(trolley_node_person(node, tag, 0, TROLLEY_PERSON_IDEOGRAPHIC,
                                         TROLLEY_PERSON_GIVEN, part, 64),
                     6);
    assert_string_equal(part, "\xe5\xa4\xaa\xe9\x83\x8e");
    /* Room for one character and a half: one. */
    assert_int_equal(trolley_node_person(node, tag, 0, 1, 1, part, 6), 6);
    assert_string_equal(part, "\xe5\xa4\xaa");
    assert_int_equal(trolley_node_person(node, tag, 0, TROLLEY_PERSON_PHONETIC, 0, part, 64), 0);
    assert_int_equal(trolley_node_person(node, tag, 0, 7, 7, NULL, 0), 0);
    assert_int_equal(trolley_node_person(node, tag, 1, 0, 0, part, 64), -1);
    assert_int_equal(trolley_node_person(node, 0x00080090, 0, 0, 0, part, 64), -1);
    trolley_tree_free(tree);
}

static void test_get(void **state)
{
    static const char *const values[] = {"512"};
    struct trolley_tree *tree;
    const struct trolley_node *node = instance_of(0x00280010, values, 1, &tree);

    (void)state;
    assert_string_equal(trolley_node_get(node, "Rows"), "512");
    assert_string_equal(trolley_node_get(node, "00280010"), "512");
    assert_string_equal(trolley_node_get(node, "0028,0010"), "512");
    assert_null(trolley_node_get(node, "Columns"));
    assert_null(trolley_node_get(node, "Rowz"));
    assert_null(trolley_node_get(node, NULL));
    assert_null(trolley_node_get(NULL, "Rows"));
    assert_int_equal(trolley_node_count(NULL, 0x00280010), 0);
    trolley_tree_free(tree);
}

static void test_node_ref(void **state)
{
    static const char *const value = "1.2.840.10008.5.1.4.1.1.2";
    struct trolley_tree *tree;
    const struct trolley_node *node = instance_of(0x00080016, &value, 1, &tree);
    struct trolley_ref ref = {0};

    (void)state;
    assert_int_equal(trolley_node_ref(node, &ref), 0);
    assert_int_equal(ref.size, sizeof ref);
    assert_int_equal(ref.level, TROLLEY_LEVEL_INSTANCE);
    assert_string_equal(ref.study, STUDY);
    assert_string_equal(ref.series, SERIES);
    assert_string_equal(ref.instance, INSTANCE);
    assert_string_equal(ref.sop_class, value);
    node = trolley_node_parent(node);
    assert_int_equal(trolley_node_ref(node, &ref), 0);
    assert_int_equal(ref.level, TROLLEY_LEVEL_SERIES);
    assert_null(ref.instance);
    node = trolley_node_parent(node);
    assert_int_equal(trolley_node_ref(node, &ref), 0);
    assert_int_equal(ref.level, TROLLEY_LEVEL_STUDY);
    assert_null(ref.series);
    assert_int_equal(trolley_node_ref(NULL, &ref), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(ref.level, TROLLEY_LEVEL_STUDY);
    trolley_tree_free(tree);
}

static void test_ref_make(void **state)
{
    struct trolley_error error = {0};
    struct trolley_ref ref = {.frame = UNTOUCHED};

    (void)state;
    assert_int_equal(trolley_ref_make(NULL, NULL, NULL, &ref, &error), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_ref_make(STUDY, NULL, INSTANCE, &ref, NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_ref_make("../etc", NULL, NULL, &ref, &error), TROLLEY_ERR_INVALID_ARG);
    assert_non_null(strstr(error.message, "../etc"));
    assert_int_equal(trolley_ref_make(STUDY, "1..2x", NULL, &ref, NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(ref.frame, UNTOUCHED);
    assert_int_equal(trolley_ref_make(STUDY, NULL, NULL, &ref, NULL), 0);
    assert_int_equal(ref.level, TROLLEY_LEVEL_STUDY);
    assert_int_equal(trolley_ref_make(STUDY, SERIES, NULL, &ref, NULL), 0);
    assert_int_equal(ref.level, TROLLEY_LEVEL_SERIES);
    assert_int_equal(trolley_ref_make(STUDY, SERIES, INSTANCE, &ref, NULL), 0);
    assert_int_equal(ref.level, TROLLEY_LEVEL_INSTANCE);
    assert_int_equal(ref.frame, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integer),  cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_date),     cmocka_unit_test(test_time),
        cmocka_unit_test(test_person),   cmocka_unit_test(test_get),
        cmocka_unit_test(test_node_ref), cmocka_unit_test(test_ref_make)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
