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

#define ALL_LEVELS                                                                      \
    (TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) | \
     TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE))

static const struct trolley_query_param any_params[] = {
    {.size = sizeof any_params[0], .type = TROLLEY_PARAM_INT, .key = "limit"},
    {.size = sizeof any_params[0], .type = TROLLEY_PARAM_TEXT, .key = "free_text"},
};
static const struct trolley_span any_params_span = TROLLEY_SPAN(any_params);
static const struct trolley_query_type any_types[] = {{
    .size = sizeof any_types[0],
    .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
    .name = "any",
    .base = "query",
    .params = &any_params_span,
}};
static const struct trolley_span any = TROLLEY_SPAN(any_types);

static struct trolley_query_builder *new_query(void)
{
    struct trolley_query_builder *query = NULL;

    assert_int_equal(trolley_query_new(&query, NULL), 0);
    return query;
}

static void set(struct trolley_query_builder *query, const char *key, const char *value)
{
    struct trolley_error error = {0};

    if (trolley_query_set(query, key, value, &error) < 0) fail_msg("%s: %s", key, error.message);
}

static const struct trolley_query *accepted(const struct trolley_query_builder *query)
{
    struct trolley_error error = {0};
    const struct trolley_query *view = NULL;

    if (query_accept(query, &any, ALL_LEVELS, &view, &error) < 0) fail_msg("%s", error.message);
    return view;
}

/* The values of a key, joined by '|'. */
static const char *joined(const struct trolley_query_key *key, char out[256])
{
    uint32_t i;

    out[0] = '\0';
    for (i = 0; i < key->values.count; i++)
        (void)snprintf(out + strlen(out), 256 - strlen(out), "%s%s", i ? "|" : "",
                       trolley_span_text(&key->values, i));
    return out;
}

static void test_keys(void **state)
{
    static const struct {
        const char *key, *value;
        uint32_t tag;
        const char *name, *path, *vr, *values;
    } cases[] = {
        {"PatientName", "B*^J?n", 0x00100010, "PatientName", NULL, "PN", "B*^J?n"},
        {"00100010", "x", 0x00100010, "PatientName", NULL, "PN", "x"},
        {"0010,0010", "x", 0x00100010, "PatientName", NULL, "PN", "x"},
        {"PatientID", "1,2", 0x00100020, "PatientID", NULL, "LO", "1,2"},
        {"PatientID", "1\\2", 0x00100020, "PatientID", NULL, "LO", "1|2"},
        {"PatientID", "", 0x00100020, "PatientID", NULL, "LO", ""},
        {"PatientID", " 1", 0x00100020, "PatientID", NULL, "LO", " 1"},
        {"ModalitiesInStudy", "CT", 0x00080061, "ModalitiesInStudy", NULL, "CS", "CT"},
        {"ModalitiesInStudy", "CT, MR", 0x00080061, "ModalitiesInStudy", NULL, "CS", "CT|MR"},
        {"ModalitiesInStudy", "CT\\MR,PT", 0x00080061, "ModalitiesInStudy", NULL, "CS", "CT|MR|PT"},
        {"StudyInstanceUID", "1.2,1.3\\1.4", 0x0020000d, "StudyInstanceUID", NULL, "UI",
         "1.2|1.3|1.4"},
        {"PatientBirthDate", "1970-01-31", 0x00100030, "PatientBirthDate", NULL, "DA", "19700131"},
        {"PatientBirthDate", "1970-01-31..", 0x00100030, "PatientBirthDate", NULL, "DA",
         "19700131-"},
        {"PatientBirthDate", "-19700131", 0x00100030, "PatientBirthDate", NULL, "DA", "-19700131"},
        {"PatientBirthDate", "19700101..1970-12-31\\19800101", 0x00100030, "PatientBirthDate", NULL,
         "DA", "19700101-19701231|19800101"},
        {"AdditionalPatientHistory", "a\\b,c\n", 0x001021b0, "AdditionalPatientHistory", NULL, "LT",
         "a\\b,c\n"},
        {"RequestAttributesSequence.ScheduledProcedureStepID", "A", 0x00400009,
         "ScheduledProcedureStepID", "00400275.00400009", "SH", "A"},
        {"0040,0275.00400009", "A", 0x00400009, "ScheduledProcedureStepID", "00400275.00400009",
         "SH", "A"},
        {"ReferencedStudySequence.StudyDate", "2015-03-01", 0x00080020, "StudyDate",
         "00081110.00080020", "DA", "20150301"},
        {"RequestAttributesSequence", "", 0x00400275, "RequestAttributesSequence", NULL, "SQ", ""},
        {"00091001", "x", 0x00091001, "00091001", NULL, "", "x"},
        {"0009,10ab", "x\\y", 0x000910ab, "000910AB", NULL, "", "x|y"},
        {"00091001.00100010", "x", 0x00100010, "PatientName", "00091001.00100010", "PN", "x"},
        {"limit", "20", 0, "limit", NULL, "", "20"},
        {"free-text", "a\\b,c", 0, "free_text", NULL, "", "a\\b,c"},
        {"min_study_date", "2015-03-01", 0, "min_study_date", NULL, "", "20150301"},
    };
    char out[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query = new_query();
        const struct trolley_query *view;
        const struct trolley_query_key *key;

        set(query, cases[i].key, cases[i].value);
        view = accepted(query);
        assert_int_equal(view->keys.count, 1);
        key = trolley_span_at(&view->keys, 0);
        assert_int_equal(key->tag, cases[i].tag);
        assert_string_equal(key->name, cases[i].name);
        assert_string_equal(key->path ? key->path : "-", cases[i].path ? cases[i].path : "-");
        assert_memory_equal(key->vr, cases[i].vr, strlen(cases[i].vr) + 1);
        assert_string_equal(joined(key, out), cases[i].values);
        trolley_query_free(query);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *key, *value, *says;
    } cases[] = {
        {"PatientNmae", "x", "did you mean PatientName"},
        {"Xyzzyxyzzy", "x", "no such DICOM keyword or tag"},
        {"", "x", "without a name"},
        {".", "x", "not a DICOM keyword or tag"},
        {"PatientName.", "x", "not a sequence"},
        {"RequestAttributesSequence.", "x", "not a DICOM keyword or tag"},
        {".PatientName", "x", "not a DICOM keyword or tag"},
        {"PatientName.PatientID", "x", "not a sequence"},
        {"RequestAttributesSequence", "x", "is a sequence: name an attribute in it"},
        {"MessageID", "1", "not an attribute that can be queried"},
        {"TransferSyntaxUID", "1.2", "not an attribute that can be queried"},
        {"00080000", "1", "not an attribute that can be queried"},
        {"Item", "1", "not an attribute that can be queried"},
        {"level", "study", "--level"},
        {"include_fields", "Rows", "--include"},
        {"Patient\xffName", "x", "not UTF-8"},
        {"PatientName", "J\xfcrgen", "PatientName: the value is not UTF-8"},
        {"PatientName", "a\nb", "PatientName: the value has a control character"},
        {"PatientName", "a\x7f", "PatientName: the value has a control character"},
        {"limit", "\x1b", "limit: the value has a control character"},
        {"StudyInstanceUID", "1.2.*", "StudyInstanceUID: not a UID"},
        {"StudyInstanceUID", "1.2,../3", "StudyInstanceUID: not a UID"},
        {"StudyInstanceUID", "1.2,", "an empty value among several"},
        {"ModalitiesInStudy", ",CT", "an empty value among several"},
        {"PatientID", "1\\\\2", "an empty value among several"},
        {"StudyDate", "20150229", "StudyDate: not a date"},
        {"StudyDate", "", "StudyDate: not a date"},
        {"StudyDate", "20150401-20150301", "StudyDate: the range of dates runs backwards"},
        {"PatientBirthDate", "1970*", "PatientBirthDate: dates have no wildcards"},
        {"PatientBirthDate", "31-01-1970", "PatientBirthDate: not a date"},
        {"min_study_date", "20150101-20150201", "one date is wanted"},
        {"max_study_date", "-20150201", "one date is wanted"},
        {"max_study_date", "soon", "max_study_date: not a date"},
    };
    struct trolley_query_builder *query = new_query();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_error error = {0};

        if (trolley_query_set(query, cases[i].key, cases[i].value, &error) !=
            TROLLEY_ERR_INVALID_ARG)
            fail_msg("%s=%s was taken", cases[i].key, cases[i].value);
        if (!strstr(error.message, cases[i].says)) fail_msg("says %s", error.message);
        /* Values may tell about a patient. */
        if (strlen(cases[i].value) > 2 && *cases[i].key)
            assert_true(!strstr(error.message, cases[i].value) ||
                        strcmp(cases[i].key, "level") == 0);
    }
    assert_int_equal(accepted(query)->keys.count, 0);
    trolley_query_free(query);
}

static void test_set_twice(void **state)
{
    static const struct {
        const char *first, *second, *value;
    } cases[] = {
        {"PatientName", "00100010", "x"},
        {"limit", "limit", "1"},
        {"free-text", "free_text", "1"},
        {"StudyDate", "StudyDate", "20150301"},
        {"StudyDate", "0008,0020", "20150301"},
        {"StudyDate", "min_study_date", "20150301"},
        {"max_study_date", "StudyDate", "20150301"},
        {"00400275.00400009", "RequestAttributesSequence.ScheduledProcedureStepID", "1"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query = new_query();
        struct trolley_error error = {0};
        uint32_t count;

        set(query, cases[i].first, cases[i].value);
        count = accepted(query)->keys.count;
        assert_int_equal(trolley_query_set(query, cases[i].second, cases[i].value, &error),
                         TROLLEY_ERR_INVALID_ARG);
        assert_non_null(strstr(error.message, "set twice"));
        assert_int_equal(accepted(query)->keys.count, count);
        trolley_query_free(query);
    }
}

static void test_same_attribute_elsewhere(void **state)
{
    struct trolley_query_builder *query = new_query();

    (void)state;
    set(query, "StudyInstanceUID", "1.2");
    set(query, "ReferencedStudySequence.StudyInstanceUID", "1.2");
    assert_int_equal(accepted(query)->keys.count, 2);
    trolley_query_free(query);
}

static void test_study_date(void **state)
{
    static const struct {
        const char *value, *min, *max;
    } cases[] = {
        {"2015-03-01", "20150301", "20150301"},
        {"20150301-20150401", "20150301", "20150401"},
        {"20150301-", "20150301", NULL},
        {"..20150401", NULL, "20150401"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_query_builder *query = new_query();
        const struct trolley_query *view;
        const char *min, *max;

        set(query, i % 2 ? "StudyDate" : "00080020", cases[i].value);
        view = accepted(query);
        min = trolley_query_text(view, "min_study_date");
        max = trolley_query_text(view, "max_study_date");
        assert_string_equal(min ? min : "-", cases[i].min ? cases[i].min : "-");
        assert_string_equal(max ? max : "-", cases[i].max ? cases[i].max : "-");
        assert_int_equal(view->keys.count, (cases[i].min != NULL) + (cases[i].max != NULL));
        trolley_query_free(query);
    }
}

static void test_dates_in_order(void **state)
{
    struct trolley_query_builder *query = new_query();

    (void)state;
    set(query, "max_study_date", "20150301");
    assert_int_equal(trolley_query_set(query, "min_study_date", "20150302", NULL),
                     TROLLEY_ERR_INVALID_ARG);
    set(query, "min_study_date", "20150301");
    trolley_query_free(query);
    query = new_query();
    set(query, "min_study_date", "20150301");
    assert_int_equal(trolley_query_set(query, "max_study_date", "20150228", NULL),
                     TROLLEY_ERR_INVALID_ARG);
    set(query, "max_study_date", "20150302");
    trolley_query_free(query);
}

static void test_limits(void **state)
{
    struct trolley_query_builder *query = new_query();
    struct trolley_error error = {0};
    char *value = malloc(65538), key[16];
    uint32_t i;

    (void)state;
    memset(value, 'x', 65537);
    value[65537] = '\0';
    assert_int_equal(trolley_query_set(query, "PatientID", value, &error), TROLLEY_ERR_TOO_LARGE);
    value[65536] = '\0';
    set(query, "PatientID", value);
    free(value);
    for (i = 1; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "0009%04x", 0x1000 + i);
        set(query, key, "x");
    }
    assert_int_equal(trolley_query_set(query, "PatientName", "x", &error), TROLLEY_ERR_TOO_LARGE);
    /* One place would be left for two: none is taken. */
    assert_int_equal(accepted(query)->keys.count, 1000);
    trolley_query_free(query);
    query = new_query();
    for (i = 0; i < 999; i++) {
        (void)snprintf(key, sizeof key, "0009%04x", 0x1000 + i);
        set(query, key, "x");
    }
    assert_int_equal(trolley_query_set(query, "StudyDate", "20150301", &error),
                     TROLLEY_ERR_TOO_LARGE);
    assert_int_equal(accepted(query)->keys.count, 999);
    trolley_query_free(query);
}

static void test_path_depth(void **state)
{
    struct trolley_query_builder *query = new_query();
    char path[9 * 17 + 1] = "";
    const struct trolley_query_key *key;
    int i;

    (void)state;
    for (i = 0; i < 15; i++)
        (void)snprintf(path + strlen(path), sizeof path - strlen(path), "0040A730.");
    (void)snprintf(path + strlen(path), sizeof path - strlen(path), "0040A160");
    set(query, path, "x");
    key = trolley_span_at(&accepted(query)->keys, 0);
    assert_string_equal(key->path, path);
    memcpy(path + 9 * 15, "0040A730.0040A160", 18);
    assert_int_equal(trolley_query_set(query, path, "x", NULL), TROLLEY_ERR_INVALID_ARG);
    trolley_query_free(query);
}

static void test_include(void **state)
{
    struct trolley_query_builder *query = new_query();
    const struct trolley_query *view;
    const struct trolley_query_key *key;
    struct trolley_error error = {0};

    (void)state;
    assert_int_equal(trolley_query_include(query, "Rows", &error), 0);
    assert_int_equal(trolley_query_include(query, "0028,0010", &error), 0); /* once is enough */
    assert_int_equal(trolley_query_include(query, "RequestAttributesSequence.00400009", &error), 0);
    assert_int_equal(trolley_query_include(query, "limit", &error), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_query_include(query, "MessageID", &error), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(
        trolley_query_include(query, "RequestAttributesSequence.TransferSyntaxUID", &error),
        TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_query_include(query, "Rwos", &error), TROLLEY_ERR_INVALID_ARG);
    assert_non_null(strstr(error.message, "did you mean Rows"));
    set(query, "Rows", "512"); /* a key may be wanted back, too */
    view = accepted(query);
    assert_int_equal(view->keys.count, 1);
    assert_int_equal(view->include_fields.count, 2);
    key = trolley_span_at(&view->include_fields, 0);
    assert_int_equal(key->tag, 0x00280010);
    assert_memory_equal(key->vr, "US", 3);
    assert_int_equal(key->values.count, 0);
    key = trolley_span_at(&view->include_fields, 1);
    assert_string_equal(key->path, "00400275.00400009");
    trolley_query_free(query);
}

static void test_level_and_uids(void **state)
{
    struct trolley_query_builder *query = new_query();
    const struct trolley_query *view;

    (void)state;
    assert_int_equal(query_level(query), TROLLEY_LEVEL_STUDY);
    assert_int_equal(trolley_query_set_level(query, "Study", NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_query_set_level(query, "image", NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(trolley_query_set_level(query, "series", NULL), 0);
    assert_int_equal(query_level(query), TROLLEY_LEVEL_SERIES);
    assert_int_equal(trolley_query_set_level(query, "instance", NULL), 0);
    assert_int_equal(query_set_uid(query, TROLLEY_LEVEL_STUDY, "1.2", NULL), 0);
    assert_int_equal(query_set_uid(query, TROLLEY_LEVEL_SERIES, "1.2,1.3", NULL),
                     TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(query_set_uid(query, TROLLEY_LEVEL_SERIES, "", NULL), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(query_set_uid(query, TROLLEY_LEVEL_SERIES, "1.2.3", NULL), 0);
    assert_int_equal(query_set_uid(query, TROLLEY_LEVEL_INSTANCE, "1.2.3.4", NULL), 0);
    assert_int_equal(query_set_uid(query, 4, "1.2", NULL), TROLLEY_ERR_INVALID_ARG);
    view = accepted(query);
    assert_int_equal(view->level, TROLLEY_LEVEL_INSTANCE);
    assert_string_equal(trolley_query_text(view, "StudyInstanceUID"), "1.2");
    assert_string_equal(trolley_query_text(view, "SeriesInstanceUID"), "1.2.3");
    assert_string_equal(trolley_query_text(view, "SOPInstanceUID"), "1.2.3.4");
    trolley_query_free(query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_set_twice),  cmocka_unit_test(test_same_attribute_elsewhere),
        cmocka_unit_test(test_study_date), cmocka_unit_test(test_dates_in_order),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_path_depth),
        cmocka_unit_test(test_include),    cmocka_unit_test(test_level_and_uids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
