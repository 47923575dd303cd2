/* QIDO-RS requests as URLs [PS3.18 8.3.4, 10.6.1]. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <trolley/helpers.h>

#include "kit/uid_set.h"
#include "plugins/dataset/attribute.h"
#include "plugins/qido-rs/request.h"

#include <cmocka.h>

#define KEYS_MAX 6

/* A query made of literals. */
struct sample {
    struct trolley_query query;
    struct trolley_query_key keys[KEYS_MAX], fields[KEYS_MAX];
    const char *values[KEYS_MAX][2];
    uint32_t choice[KEYS_MAX];
    struct request_style style;
    struct request request;
};

static void sample_init(struct sample *sample, uint32_t query_level, uint32_t level)
{
    memset(sample, 0, sizeof *sample);
    sample->query.size = sizeof sample->query;
    sample->query.level = query_level;
    sample->query.keys.items = sample->keys;
    sample->query.keys.stride = sizeof sample->keys[0];
    sample->query.include_fields.items = sample->fields;
    sample->query.include_fields.stride = sizeof sample->fields[0];
    sample->style = (struct request_style){"http://h/d", REQUEST_INCLUDE_COMMA, -1};
    sample->request = (struct request){&sample->style, &sample->query, sample->choice,       level,
                                       NULL,           NULL,           query_level != level, false};
}

static void sample_key(struct sample *sample, uint32_t tag, const char *name, const char *a,
                       const char *b)
{
    uint32_t i = sample->query.keys.count++;
    struct trolley_query_key *key = &sample->keys[i];

    sample->values[i][0] = a;
    sample->values[i][1] = b;
    key->size = sizeof *key;
    key->tag = tag;
    key->name = name;
    key->values = (struct trolley_span){sample->values[i], b ? 2 : 1, sizeof(char *)};
}

static void url_is(struct sample *sample, uint64_t limit, uint64_t offset, const char *expected)
{
    struct kit_buffer url = {0};

    assert_int_equal(request_url(&sample->request, limit, offset, &url), 0);
    assert_string_equal(url.data, expected);
    kit_buffer_free(&url);
}

#define STUDY_FIELDS \
    "includefield=NumberOfStudyRelatedSeries,NumberOfStudyRelatedInstances,ModalitiesInStudy"

static void test_Q3_keys(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_STUDY, TROLLEY_LEVEL_STUDY);
    sample_key(&sample, 0x00100010, "PatientName", "M\xc3\xbc*", NULL);
    sample_key(&sample, 0x00080061, "ModalitiesInStudy", "CT", "MR");
    sample_key(&sample, TAG_STUDY_UID, "StudyInstanceUID", "1.2", "1.3");
    sample_key(&sample, 0x00400007, "x", "a", NULL);
    sample.keys[3].path = "00400275.00400007";
    sample.choice[1] = 1;
    sample.choice[2] = REQUEST_LIST;
    url_is(&sample, 0, 0,
           "http://h/d/studies?PatientName=M%C3%BC*&ModalitiesInStudy=MR&StudyInstanceUID=1.2,1.3"
           "&00400275.00400007=a&" STUDY_FIELDS);
}

/* Values that need encoding are asked with wildcards in their place, where the VR knows them. */
static void test_Q3_loose_values(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_STUDY, TROLLEY_LEVEL_STUDY);
    sample_key(&sample, 0x00100010, "PatientName", "M\xc3\xbc\xc3\xa9ller^Jo n*", NULL);
    sample_key(&sample, 0x00100020, "PatientID", "P-1", NULL);
    sample_key(&sample, 0x00080030, "StudyTime", "10 11", NULL);
    memcpy(sample.keys[0].vr, "PN", 3);
    memcpy(sample.keys[1].vr, "LO", 3);
    memcpy(sample.keys[2].vr, "TM", 3);
    assert_true(request_loosens(&sample.request));
    sample.request.loose = true;
    assert_false(request_loosens(&sample.request));
    url_is(
        &sample, 0, 0,
        "http://h/d/studies?PatientName=M*ller?Jo?n*&PatientID=P-1&StudyTime=10%2011&" STUDY_FIELDS
        ",PatientName");
    sample.request.loose = false;
    sample.values[0][0] = "Muller*";
    assert_false(request_loosens(&sample.request));
}

static void match_is(const struct request *request, const char *text, bool expected)
{
    const char *problem = NULL;
    struct kit_dicom_json *object;

    assert_int_equal(kit_dicom_json_parse(text, strlen(text), NULL, &object, &problem), 0);
    assert_int_equal(request_matches(request, object), expected);
    kit_dicom_json_free(object);
}

static void test_Q12_loose_answers(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_STUDY, TROLLEY_LEVEL_STUDY);
    sample_key(&sample, 0x00081030, "StudyDescription", "Head 1", NULL);
    memcpy(sample.keys[0].vr, "LO", 3);
    sample.request.loose = true;
    match_is(&sample.request, "{\"00081030\":{\"vr\":\"LO\",\"Value\":[\"Head 1\"]}}", true);
    match_is(&sample.request, "{\"00081030\":{\"vr\":\"LO\",\"Value\":[\"Head-1\"]}}", false);
    match_is(&sample.request, "{\"00081030\":{\"vr\":\"LO\"}}", false);
    match_is(&sample.request, "{}", false);
}

static void test_Q4_dates(void **state)
{
    static const char *const dates[][3] = {{"20150301", "20150401", "20150301-20150401"},
                                           {"20150301", NULL, "20150301-"},
                                           {NULL, "20150401", "-20150401"},
                                           {"20150301", "20150301", "20150301"}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        struct sample sample;
        char expected[300];

        sample_init(&sample, TROLLEY_LEVEL_STUDY, TROLLEY_LEVEL_STUDY);
        if (dates[i][0]) sample_key(&sample, 0, "min_study_date", dates[i][0], NULL);
        if (dates[i][1]) sample_key(&sample, 0, "max_study_date", dates[i][1], NULL);
        (void)snprintf(expected, sizeof expected, "http://h/d/studies?StudyDate=%s&%s", dates[i][2],
                       STUDY_FIELDS);
        url_is(&sample, 0, 0, expected);
    }
}

static void test_Q9_resources(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_INSTANCE, TROLLEY_LEVEL_INSTANCE);
    sample.style.include = REQUEST_INCLUDE_ALL;
    sample_key(&sample, TAG_STUDY_UID, "StudyInstanceUID", "1.2", NULL);
    url_is(&sample, 0, 0, "http://h/d/instances?StudyInstanceUID=1.2&includefield=all");
    sample.request.study = "1.2";
    url_is(&sample, 0, 0, "http://h/d/studies/1.2/instances?includefield=all");
    sample.request.series = "1.2.3";
    url_is(&sample, 0, 0, "http://h/d/studies/1.2/series/1.2.3/instances?includefield=all");
    sample.request.level = sample.query.level = TROLLEY_LEVEL_SERIES;
    sample.request.series = NULL;
    url_is(&sample, 0, 0, "http://h/d/studies/1.2/series?includefield=all");
}

static void test_Q6_paging_and_parameters(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_STUDY, TROLLEY_LEVEL_STUDY);
    sample.style.include = REQUEST_INCLUDE_ALL;
    sample.style.fuzzymatching = 0;
    url_is(&sample, 10, 20,
           "http://h/d/studies?includefield=all&fuzzymatching=false&limit=10&offset=20");
    sample_key(&sample, 0, "fuzzymatching", "1", NULL);
    sample_key(&sample, 0, "limit", "7", NULL);
    url_is(&sample, 0, 0, "http://h/d/studies?includefield=all&fuzzymatching=true");
}

static void test_Q5_fields(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_SERIES);
    sample.style.include = REQUEST_INCLUDE_REPEAT;
    sample_key(&sample, 0x0008103e, "SeriesDescription", "", NULL);
    sample.fields[0] = (struct trolley_query_key){.tag = 0x00080060, .name = "Modality"};
    sample.query.include_fields.count = 1;
    url_is(&sample, 0, 0,
           "http://h/d/series?includefield=StudyInstanceUID"
           "&includefield=NumberOfSeriesRelatedInstances&includefield=Modality"
           "&includefield=SeriesDescription");
}

/* Each key goes to its own level, none is lost on the way. */
static void test_Q9_walk_steps(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_STUDY);
    sample.style.include = REQUEST_INCLUDE_ALL;
    sample_key(&sample, 0x00100020, "PatientID", "7", NULL);
    sample_key(&sample, 0x00080060, "Modality", "CT", NULL);
    sample_key(&sample, 0x00280010, "Rows", "512", NULL);
    sample_key(&sample, 0, "min_study_date", "20150301", NULL);
    url_is(&sample, 0, 0, "http://h/d/studies?PatientID=7&StudyDate=20150301-&includefield=all");
    sample.request.level = TROLLEY_LEVEL_SERIES;
    sample.request.study = "1.2";
    url_is(&sample, 0, 0, "http://h/d/studies/1.2/series?Modality=CT&Rows=512&includefield=all");
}

static void test_Q7_uid_set(void **state)
{
    struct kit_uid_set set = {0};
    bool fresh = false;
    char uid[32];
    int i;

    (void)state;
    for (i = 0; i < 20000; i++) {
        (void)snprintf(uid, sizeof uid, "1.2.840.%d", i % 10000);
        assert_int_equal(kit_uid_set_add(&set, uid, &fresh), 0);
        assert_int_equal(fresh, i < 10000);
    }
    assert_int_equal(set.count, 10000);
    kit_uid_set_free(&set);
}

static void test_Q9_levels(void **state)
{
    (void)state;
    assert_int_equal(attribute_level(0x00100010), TROLLEY_LEVEL_STUDY);
    assert_int_equal(attribute_level(TAG_STUDY_DATE), TROLLEY_LEVEL_STUDY);
    assert_int_equal(attribute_level(0x00400275), TROLLEY_LEVEL_SERIES);
    assert_int_equal(attribute_level(TAG_SERIES_UID), TROLLEY_LEVEL_SERIES);
    assert_int_equal(attribute_level(0x00201209), TROLLEY_LEVEL_SERIES);
    assert_int_equal(attribute_level(0x00080016), TROLLEY_LEVEL_INSTANCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_Q3_keys),
        cmocka_unit_test(test_Q4_dates),
        cmocka_unit_test(test_Q9_resources),
        cmocka_unit_test(test_Q6_paging_and_parameters),
        cmocka_unit_test(test_Q5_fields),
        cmocka_unit_test(test_Q9_walk_steps),
        cmocka_unit_test(test_Q7_uid_set),
        cmocka_unit_test(test_Q9_levels),
        cmocka_unit_test(test_Q3_loose_values),
        cmocka_unit_test(test_Q12_loose_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
