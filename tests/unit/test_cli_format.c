/* A study tree as csv, JSON, tables and trees. JSON is read back by a parser of its own.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cJSON.h>
#include <trolley/helpers.h>

#include "core/cli/format.h"
#include "core/cli/width.h"
#include "core/model/tree.h"

#include <cmocka.h>

#define STUDY_UID UINT32_C(0x0020000D)
#define SERIES_UID UINT32_C(0x0020000E)
#define SOP_UID UINT32_C(0x00080018)
#define PATIENT_ID UINT32_C(0x00100020)
#define PATIENT_NAME UINT32_C(0x00100010)
#define DESCRIPTION UINT32_C(0x00081030)
#define SERIES_NUMBER UINT32_C(0x00200011)
#define MODALITIES UINT32_C(0x00080061)
#define REQUEST UINT32_C(0x00400275)
#define HOSTILE             \
    "a\x1b[31m\x7f\xc2\x9b" \
    "31m\xe2\x80\xae\"b\\\n\xd8\x9c"

static const char *const modalities[] = {"CT", "SR"};

#define TEXT(tag, vr, text)                                \
    {                                                      \
        sizeof(struct trolley_element), tag, NULL, vr, 0,  \
        {                                                  \
            (const char *const[]){text}, 1, sizeof(char *) \
        }                                                  \
    }

static void add(struct trolley_tree *tree, uint32_t level, const struct trolley_element *elements,
                uint32_t count)
{
    const struct trolley_record record = {
        sizeof record, level, {elements, count, sizeof *elements}};
    struct trolley_error error;

    if (tree_add(tree, &record, NULL, &error) < 0) fail_msg("%s", error.message);
}

/* Two studies; the first has two series. */
static struct trolley_tree *sample(void)
{
    struct trolley_tree *tree = NULL;
    const struct trolley_element first[] = {
        TEXT(STUDY_UID, "UI", "1.2"),
        TEXT(SERIES_UID, "UI", "1.2.1"),
        TEXT(PATIENT_ID, "LO", "=1+1"),
        TEXT(PATIENT_NAME, "PN", "DOE^JANE=\xe6\xbc\xa2"),
        TEXT(DESCRIPTION, "LO", HOSTILE),
        TEXT(SERIES_NUMBER, "IS", "7"),
        {sizeof first[0], MODALITIES, NULL, "CS", 0, {modalities, 2, sizeof(char *)}},
        {sizeof first[0],
         REQUEST,
         NULL,
         "SQ",
         TROLLEY_ELEMENT_JSON,
         {(const char *const[]){"[ {\"00400007\": {\"vr\": \"LO\",\n \"Value\": [\"a b\"]}} ]"}, 1,
          sizeof(char *)}},
    };
    const struct trolley_element second[] = {
        TEXT(STUDY_UID, "UI", "1.2"),
        TEXT(SERIES_UID, "UI", "1.2.2"),
        TEXT(SERIES_NUMBER, "IS", "+8"),
    };
    const struct trolley_element third[] = {
        TEXT(STUDY_UID, "UI", "1.3"),
        TEXT(SERIES_UID, "UI", "1.3.1"),
        TEXT(PATIENT_ID, "LO", "B, \"C\""),
    };

    assert_int_equal(tree_new(&tree), 0);
    add(tree, TROLLEY_LEVEL_SERIES, first, 8);
    add(tree, TROLLEY_LEVEL_SERIES, second, 3);
    add(tree, TROLLEY_LEVEL_SERIES, third, 3);
    return tree;
}

static char printed[1 << 16];

/* What a format prints of the sample, in `printed`. */
static void print(int (*write_format)(struct format *, struct output *), struct format format)
{
    struct trolley_tree *tree = sample();
    FILE *file = tmpfile();
    struct output output = {.fd = fileno(file), .name = "file"};
    struct trolley_error error;
    ssize_t length;

    format.tree = tree;
    assert_int_equal(write_format(&format, &output), 0);
    assert_int_equal(output_end(&output, &error), 0);
    length = pread(output.fd, printed, sizeof printed - 1, 0);
    assert_true(length >= 0);
    printed[length] = '\0';
    output_free(&output);
    fclose(file);
    trolley_tree_free(tree);
}

/* No byte that steers a terminal but newlines. */
static void assert_harmless(void)
{
    const unsigned char *at;

    for (at = (const unsigned char *)printed; *at; at++) {
        assert_false((*at < 0x20 && *at != '\n' && *at != '\r') || *at == 0x7f);
        assert_false(at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);
        assert_false(at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae);
        assert_false(at[0] == 0xd8 && at[1] == 0x9c);
    }
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    if (!text) fail_msg("no text %s", key);
    return text;
}

static void csv_quotes_as_rfc_4180_and_against_formulas(void **state)
{
    static const struct {
        const char *text, *safe, *raw;
    } cases[] = {
        {"", "", ""},
        {"a b", "a b", "a b"},
        {"a,b", "\"a,b\"", "\"a,b\""},
        {"a\"b", "\"a\"\"b\"", "\"a\"\"b\""},
        {"\"", "\"\"\"\"", "\"\"\"\""},
        {"a\nb", "\"a\nb\"", "\"a\nb\""},
        {"a\rb", "\"a\rb\"", "\"a\rb\""},
        {"=1", "'=1", "=1"},
        {"+1", "'+1", "+1"},
        {"-1", "'-1", "-1"},
        {"@x", "'@x", "@x"},
        {"=a,b", "\"'=a,b\"", "\"=a,b\""},
        {"a=1", "a=1", "a=1"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_buffer out = {0};

        assert_int_equal(csv_cell(&out, cases[i].text, false), 0);
        assert_string_equal(out.data ? out.data : "", cases[i].safe);
        kit_buffer_reset(&out);
        assert_int_equal(csv_cell(&out, cases[i].text, true), 0);
        assert_string_equal(out.data ? out.data : "", cases[i].raw);
        kit_buffer_free(&out);
    }
}

static void csv_has_a_row_for_each_object_of_the_level(void **state)
{
    uint32_t tags[] = {STUDY_UID, SERIES_UID, PATIENT_ID};
    const struct columns fields = {tags, 3, 3};

    (void)state;
    print(format_csv, (struct format){.level = TROLLEY_LEVEL_SERIES, .fields = &fields});
    assert_string_equal(printed, "StudyInstanceUID,SeriesInstanceUID,PatientID\r\n"
                                 "1.2,1.2.1,'=1+1\r\n1.2,1.2.2,'=1+1\r\n"
                                 "1.3,1.3.1,\"B, \"\"C\"\"\"\r\n");
    print(format_csv, (struct format){.level = TROLLEY_LEVEL_STUDY, .fields = &fields});
    assert_string_equal(printed, "StudyInstanceUID,SeriesInstanceUID,PatientID\r\n"
                                 "1.2,,'=1+1\r\n1.3,,\"B, \"\"C\"\"\"\r\n");
}

static void csv_by_itself_shows_every_attribute_with_a_value(void **state)
{
    (void)state;
    print(format_csv, (struct format){.level = TROLLEY_LEVEL_SERIES, .terminal = true});
    assert_memory_equal(printed, "PatientID,PatientName,ModalitiesInStudy,StudyDescription,", 57);
    assert_non_null(strstr(printed, ",SeriesInstanceUID,"));
    assert_non_null(strstr(printed, "RequestAttributesSequence"));
    assert_non_null(strstr(printed, ",CT\\SR,"));
    assert_null(strstr(printed, "AccessionNumber"));
    assert_harmless();
}

static void jsonl_rows_read_back(void **state)
{
    cJSON *row, *list;
    char *second;

    (void)state;
    print(format_jsonl, (struct format){.level = TROLLEY_LEVEL_SERIES});
    assert_harmless();
    second = strchr(printed, '\n');
    assert_non_null(second);
    *second++ = '\0';
    row = cJSON_ParseWithOpts(printed, NULL, 1);
    assert_string_equal(text_of(row, "StudyInstanceUID"), "1.2");
    assert_string_equal(text_of(row, "SeriesInstanceUID"), "1.2.1");
    assert_string_equal(text_of(row, "StudyDescription"), HOSTILE);
    assert_string_equal(text_of(row, "SeriesNumber"), "7");
    list = cJSON_GetObjectItemCaseSensitive(row, "ModalitiesInStudy");
    assert_int_equal(cJSON_GetArraySize(list), 2);
    list = cJSON_GetObjectItemCaseSensitive(row, "RequestAttributesSequence");
    assert_int_equal(cJSON_GetArraySize(list), 1);
    cJSON_Delete(row);
    *strchr(second, '\n') = '\0';
    row = cJSON_ParseWithOpts(second, NULL, 1);
    assert_string_equal(text_of(row, "StudyInstanceUID"), "1.2");
    assert_string_equal(text_of(row, "PatientID"), "=1+1");
    assert_string_equal(text_of(row, "SeriesInstanceUID"), "1.2.2");
    cJSON_Delete(row);
}

static void jsonl_fields_come_in_order_and_null(void **state)
{
    uint32_t tags[] = {SERIES_NUMBER, STUDY_UID};
    const struct columns fields = {tags, 2, 2};

    (void)state;
    print(format_jsonl, (struct format){.level = TROLLEY_LEVEL_SERIES, .fields = &fields});
    assert_string_equal(printed, "{\"SeriesNumber\":\"7\",\"StudyInstanceUID\":\"1.2\"}\n"
                                 "{\"SeriesNumber\":\"+8\",\"StudyInstanceUID\":\"1.2\"}\n"
                                 "{\"SeriesNumber\":null,\"StudyInstanceUID\":\"1.3\"}\n");
}

static void json_is_the_tree(void **state)
{
    cJSON *studies, *study, *series;

    (void)state;
    print(format_json, (struct format){.level = TROLLEY_LEVEL_SERIES});
    assert_harmless();
    studies = cJSON_ParseWithOpts(printed, NULL, 1);
    assert_int_equal(cJSON_GetArraySize(studies), 2);
    study = cJSON_GetArrayItem(studies, 0);
    assert_string_equal(text_of(study, "StudyInstanceUID"), "1.2");
    series = cJSON_GetObjectItemCaseSensitive(study, "series");
    assert_int_equal(cJSON_GetArraySize(series), 2);
    assert_string_equal(text_of(cJSON_GetArrayItem(series, 1), "SeriesInstanceUID"), "1.2.2");
    assert_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(series, 1), "PatientID"));
    study = cJSON_GetArrayItem(studies, 1);
    series = cJSON_GetObjectItemCaseSensitive(study, "series");
    assert_int_equal(cJSON_GetArraySize(series), 1);
    cJSON_Delete(studies);
}

static void json_of_studies_has_no_series(void **state)
{
    cJSON *studies;

    (void)state;
    print(format_json, (struct format){.level = TROLLEY_LEVEL_STUDY});
    studies = cJSON_ParseWithOpts(printed, NULL, 1);
    assert_int_equal(cJSON_GetArraySize(studies), 2);
    assert_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(studies, 0), "series"));
    cJSON_Delete(studies);
}

/* The element of data set i of what dicom-json printed. */
static const cJSON *element_of(const cJSON *sets, int i, const char *tag, const char *vr)
{
    const cJSON *element = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(sets, i), tag);

    if (!element) fail_msg("no element %s", tag);
    assert_string_equal(text_of(element, "vr"), vr);
    return cJSON_GetObjectItemCaseSensitive(element, "Value");
}

static void dicom_json_follows_annex_f(void **state)
{
    const cJSON *value;
    cJSON *sets;

    (void)state;
    print(format_dicom_json, (struct format){.level = TROLLEY_LEVEL_SERIES});
    assert_harmless();
    sets = cJSON_ParseWithOpts(printed, NULL, 1);
    assert_int_equal(cJSON_GetArraySize(sets), 3);
    value = cJSON_GetArrayItem(element_of(sets, 1, "00100010", "PN"), 0);
    assert_string_equal(text_of(value, "Alphabetic"), "DOE^JANE");
    assert_string_equal(text_of(value, "Ideographic"), "\xe6\xbc\xa2");
    assert_null(cJSON_GetObjectItemCaseSensitive(value, "Phonetic"));
    assert_true(cJSON_IsNumber(cJSON_GetArrayItem(element_of(sets, 0, "00200011", "IS"), 0)));
    /* "+8" is an integer string, but no number of JSON. */
    assert_true(cJSON_IsString(cJSON_GetArrayItem(element_of(sets, 1, "00200011", "IS"), 0)));
    assert_int_equal(cJSON_GetArraySize(element_of(sets, 0, "00080061", "CS")), 2);
    value = cJSON_GetArrayItem(element_of(sets, 0, "00400275", "SQ"), 0);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(value, "00400007"));
    cJSON_Delete(sets);
}

static void dicom_json_of_single_elements(void **state)
{
    const struct {
        struct trolley_element element;
        const char *expected;
    } cases[] = {
        {{sizeof(struct trolley_element),
          DESCRIPTION,
          NULL,
          "LO",
          TROLLEY_ELEMENT_NULL,
          {NULL, 0, 0}},
         "{\"vr\":\"LO\"}"},
        {TEXT(UINT32_C(0x7FE00010), "OW", "http://x/y"),
         "{\"vr\":\"OW\",\"InlineBinary\":\"http://x/y\"}"},
        {{sizeof(struct trolley_element),
          UINT32_C(0x7FE00010),
          NULL,
          "OW",
          TROLLEY_ELEMENT_BULK_URI,
          {(const char *const[]){"http://x/y"}, 1, sizeof(char *)}},
         "{\"vr\":\"OW\",\"BulkDataURI\":\"http://x/y\"}"},
        {TEXT(UINT32_C(0x00180050), "DS", "1.50"), "{\"vr\":\"DS\",\"Value\":[1.50]}"},
        {TEXT(UINT32_C(0x00180050), "DS", "1."), "{\"vr\":\"DS\",\"Value\":[\"1.\"]}"},
        {TEXT(UINT32_C(0x00180050), "DS", "-0.5e-3"), "{\"vr\":\"DS\",\"Value\":[-0.5e-3]}"},
        {TEXT(UINT32_C(0x00180050), "DS", "1,2"), "{\"vr\":\"DS\",\"Value\":[\"1,2\"]}"},
        {TEXT(UINT32_C(0x00200011), "IS", "007"), "{\"vr\":\"IS\",\"Value\":[\"007\"]}"},
        {TEXT(PATIENT_NAME, "PN", "=="), "{\"vr\":\"PN\",\"Value\":[{}]}"},
        {TEXT(PATIENT_NAME, "PN", "A==C"),
         "{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"A\",\"Phonetic\":\"C\"}]}"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_buffer out = {0};

        assert_int_equal(dicom_json_element(&out, &cases[i].element), 0);
        assert_string_equal(out.data, cases[i].expected);
        kit_buffer_free(&out);
    }
}

static void table_escapes_and_keeps_to_the_width(void **state)
{
    char *line, *rest;

    (void)state;
    print(format_table, (struct format){.level = TROLLEY_LEVEL_SERIES, .width = 80});
    assert_harmless();
    for (line = printed; *line; line = rest) {
        rest = line + strcspn(line, "\n") + 1;
        rest[-1] = '\0';
        assert_in_range(width_text(line), 1, 80);
    }
    print(format_table, (struct format){.level = TROLLEY_LEVEL_SERIES, .width = 400});
    assert_memory_equal(printed, "PatientID  PatientName", 22);
    assert_non_null(strstr(printed, "a\\x1b[31m\\x7f"));
    assert_null(strstr(printed, "AccessionNumber"));
    assert_null(strstr(printed, "RequestAttributesSequence"));
}

static void tree_draws_branches(void **state)
{
    char *line;

    (void)state;
    print(format_tree, (struct format){.level = TROLLEY_LEVEL_SERIES});
    assert_harmless();
    assert_memory_equal(printed, "1.2  =1+1  DOE^JANE", 19);
    line = strchr(printed, '\n') + 1;
    assert_memory_equal(line, "├─ 1.2.1  7\n", strlen("├─ 1.2.1  7\n"));
    line = strchr(line, '\n') + 1;
    assert_string_equal(line, "└─ 1.2.2  +8\n1.3  B, \"C\"\n└─ 1.3.1\n");
}

static void a_full_device_is_an_error_that_stays(void **state)
{
    struct output output = {.fd = open("/dev/full", O_WRONLY), .name = "/dev/full"};
    struct trolley_error error;

    (void)state;
    if (output.fd < 0) skip();
    assert_int_equal(output_text(&output, "x"), 0);
    assert_int_equal(output_end(&output, &error), TROLLEY_ERR_IO);
    assert_non_null(strstr(error.message, "/dev/full: No space left on device"));
    assert_int_equal(output_text(&output, "x"), TROLLEY_ERR_IO);
    assert_false(output_closed(&output));
    output_free(&output);
    close(output.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_quotes_as_rfc_4180_and_against_formulas),
        cmocka_unit_test(csv_has_a_row_for_each_object_of_the_level),
        cmocka_unit_test(csv_by_itself_shows_every_attribute_with_a_value),
        cmocka_unit_test(jsonl_rows_read_back),
        cmocka_unit_test(jsonl_fields_come_in_order_and_null),
        cmocka_unit_test(json_is_the_tree),
        cmocka_unit_test(json_of_studies_has_no_series),
        cmocka_unit_test(dicom_json_follows_annex_f),
        cmocka_unit_test(dicom_json_of_single_elements),
        cmocka_unit_test(table_escapes_and_keeps_to_the_width),
        cmocka_unit_test(tree_draws_branches),
        cmocka_unit_test(a_full_device_is_an_error_that_stays),
    };

    if (!setlocale(LC_CTYPE, "C.UTF-8")) return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
