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

#include <cmocka.h>

#define STUDY TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY)
#define SERIES TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES)

#define PARAM(kind, name)                                                                       \
    {                                                                                           \
        .size = sizeof(struct trolley_query_param), .type = TROLLEY_PARAM_##kind, .key = (name) \
    }
#define TYPE(...)                                              \
    {                                                          \
        .size = sizeof(struct trolley_query_type), __VA_ARGS__ \
    }

static const struct trolley_query_param limit_params[] = {PARAM(INT, "limit")};
static const struct trolley_span limit_span = TROLLEY_SPAN(limit_params);
static const struct trolley_query_param web_params[] = {PARAM(INT, "limit"), PARAM(INT, "offset"),
                                                        PARAM(BOOL, "fuzzymatching"),
                                                        PARAM(DATE, "seen_date")};
static const struct trolley_span web_span = TROLLEY_SPAN(web_params);
static const struct trolley_query_param day_params[] = {
    PARAM(ATTRIBUTE, "StudyDate"), PARAM(ATTRIBUTE, "PatientID"), PARAM(ATTRIBUTE, "00091001")};
static const struct trolley_span day_span = TROLLEY_SPAN(day_params);

/* A searcher that takes all of these, the narrowest first. */
static const struct trolley_query_type all_types[] = {
    TYPE(.name = "query"),
    TYPE(.name = "extended"),
    TYPE(.name = "limited", .base = "extended", .params = &limit_span),
    TYPE(.name = "web", .base = "query", .params = &web_span, .flags = TROLLEY_QUERY_ANY_ATTRIBUTE),
};
static const struct trolley_span all = TROLLEY_SPAN(all_types);

static const struct trolley_query_type bare_types[] = {
    TYPE(.name = "bare", .flags = TROLLEY_QUERY_ANY_ATTRIBUTE)};
static const struct trolley_span bare = TROLLEY_SPAN(bare_types);
static const struct trolley_query_type day_types[] = {TYPE(.name = "day", .params = &day_span)};
static const struct trolley_span day = TROLLEY_SPAN(day_types);

/* Builds a query of "KEY=VALUE" texts, ended by NULL. */
static struct trolley_query_builder *build(const char *const *texts)
{
    struct trolley_query_builder *query = NULL;
    struct trolley_error error = {0};
    char key[64];

    assert_int_equal(trolley_query_new(&query, &error), 0);
    for (; *texts; texts++) {
        size_t length = strcspn(*texts, "=");

        (void)snprintf(key, sizeof key, "%.*s", (int)length, *texts);
        if (trolley_query_set(query, key, *texts + length + 1, &error) < 0)
            fail_msg("%s", error.message);
    }
    return query;
}

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
        struct trolley_query_builder *query = build(cases[i].texts);
        const struct trolley_query *view = NULL;
        struct trolley_error error = {0};

        if (query_accept(query, &all, STUDY, &view, &error) < 0) fail_msg("%s", error.message);
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
        {&all,
         NULL,
         {"PatientSex=F", "limit=5", "offset=2", "StationName=x", "nonsense=1"},
         "no query type takes every key: "
         "query: no PatientSex, no limit, no offset, no StationName, no nonsense; "
         "extended: no limit, no offset, no StationName, no nonsense; "
         "limited: no offset, no StationName, no nonsense; web: no nonsense"},
        {&all,
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
        {&all,
         "web",
         {"limit=ten", "offset=-1", "fuzzymatching=perhaps", "seen_date=2015-03-01"},
         "the query type does not take every key: web: limit must be a whole number, offset must "
         "be a whole number, fuzzymatching must be yes or no, seen_date must be a date (YYYYMMDD)"},
        {&all,
         "query",
         {"PatientSex=F"},
         "the query type does not take every key: query: no PatientSex"},
        {&all, "mint", {NULL}, "query type mint: not accepted, only query, extended, limited, web"},
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
        query = build(texts);
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
    struct trolley_query_builder *query = build((const char *const[]){NULL});
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
    struct trolley_query_builder *query = build((const char *const[]){"PatientName=x", NULL});
    const struct trolley_query *first, *second;

    (void)state;
    assert_int_equal(query_accept(query, &all, STUDY, &first, NULL), 0);
    /* What was handed out before stays until the builder changes. */
    assert_int_equal(query_accept(query, &bare, STUDY, &second, NULL), 0);
    assert_string_equal(first->type, "query");
    assert_string_equal(second->type, "bare");
    assert_int_equal(trolley_query_set_type(query, "web", NULL), 0);
    assert_int_equal(query_accept(query, &all, STUDY, &first, NULL), 0);
    assert_string_equal(first->type, "web");
    assert_int_equal(trolley_query_set_type(query, "", NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_query_set_type(query, "\xff", NULL), TROLLEY_ERR_INVALID_ARG);
    trolley_query_free(query);
}

static void test_levels(void **state)
{
    struct trolley_query_builder *query = build((const char *const[]){NULL});
    const struct trolley_query *view;
    struct trolley_error error = {0};

    (void)state;
    assert_int_equal(trolley_query_set_level(query, "instance", NULL), 0);
    assert_int_equal(query_accept(query, &all, STUDY | SERIES, &view, &error),
                     TROLLEY_ERR_UNSUPPORTED_PARAM);
    assert_string_equal(error.message, "level instance: not offered, only study series");
    assert_int_equal(trolley_query_set_level(query, "series", NULL), 0);
    assert_int_equal(query_accept(query, &all, SERIES, &view, &error), 0);
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
        struct trolley_query_builder *query = build((const char *const[]){cases[i].text, NULL});
        const struct trolley_query *view;

        assert_int_equal(query_accept(query, &all, STUDY, &view, NULL), 0);
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
        struct trolley_query_builder *query = build(cases[i / 2].texts);
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
        TYPE(.name = "a", .base = "b", .params = &limit_span),
        TYPE(.name = "b", .base = "a", .params = &limit_span),
        TYPE(.name = "query", .base = "query", .params = &limit_span),
        TYPE(.name = "lost", .base = "nowhere", .params = &limit_span),
    };
    const struct trolley_span circle = TROLLEY_SPAN(circle_types);
    char names[512] = "";

    (void)state;
    assert_int_equal(trolley_query_type_params(&all_types[3], &all, count_param, names),
                     TROLLEY_QUERY_ANY_ATTRIBUTE);
    assert_string_equal(names, "StudyInstanceUID AccessionNumber PatientName PatientID "
                               "ModalitiesInStudy SeriesInstanceUID min_study_date max_study_date "
                               "limit offset fuzzymatching seen_date ");
    names[0] = '\0';
    assert_int_equal(trolley_query_type_params(&all_types[2], &all, count_param, names), 0);
    assert_non_null(strstr(names, "max_study_date InstitutionName PatientSex StudyDescription "
                                  "SeriesDescription InstitutionalDepartmentName PatientBirthDate "
                                  "limit "));
    assert_int_equal(trolley_query_type_params(&all_types[3], NULL, NULL, NULL),
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
        for (t = 0; !expected && t < all.count; t++) {
            expected = all_types[t].name;
            for (i = 0; expected && i < UNIVERSE; i++)
                if (set & 1u << i && !strstr(universe[i].types, expected)) expected = NULL;
        }
        query = build(texts);
        assert_int_equal(query_accept(query, &all, STUDY, &view, NULL),
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

/* ---- matching again ---- */

struct answer {
    uint32_t tag, flags;
    const char *value, *second;
};

static void test_match_record(void **state)
{
    static const struct {
        const char *texts[4];
        struct answer answers[3];
        enum query_match match;
        const char *seen;
    } cases[] = {
        {{"PatientName=Doe*"}, {{0x00100010, 0, "Doe^Jane", NULL}}, QUERY_MATCH_YES, "1"},
        {{"PatientName=Doe*"}, {{0x00100010, 0, "Roe^Jane", NULL}}, QUERY_MATCH_NO, "1"},
        {{"PatientName=Doe*"}, {{0x00100020, 0, "Roe^Jane", NULL}}, QUERY_MATCH_YES, "0"},
        {{"PatientName=Doe*", "PatientID=1"},
         {{0x00100020, 0, "2", NULL}, {0x00100010, 0, "Doe", NULL}},
         QUERY_MATCH_NO,
         "11"},
        {{"PatientID=1\\2"}, {{0x00100020, 0, "2 ", NULL}}, QUERY_MATCH_YES, "1"},
        {{"PatientID=1"}, {{0x00100020, TROLLEY_ELEMENT_NULL, NULL, NULL}}, QUERY_MATCH_NO, "1"},
        {{"PatientID="}, {{0x00100020, TROLLEY_ELEMENT_NULL, NULL, NULL}}, QUERY_MATCH_YES, "1"},
        {{"ModalitiesInStudy=CT,PT"}, {{0x00080061, 0, "MR", "PT"}}, QUERY_MATCH_YES, "1"},
        {{"ModalitiesInStudy=CT"}, {{0x00080061, 0, "MR", "PT"}}, QUERY_MATCH_NO, "1"},
        {{"StudyDate=20150301"}, {{0x00080020, 0, "20150301", NULL}}, QUERY_MATCH_YES, "11"},
        {{"StudyDate=20150301"}, {{0x00080020, 0, "20150302", NULL}}, QUERY_MATCH_NO, "11"},
        {{"StudyDate=20150301-"}, {{0x00080020, 0, "20150228", NULL}}, QUERY_MATCH_NO, "1"},
        {{"StudyDate=20150301-"}, {{0x00080020, 0, "20150302", NULL}}, QUERY_MATCH_YES, "1"},
        {{"StudyDate=-20150301"}, {{0x00080020, 0, "20150302", NULL}}, QUERY_MATCH_NO, "1"},
        {{"StudyDate=-20150301"}, {{0x00080021, 0, "20150302", NULL}}, QUERY_MATCH_YES, "0"},
        {{"StudyDate=-20150301"}, {{0x00080020, 0, "", NULL}}, QUERY_MATCH_NO, "1"},
        {{"limit=1"}, {{0x00100020, 0, "2", NULL}}, QUERY_MATCH_YES, "0"},
        {{"PatientName=Do", "fuzzymatching=yes"},
         {{0x00100010, 0, "Dough", NULL}},
         QUERY_MATCH_YES,
         "00"},
        {{"PatientName=Do", "fuzzymatching=no"},
         {{0x00100010, 0, "Dough", NULL}},
         QUERY_MATCH_NO,
         "10"},
        {{"PatientID=1", "fuzzymatching=yes"}, {{0x00100020, 0, "2", NULL}}, QUERY_MATCH_NO, "10"},
        {{"RequestAttributesSequence.ScheduledProcedureStepID=1"},
         {{0x00400009, 0, "2", NULL}, {0x00400275, TROLLEY_ELEMENT_JSON, "[]", NULL}},
         QUERY_MATCH_YES,
         "0"},
        {{"PatientComments=1"},
         {{0x00104000, TROLLEY_ELEMENT_BULK_URI, "http://x/1", NULL}},
         QUERY_MATCH_YES,
         "0"},
        {{"00091001=a"}, {{0x00091001, 0, "b", NULL}}, QUERY_MATCH_NO, "1"},
        {{"00091001=a"}, {{0x00091001, 0, "a", NULL}}, QUERY_MATCH_YES, "1"},
    };
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query = build(cases[i].texts);
        const struct trolley_query *view;
        const char *values[3][2];
        struct trolley_element elements[3];
        struct trolley_record record = {sizeof record, TROLLEY_LEVEL_STUDY, {elements, 0, 0}};
        uint8_t seen[8] = {0};

        record.elements.stride = sizeof elements[0];
        for (j = 0; j < 3 && cases[i].answers[j].tag; j++) {
            const struct answer *answer = &cases[i].answers[j];

            values[j][0] = answer->value;
            values[j][1] = answer->second;
            elements[j] = (struct trolley_element){
                .size = sizeof elements[j],
                .tag = answer->tag,
                .flags = answer->flags,
                .values = {values[j], (answer->value != NULL) + (answer->second != NULL),
                           sizeof values[j][0]},
            };
            record.elements.count++;
        }
        assert_int_equal(query_accept(query, &all, STUDY, &view, NULL), 0);
        if (query_match_record(view, &record, false, seen) != cases[i].match)
            fail_msg("case %zu: %s", i, cases[i].texts[0]);
        assert_int_equal(strlen(cases[i].seen), view->keys.count);
        for (j = 0; j < view->keys.count; j++)
            if (seen[j] != cases[i].seen[j] - '0') fail_msg("case %zu: seen %zu", i, j);
        trolley_query_free(query);
    }
}

/* Where the searcher matches fuzzily by itself, only a query that says otherwise is held to it. */
static void test_fuzzy_searcher(void **state)
{
    static const struct {
        const char *texts[3];
        const char *name;
        enum query_match match;
    } cases[] = {
        {{"PatientName=Do"}, "Dough", QUERY_MATCH_YES},
        {{"PatientName=Do", "fuzzymatching=yes"}, "Dough", QUERY_MATCH_YES},
        {{"PatientName=Do", "fuzzymatching=no"}, "Dough", QUERY_MATCH_NO},
        {{"PatientName=Do", "fuzzymatching=no"}, "Do", QUERY_MATCH_YES},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query = build(cases[i].texts);
        const struct trolley_element element = {
            .size = sizeof element,
            .tag = 0x00100010,
            .values = {&cases[i].name, 1, sizeof cases[i].name},
        };
        const struct trolley_record record = {
            sizeof record, TROLLEY_LEVEL_STUDY, {&element, 1, sizeof element}};
        const struct trolley_query *view;
        uint8_t seen[2] = {0};

        assert_int_equal(query_accept(query, &all, STUDY, &view, NULL), 0);
        if (query_match_record(view, &record, true, seen) != cases[i].match)
            fail_msg("case %zu", i);
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
        cmocka_unit_test(test_match_record),
        cmocka_unit_test(test_fuzzy_searcher),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
