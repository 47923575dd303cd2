/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include "core/model/query.h"
#include "query_fixture.h"

#include <cmocka.h>

#define STUDY TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY)
#define SERIES TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES)

static const struct trolley_query_param day_params[] = {
    PARAM(ATTRIBUTE, "StudyDate"), PARAM(ATTRIBUTE, "PatientID"), PARAM(ATTRIBUTE, "00091001")};
static const struct trolley_span day_span = TROLLEY_SPAN(day_params);

static const struct trolley_query_type bare_types[] = {
    TYPE(.name = "bare", .flags = TROLLEY_QUERY_ANY_ATTRIBUTE)};
static const struct trolley_span bare = TROLLEY_SPAN(bare_types);
static const struct trolley_query_type day_types[] = {TYPE(.name = "day", .params = &day_span)};
static const struct trolley_span day = TROLLEY_SPAN(day_types);

static void test_first_type_that_covers(void **state)
{
    static const struct {
        const char *texts[4];
        const char *type;
    } cases[] = {
        {{NULL}, "query"},
        {{"PatientName=x", "StudyDate=20150301"}, "query"},
        {{"SeriesInstanceUID=1.2", "min_study_date=20150301"}, "query"},
        {{"PatientName=x", "PatientSex=F"}, "extended"},
        {{"PatientSex=F", "limit=10", "StudyDate=-20150301"}, "limited"},
        {{"limit=10"}, "limited"},
        {{"offset=10"}, "web"},
        {{"SeriesInstanceUID=1.2", "StationName=x"}, "web"},
        {{"RequestAttributesSequence.ScheduledProcedureStepID=x"}, "web"},
        {{"ReferencedStudySequence.StudyInstanceUID=1.2"}, "web"},
        {{"00091001=x", "seen_date=20150301"}, "web"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query = query_fixture_build(cases[i].texts);
        const struct trolley_query *view = NULL;
        struct trolley_error error = {0};

        if (query_accept(query, &query_fixture_all, STUDY, &view, &error) < 0)
            fail_msg("%s", error.message);
        assert_string_equal(view->type, cases[i].type);
        assert_int_equal(view->size, sizeof *view);
        trolley_query_free(query);
    }
}

static void test_refusal_names_all(void **state)
{
    static const struct {
        const struct trolley_span *types;
        const char *forced, *texts[5], *says;
    } cases[] = {
        {&query_fixture_all,
         NULL,
         {"PatientSex=F", "limit=5", "offset=2", "StationName=x", "nonsense=1"},
         "no query type takes every key: "
         "query: no PatientSex, no limit, no offset, no StationName, no nonsense; "
         "extended: no limit, no offset, no StationName, no nonsense; "
         "limited: no offset, no StationName, no nonsense; web: no nonsense"},
        {&query_fixture_all,
         NULL,
         {"limt=5"},
         "no query type takes every key: query: no limt; extended: no limt; limited: no limt; "
         "web: no limt; did you mean limit in place of limt?"},
        {&day,
         NULL,
         {"patientid=5"},
         "no query type takes every key: day: no patientid; did you mean PatientID in place of "
         "patientid?"},
        {&day,
         NULL,
         {"RequestAttributesSequence.PatientID=5"},
         "no query type takes every key: day: no 00400275.00100020"},
        {&query_fixture_all,
         "web",
         {"limit=ten", "offset=-1", "fuzzymatching=perhaps", "seen_date=2015-03-01"},
         "the query type does not take every key: web: limit must be a whole number, offset must "
         "be a whole number, fuzzymatching must be yes or no, seen_date must be a date (YYYYMMDD)"},
        {&query_fixture_all,
         "query",
         {"PatientSex=F"},
         "the query type does not take every key: query: no PatientSex"},
        {&query_fixture_all,
         "mint",
         {NULL},
         "query type mint: not accepted, only query, extended, limited, web"},
        {&day, "query", {NULL}, "query type query: not accepted, only day"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *texts[6] = {NULL};
        struct trolley_query_builder *query;
        const struct trolley_query *view = NULL;
        struct trolley_error error = {0};

        memcpy(texts, cases[i].texts, sizeof cases[i].texts);
        query = query_fixture_build(texts);
        if (cases[i].forced)
            assert_int_equal(trolley_query_set_type(query, cases[i].forced, NULL), 0);
        assert_int_equal(query_accept(query, cases[i].types, STUDY, &view, &error),
                         TROLLEY_ERR_UNSUPPORTED_PARAM);
        assert_string_equal(error.message, cases[i].says);
        assert_null(view);
        trolley_query_free(query);
    }
}

static void test_long_refusal_is_cut(void **state)
{
    struct trolley_query_builder *query = query_fixture_build((const char *const[]){NULL});
    const struct trolley_query *view;
    struct trolley_error error = {0};
    char key[16];
    unsigned i;

    (void)state;
    for (i = 0; i < 900; i++) {
        (void)snprintf(key, sizeof key, "0009%04x", 0x1000 + i);
        assert_int_equal(trolley_query_set(query, key, "x", NULL), 0);
    }
    assert_int_equal(query_accept(query, &day, STUDY, &view, &error),
                     TROLLEY_ERR_UNSUPPORTED_PARAM);
    assert_non_null(strstr(error.message, "no 00091000"));
    assert_string_equal(error.message + strlen(error.message) - 4, " ...");
    trolley_query_free(query);
}

static void test_forced(void **state)
{
    struct trolley_query_builder *query =
        query_fixture_build((const char *const[]){"PatientName=x", NULL});
    const struct trolley_query *first, *second;

    (void)state;
    assert_int_equal(query_accept(query, &query_fixture_all, STUDY, &first, NULL), 0);
    /* What was handed out before stays until the builder changes. */
    assert_int_equal(query_accept(query, &bare, STUDY, &second, NULL), 0);
    assert_string_equal(first->type, "query");
    assert_string_equal(second->type, "bare");
    assert_int_equal(trolley_query_set_type(query, "web", NULL), 0);
    assert_int_equal(query_accept(query, &query_fixture_all, STUDY, &first, NULL), 0);
    assert_string_equal(first->type, "web");
    assert_int_equal(trolley_query_set_type(query, "", NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_query_set_type(query, "\xff", NULL), TROLLEY_ERR_INVALID_ARG);
    trolley_query_free(query);
}

static void test_levels(void **state)
{
    struct trolley_query_builder *query = query_fixture_build((const char *const[]){NULL});
    const struct trolley_query *view;
    struct trolley_error error = {0};

    (void)state;
    assert_int_equal(trolley_query_set_level(query, "instance", NULL), 0);
    assert_int_equal(query_accept(query, &query_fixture_all, STUDY | SERIES, &view, &error),
                     TROLLEY_ERR_UNSUPPORTED_PARAM);
    assert_string_equal(error.message, "level instance: not offered, only study series");
    assert_int_equal(trolley_query_set_level(query, "series", NULL), 0);
    assert_int_equal(query_accept(query, &query_fixture_all, SERIES, &view, &error), 0);
    assert_int_equal(view->level, TROLLEY_LEVEL_SERIES);
    trolley_query_free(query);
}

static void test_yes_and_no(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"fuzzymatching=1", "1"},  {"fuzzymatching=0", "0"},    {"fuzzymatching=yes", "1"},
        {"fuzzymatching=No", "0"}, {"fuzzymatching=TRUE", "1"}, {"fuzzymatching=false", "0"},
        {"fuzzymatching=on", "1"}, {"fuzzymatching=off", "0"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query =
            query_fixture_build((const char *const[]){cases[i].text, NULL});
        const struct trolley_query *view;

        assert_int_equal(query_accept(query, &query_fixture_all, STUDY, &view, NULL), 0);
        assert_string_equal(trolley_query_text(view, "fuzzymatching"), cases[i].value);
        trolley_query_free(query);
    }
}

/* Types without min_study_date and max_study_date get a range of StudyDate. */
static void test_study_date_as_range(void **state)
{
    static const struct {
        const char *texts[4], *value;
    } cases[] = {
        {{"StudyDate=20150301"}, "20150301"},
        {{"StudyDate=20150301-20150401"}, "20150301-20150401"},
        {{"StudyDate=20150301-"}, "20150301-"},
        {{"StudyDate=-20150401"}, "-20150401"},
        {{"max_study_date=20150401", "PatientID=1", "min_study_date=20150301"},
         "20150301-20150401"},
        {{"max_study_date=20150301", "min_study_date=20150301"}, "20150301"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        struct trolley_query_builder *query = query_fixture_build(cases[i / 2].texts);
        const struct trolley_query *view;
        const struct trolley_query_key *key;

        assert_int_equal(query_accept(query, i % 2 ? &bare : &day, STUDY, &view, NULL), 0);
        key = trolley_query_find_key(view, "StudyDate");
        assert_non_null(key);
        assert_int_equal(key->tag, 0x00080020);
        assert_string_equal(key->vr, "DA");
        assert_int_equal(key->values.count, 1);
        assert_string_equal(trolley_span_text(&key->values, 0), cases[i / 2].value);
        assert_int_equal(view->keys.count, 1 + (trolley_query_find_key(view, "PatientID") != NULL));
        trolley_query_free(query);
    }
}

static void count_param(void *ctx, const struct trolley_query_param *param)
{
    char *names = ctx;

    (void)snprintf(names + strlen(names), 512 - strlen(names), "%s ", param->key);
}

static void test_params_of_types(void **state)
{
    static const struct trolley_query_type circle_types[] = {
        TYPE(.name = "a", .base = "b", .params = &query_fixture_limit),
        TYPE(.name = "b", .base = "a", .params = &query_fixture_limit),
        TYPE(.name = "query", .base = "query", .params = &query_fixture_limit),
        TYPE(.name = "lost", .base = "nowhere", .params = &query_fixture_limit),
    };
    const struct trolley_span circle = TROLLEY_SPAN(circle_types);
    char names[512] = "";

    (void)state;
    assert_int_equal(trolley_query_type_params(trolley_span_at(&query_fixture_all, 3),
                                               &query_fixture_all, count_param, names),
                     TROLLEY_QUERY_ANY_ATTRIBUTE);
    assert_string_equal(names, "StudyInstanceUID AccessionNumber PatientName PatientID "
                               "ModalitiesInStudy SeriesInstanceUID min_study_date max_study_date "
                               "limit offset fuzzymatching seen_date ");
    names[0] = '\0';
    assert_int_equal(trolley_query_type_params(trolley_span_at(&query_fixture_all, 2),
                                               &query_fixture_all, count_param, names),
                     0);
    assert_non_null(strstr(names, "max_study_date InstitutionName PatientSex StudyDescription "
                                  "SeriesDescription InstitutionalDepartmentName PatientBirthDate "
                                  "limit "));
    assert_int_equal(
        trolley_query_type_params(trolley_span_at(&query_fixture_all, 3), NULL, NULL, NULL),
        TROLLEY_QUERY_ANY_ATTRIBUTE);
    /* Circles end, and a type that builds on the builtin of its own name has both. */
    names[0] = '\0';
    assert_int_equal(trolley_query_type_params(&circle_types[0], &circle, count_param, names), 0);
    names[0] = '\0';
    trolley_query_type_params(&circle_types[2], &circle, count_param, names);
    assert_non_null(strstr(names, "StudyInstanceUID"));
    assert_non_null(strstr(names, "limit"));
    names[0] = '\0';
    trolley_query_type_params(&circle_types[3], &circle, count_param, names);
    assert_string_equal(names, "limit ");
    assert_null(trolley_query_type_builtin("mint"));
    assert_string_equal(trolley_query_type_builtin("extended")->base, "query");
}

/* ---- no parameter is lost ---- */

static const struct {
    const char *text;
    const char *types; /* that take it, of `all` */
} universe[] = {
    {"StudyInstanceUID=1.2", "query extended limited web"},
    {"AccessionNumber=a", "query extended limited web"},
    {"PatientName=b", "query extended limited web"},
    {"PatientID=c", "query extended limited web"},
    {"ModalitiesInStudy=CT", "query extended limited web"},
    {"SeriesInstanceUID=1.3", "query extended limited web"},
    {"min_study_date=20150301", "query extended limited web"},
    {"max_study_date=20150302", "query extended limited web"},
    {"InstitutionName=d", "extended limited web"},
    {"PatientBirthDate=19700101", "extended limited web"},
    {"StudyDescription=e", "extended limited web"},
    {"Modality=MR", "web"},
    {"limit=1", "limited web"},
    {"offset=2", "web"},
};
#define UNIVERSE (sizeof universe / sizeof universe[0])

/* The text of the universe, read back from the query a searcher gets; a bool or date is as typed.
 */
static void check_kept(const struct trolley_query *view, const char *text)
{
    const size_t length = strcspn(text, "=");
    char name[64];
    const char *value;

    (void)snprintf(name, sizeof name, "%.*s", (int)length, text);
    value = trolley_query_text(view, name);
    if (!value || strcmp(value, text + length + 1) != 0) fail_msg("%s was lost", text);
}

static void test_nothing_is_lost(void **state)
{
    unsigned set, i, count;

    (void)state;
    for (set = 0; set < 1u << UNIVERSE; set += 1 + set % 3) {
        const char *texts[UNIVERSE + 1] = {NULL};
        struct trolley_query_builder *query;
        const struct trolley_query *view = NULL;
        const char *expected = NULL;
        uint32_t t;

        for (i = count = 0; i < UNIVERSE; i++)
            if (set & 1u << i) texts[count++] = universe[i].text;
        for (t = 0; !expected && t < query_fixture_all.count; t++) {
            expected = ((const struct trolley_query_type *)trolley_span_at(&query_fixture_all,
                                                                           (uint32_t)t))
                           ->name;
            for (i = 0; expected && i < UNIVERSE; i++)
                if (set & 1u << i && !strstr(universe[i].types, expected)) expected = NULL;
        }
        query = query_fixture_build(texts);
        assert_int_equal(query_accept(query, &query_fixture_all, STUDY, &view, NULL),
                         expected ? 0 : TROLLEY_ERR_UNSUPPORTED_PARAM);
        if (expected) {
            assert_string_equal(view->type, expected);
            assert_int_equal(view->keys.count, count);
            for (i = 0; i < count; i++)
                check_kept(view, texts[i]);
        }
        trolley_query_free(query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_type_that_covers),
        cmocka_unit_test(test_refusal_names_all),
        cmocka_unit_test(test_long_refusal_is_cut),
        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_yes_and_no),
        cmocka_unit_test(test_study_date_as_range),
        cmocka_unit_test(test_params_of_types),
        cmocka_unit_test(test_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
