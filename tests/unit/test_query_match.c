/* Answers matched again against the query. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "query_fixture.h"

#include <cmocka.h>

#define STUDY TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY)

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
        struct trolley_query_builder *query = query_fixture_build(cases[i].texts);
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
        assert_int_equal(query_accept(query, &query_fixture_all, STUDY, &view, NULL), 0);
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
        struct trolley_query_builder *query = query_fixture_build(cases[i].texts);
        const struct trolley_element element = {
            .size = sizeof element,
            .tag = 0x00100010,
            .values = {&cases[i].name, 1, sizeof cases[i].name},
        };
        const struct trolley_record record = {
            sizeof record, TROLLEY_LEVEL_STUDY, {&element, 1, sizeof element}};
        const struct trolley_query *view;
        uint8_t seen[2] = {0};

        assert_int_equal(query_accept(query, &query_fixture_all, STUDY, &view, NULL), 0);
        if (query_match_record(view, &record, true, seen) != cases[i].match)
            fail_msg("case %zu", i);
        trolley_query_free(query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_record),
        cmocka_unit_test(test_fuzzy_searcher),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
