/* The folder searcher. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder_fixture.h"

#include <cmocka.h>

enum {
    SOP_UID = 0x00080018,
    STUDY_DATE = 0x00080020,
    MODALITY = 0x00080060,
    MODALITIES = 0x00080061,
    SOP_CLASSES = 0x00080062,
    SERIES_DESCRIPTION = 0x0008103E,
    PATIENT_NAME = 0x00100010,
    SLICE_THICKNESS = 0x00180050,
    STUDY_UID = 0x0020000D,
    SERIES_UID = 0x0020000E,
    STUDY_SERIES = 0x00201206,
    STUDY_INSTANCES = 0x00201208,
    SERIES_INSTANCES = 0x00201209,
    ROWS = 0x00280010
};

#define FIND(f, level, ...)                                                                        \
    folder_find_with((f), (level), (const struct folder_key[]){__VA_ARGS__},                       \
                     sizeof((const struct folder_key[]){__VA_ARGS__}) / sizeof(struct folder_key), \
                     NULL, 0)
#define STUDY TROLLEY_LEVEL_STUDY
#define SERIES TROLLEY_LEVEL_SERIES
#define INSTANCE TROLLEY_LEVEL_INSTANCE

/* Two studies: 1.1 with a CT series of two instances and an SR, 1.2 with one MR instance. */
static void two_studies(struct folder_fixture *f)
{
    static const struct folder_file files[] = {
        {"a", "1.1", "1.1.1", "1.1.1.1", "Doe^Jane", "20150301", "CT", "thorax", NULL},
        {"b", "1.1", "1.1.1", "1.1.1.2", "Doe^Jane", "20150301", "CT", "thorax", NULL},
        {"c", "1.1", "1.1.2", "1.1.2.1", "Doe^Jane", "20150301", "SR", "report", NULL},
        {"d", "1.2", "1.2.1", "1.2.1.1", "M\xfcller^J\xf6rg", "20160401", "MR", "head",
         "ISO_IR 100"},
    };
    size_t i;

    folder_setup(f);
    for (i = 0; i < sizeof files / sizeof files[0]; i++)
        folder_write(f, &files[i]);
}

static void test_levels(void **state)
{
    static const uint32_t study[] = {STUDY_UID,   PATIENT_NAME, STUDY_DATE,
                                     MODALITIES,  STUDY_SERIES, STUDY_INSTANCES,
                                     SOP_CLASSES, MODALITY,     0};
    static const uint32_t series[] = {STUDY_UID, SERIES_UID, MODALITY, SERIES_INSTANCES, 0};
    static const uint32_t instance[] = {STUDY_UID, SERIES_UID, SOP_UID, 0};
    struct folder_fixture f;

    (void)state;
    two_studies(&f);
    f.show = study;
    assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), 0);
    assert_string_equal(f.answer, "1.1|Doe^Jane|20150301|CT\\SR|2|3|1.2.840.10008.5.1.4.1.1.7|-\n"
                                  "1.2|Müller^Jörg|20160401|MR|1|1|1.2.840.10008.5.1.4.1.1.7|-");
    f.show = series;
    assert_int_equal(folder_find_with(&f, SERIES, NULL, 0, NULL, 0), 0);
    assert_string_equal(f.answer, "1.1|1.1.1|CT|2\n1.1|1.1.2|SR|1\n1.2|1.2.1|MR|1");
    f.show = instance;
    assert_int_equal(folder_find_with(&f, INSTANCE, NULL, 0, NULL, 0), 0);
    assert_string_equal(f.answer, "1.1|1.1.1|1.1.1.1\n1.1|1.1.1|1.1.1.2\n1.1|1.1.2|1.1.2.1\n"
                                  "1.2|1.2.1|1.2.1.1");
    folder_teardown(&f);
}

static void test_matching(void **state)
{
    static const struct {
        uint32_t level;
        struct folder_key key;
        const char *uids; /* of the level */
    } rows[] = {
        {STUDY, {"PatientName", PATIENT_NAME, "PN", NULL, "doe^j*"}, "1.1"},
        {STUDY, {"PatientName", PATIENT_NAME, "PN", NULL, "Müller^Jörg"}, "1.2"},
        {STUDY, {"PatientName", PATIENT_NAME, "PN", NULL, "Smith"}, ""},
        {STUDY, {"PatientName", PATIENT_NAME, "PN", NULL, ""}, "1.1\n1.2"},
        {STUDY, {"StudyDate", STUDY_DATE, "DA", NULL, "20160101-"}, "1.2"},
        {STUDY, {"max_study_date", 0, NULL, NULL, "20151231"}, "1.1"},
        {STUDY, {"min_study_date", 0, NULL, NULL, "20151231"}, "1.2"},
        {STUDY, {"ModalitiesInStudy", MODALITIES, "CS", NULL, "SR"}, "1.1"},
        {SERIES, {"ModalitiesInStudy", MODALITIES, "CS", NULL, "SR"}, "1.1.1\n1.1.2"},
        {STUDY, {"Modality", MODALITY, "CS", NULL, "SR"}, "1.1"},
        {SERIES, {"Modality", MODALITY, "CS", NULL, "SR"}, "1.1.2"},
        {STUDY, {"NumberOfStudyRelatedInstances", STUDY_INSTANCES, "IS", NULL, "3"}, "1.1"},
        {SERIES,
         {"NumberOfSeriesRelatedInstances", SERIES_INSTANCES, "IS", NULL, "1"},
         "1.1.2\n1.2.1"},
        {STUDY, {"SOPInstanceUID", SOP_UID, "UI", NULL, "1.1.2.1"}, "1.1"},
        {INSTANCE, {"SeriesInstanceUID", SERIES_UID, "UI", NULL, "1.1.1"}, "1.1.1.1\n1.1.1.2"},
        {STUDY, {"StudyInstanceUID", STUDY_UID, "UI", NULL, "1.2"}, "1.2"},
        {STUDY, {"StudyInstanceUID", STUDY_UID, "UI", NULL, "1"}, ""},
        {STUDY, {"Rows", ROWS, "US", NULL, "512"}, ""},
    };
    static const uint32_t uids[][2] = {{STUDY_UID, 0}, {SERIES_UID, 0}, {SOP_UID, 0}};
    struct folder_fixture f;
    size_t i;

    (void)state;
    two_studies(&f);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f.show = uids[rows[i].level - STUDY];
        assert_int_equal(folder_find_with(&f, rows[i].level, &rows[i].key, 1, NULL, 0), 0);
        if (strcmp(f.answer, rows[i].uids) != 0)
            fail_msg("row %zu (%s): %s", i, rows[i].key.name, f.answer);
    }
    /* Both keys by one and the same instance. */
    f.show = uids[0];
    assert_int_equal(FIND(&f, STUDY, {"Modality", MODALITY, "CS", NULL, "SR"},
                          {"SeriesDescription", SERIES_DESCRIPTION, "LO", NULL, "thorax"}),
                     0);
    assert_int_equal(f.records, 0);
    folder_teardown(&f);
}

/* A file with attributes that the index does not keep. */
static void write_rich_file(struct folder_fixture *f)
{
    struct kit_buffer data = {0}, item = {0}, items = {0};
    char path[256];

    dicom_text(&item, 0x00080100, "SH", "CODE");
    dicom_text(&item, 0x00080104, "LO", "gr\xfcn \"A\"");
    dicom_item(&items, &item);
    kit_buffer_reset(&item);
    dicom_text(&item, 0x00080100, "SH", "OTHER");
    dicom_item(&items, &item);
    dicom_text(&data, 0x00080005, "CS", "ISO_IR 100");
    dicom_text(&data, SOP_UID, "UI", "1.3.1.1");
    dicom_put(&data, 0x00081032, "SQ", items.data, items.length);
    dicom_text(&data, 0x00091000, "LO", "MAKER");
    dicom_text(&data, 0x00091001, "LO", "secret\\word");
    dicom_text(&data, PATIENT_NAME, "PN", "Rich");
    dicom_text(&data, SLICE_THICKNESS, "DS", "2.50");
    dicom_text(&data, STUDY_UID, "UI", "1.3");
    dicom_text(&data, SERIES_UID, "UI", "1.3.1");
    folder_path(f, "rich", path);
    dicom_save(path, &data);
    kit_buffer_free(&data);
    kit_buffer_free(&item);
    kit_buffer_free(&items);
}

static void test_any_attribute(void **state)
{
    static const uint32_t show[] = {STUDY_UID, SLICE_THICKNESS, 0x00081032, 0x00091001, 0};
    static const struct folder_key include[] = {
        {"SliceThickness", SLICE_THICKNESS, "DS", NULL, NULL},
        {"CodeMeaning", 0x00080104, "LO", "00081032.00080104", NULL},
        {"00091001", 0x00091001, "UN", NULL, NULL},
    };
    struct folder_fixture f;

    (void)state;
    two_studies(&f);
    write_rich_file(&f);
    f.show = show;
    assert_int_equal(FIND(&f, INSTANCE, {"SliceThickness", SLICE_THICKNESS, "DS", NULL, "2.5"}), 0);
    assert_string_equal(f.answer, "1.3|2.50|-|-");
    assert_int_equal(FIND(&f, STUDY, {"CodeValue", 0x00080100, "SH", "00081032.00080100", "OTH*"}),
                     0);
    assert_int_equal(f.records, 1);
    assert_non_null(strstr(f.answer, "\"OTHER\""));
    assert_int_equal(
        FIND(&f, STUDY, {"CodeMeaning", 0x00080104, "LO", "00081032.00080104", "grün \"A\""}), 0);
    assert_int_equal(f.records, 1);
    assert_int_equal(FIND(&f, STUDY, {"00091001", 0x00091001, "UN", NULL, "word"}), 0);
    assert_int_equal(f.records, 1);
    assert_int_equal(
        folder_find_with(&f, INSTANCE,
                         &(struct folder_key){"PatientName", PATIENT_NAME, "PN", NULL, "Rich"}, 1,
                         include, 3),
        0);
    assert_string_equal(f.answer,
                        "1.3|2.50|[{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"CODE\"]},"
                        "\"00080104\":{\"vr\":\"LO\",\"Value\":[\"grün \\\"A\\\"\"]}},"
                        "{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"OTHER\"]}}]|secret\\word");
    assert_int_equal(FIND(&f, STUDY, {"ProcedureCodeSequence", 0x00081032, "SQ", NULL, "x"}),
                     TROLLEY_ERR_UNSUPPORTED_PARAM);
    assert_non_null(strstr(f.message, "ProcedureCodeSequence"));
    assert_int_equal(FIND(&f, STUDY, {"limit", 0, NULL, NULL, "3"}), TROLLEY_ERR_UNSUPPORTED_PARAM);
    folder_teardown(&f);
}

static void test_character_sets(void **state)
{
    static const struct {
        const char *charset, *fallback, *patient, *expected;
    } rows[] = {
        {NULL, NULL, "M\xfcller", "M�ller"},
        {NULL, NULL, "M\xc3\xbcller", "Müller"},
        {NULL, "ISO_IR 100", "M\xfcller", "Müller"},
        {"ISO_IR 192", NULL, "M\xc3\xbcller", "Müller"},
        {"ISO_IR 192", NULL, "M\xfcller", "M�ller"},
        {"ISO_IR 999", NULL, "M\xfcller", "M�ller"},
        {"ISO_IR 126", NULL, "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"},
        {"\\ISO 2022 IR 87", NULL, "Yamada^Tarou=\033$B;3ED\033(B^\033$BB@O:\033(B",
         "Yamada^Tarou=山田^太郎"},
        {"ISO 2022 IR 13\\ISO 2022 IR 87", NULL,
         "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\033$B;3ED\033(J^\033$BB@O:\033(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"},
        {"\\ISO 2022 IR 149", NULL, "Hong=\033$)C\xfb\xf3^\033$)C\xd1\xce\xd4\xd7", "Hong=洪^吉洞"},
        {"GB18030", NULL, "Wang=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang=王^小东"},
    };
    static const uint32_t show[] = {PATIENT_NAME, 0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder_file file = {"f", "1.1", "1.1.1", "1.1.1.1", NULL, NULL, NULL, NULL, NULL};
        struct folder_fixture f;

        folder_setup(&f);
        file.charset = rows[i].charset;
        file.patient = rows[i].patient;
        f.charset = rows[i].fallback;
        folder_write(&f, &file);
        f.show = show;
        assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), 0);
        assert_string_equal(f.answer, rows[i].expected);
        folder_teardown(&f);
    }
}

static void write_bytes(const struct folder_fixture *f, const char *name, const void *data,
                        size_t size)
{
    char path[256];
    FILE *out;

    folder_path(f, name, path);
    out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* A file whose sequences nest a hundred thousand deep, undefined lengths all. */
static void write_nested(const struct folder_fixture *f)
{
    static const char level[] =
        "\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff";
    struct folder_file file = {"n", "1.9", "1.9.1", "1.9.1.1", NULL, NULL, NULL, NULL, NULL};
    struct kit_buffer data = {0};
    char path[256];
    int i;

    folder_path(f, "nested", path);
    dicom_text(&data, SOP_UID, "UI", file.uid);
    for (i = 0; i < 100000; i++)
        assert_int_equal(kit_buffer_append(&data, level, sizeof level - 1), 0);
    dicom_save(path, &data);
    kit_buffer_free(&data);
}

static void test_what_is_left_out(void **state)
{
    static const struct folder_file copy = {"z-copy", "1.1", "1.1.1", "1.1.1.1", "Doe^Jane",
                                            NULL,     "CT",  NULL,    NULL};
    static const struct folder_file bad_uid = {"bad", "1.1", "1.1.1", "../../etc", NULL,
                                               NULL,  NULL,  NULL,    NULL};
    static const struct folder_file hidden = {".trolley/x", "1.8", "1.8.1", "1.8.1.1", NULL,
                                              NULL,         NULL,  NULL,    NULL};
    static const struct folder_file deep = {"sub/deep", "1.4", "1.4.1", "1.4.1.1", NULL,
                                            NULL,       NULL,  NULL,    NULL};
    static const uint32_t show[] = {STUDY_UID, STUDY_INSTANCES, 0};
    struct folder_fixture f, outside;
    char path[256];

    (void)state;
    two_studies(&f);
    two_studies(&outside);
    folder_path(&f, ".trolley", path);
    assert_int_equal(mkdir(path, 0755), 0);
    folder_path(&f, "sub", path);
    assert_int_equal(mkdir(path, 0755), 0);
    folder_write(&f, &copy);
    folder_write(&f, &bad_uid);
    folder_write(&f, &hidden);
    folder_write(&f, &deep);
    write_nested(&f);
    write_bytes(&f, "notes.txt", "no DICOM file, only notes about some", 36);
    write_bytes(&f, "empty", "", 0);
    folder_path(&f, "link", path);
    assert_int_equal(symlink(outside.root, path), 0);
    f.show = show;
    assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), 0);
    assert_string_equal(f.answer, "1.1|3\n1.2|1\n1.4|1");
    assert_int_equal(f.notes, 2);
    folder_teardown(&outside);
    folder_teardown(&f);
}

static void test_bare_files(void **state)
{
    static const struct folder_file file = {NULL, "1.1", "1.1.1", "1.1.1.1", "Bare",
                                            NULL, NULL,  NULL,    NULL};
    struct kit_buffer data = {0};
    struct folder_fixture f;
    int64_t bare;

    (void)state;
    folder_dataset(&file, &data);
    for (bare = 0; bare < 2; bare++) {
        folder_setup(&f);
        f.bare = bare;
        write_bytes(&f, "bare", data.data, data.length);
        assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), 0);
        assert_int_equal(f.records, bare);
        folder_teardown(&f);
    }
    kit_buffer_free(&data);
}

static void test_changed_and_cancelled(void **state)
{
    struct folder_fixture f;
    char path[256];

    (void)state;
    two_studies(&f);
    f.cancelled = 1;
    assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), TROLLEY_ERR_CANCELLED);
    f.cancelled = 0;
    assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), 0);
    assert_int_equal(f.records, 2);
    folder_path(&f, "d", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(FIND(&f, STUDY, {"PatientAge", 0x00101010, "AS", NULL, "030Y"}), 0);
    assert_int_equal(f.records, 0);
    assert_int_equal(f.notes, 1);
    assert_non_null(strstr(f.note, path));
    folder_teardown(&f);
}

static void test_missing_folder(void **state)
{
    struct folder_fixture f;

    (void)state;
    folder_setup(&f);
    assert_int_equal(rmdir(f.root), 0);
    assert_int_equal(folder_find_with(&f, STUDY, NULL, 0, NULL, 0), TROLLEY_ERR_IO);
    assert_non_null(strstr(f.message, f.root));
    folder_teardown(&f);
}

static void test_no_dictionary(void **state)
{
    struct folder_fixture f;
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        (void)setenv("DCMDICTPATH", "/nowhere/dicom.dic", 1);
        folder_setup(&f);
        status = folder_find_with(&f, STUDY, NULL, 0, NULL, 0);
        folder_teardown(&f);
        _exit(status == TROLLEY_ERR_INVALID_CONFIG && strstr(f.message, "DCMDICTPATH") ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_dictionary), /* first: DCMTK reads it once */
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_any_attribute),
        cmocka_unit_test(test_character_sets),
        cmocka_unit_test(test_what_is_left_out),
        cmocka_unit_test(test_bare_files),
        cmocka_unit_test(test_changed_and_cancelled),
        cmocka_unit_test(test_missing_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
