/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/dictionary.h"

#include <cmocka.h>

static void test_every_entry_both_ways(void **state)
{
    const struct dictionary_entry *entry;
    uint32_t before = 0, tag;
    char text[16];
    size_t i;

    (void)state;
    for (i = 0; (entry = dictionary_entry(i)); i++) {
        if (i > 0) assert_true(entry->tag > before);
        before = entry->tag;
        assert_int_equal(trolley_tag(entry->keyword), entry->tag);
        assert_ptr_equal(trolley_keyword(entry->tag), entry->keyword);
        assert_int_equal(strlen(trolley_vr(entry->tag)), 2);
        assert_int_equal(entry->tag >> 16 & 1, 0);
        if (entry->tag == 0) continue;
        assert_int_equal(trolley_parse_attribute(entry->keyword, &tag, NULL), 0);
        assert_int_equal(tag, entry->tag);
        (void)snprintf(text, sizeof text, "%08x", (unsigned)entry->tag);
        assert_int_equal(trolley_parse_attribute(text, &tag, NULL), 0);
        assert_int_equal(tag, entry->tag);
        (void)snprintf(text, sizeof text, "%04X,%04X", (unsigned)(entry->tag >> 16),
                       (unsigned)(entry->tag & 0xffff));
        assert_int_equal(trolley_parse_attribute(text, &tag, NULL), 0);
        assert_int_equal(tag, entry->tag);
    }
    /* PS3.6 had some 4,700 entries outside the repeating groups in 2022. */
    assert_in_range(i, 4500, 8000);
}

static void test_known(void **state)
{
    static const struct {
        uint32_t tag;
        const char *vr, *keyword;
    } known[] = {
        {0x00080005, "CS", "SpecificCharacterSet"},
        {0x00080018, "UI", "SOPInstanceUID"},
        {0x00080020, "DA", "StudyDate"},
        {0x00100010, "PN", "PatientName"},
        {0x00101000, "LO", "OtherPatientIDs"}, /* retired */
        {0x0020000d, "UI", "StudyInstanceUID"},
        {0x0020000e, "UI", "SeriesInstanceUID"},
        {0x00280106, "US", "SmallestImagePixelValue"}, /* US or SS */
        {0x00283006, "OW", "LUTData"},
        {0x00041200, "UL", "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"},
        {0x00400275, "SQ", "RequestAttributesSequence"},
        {0x7fe00010, "OW", "PixelData"},
        {0xfffee000, "UN", "Item"}, /* has no VR */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(trolley_tag(known[i].keyword), known[i].tag);
        assert_string_equal(trolley_keyword(known[i].tag), known[i].keyword);
        assert_string_equal(trolley_vr(known[i].tag), known[i].vr);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    assert_int_equal(trolley_tag("patientname"), 0);
    assert_int_equal(trolley_tag("RETIRED_OtherPatientIDs"), 0);
    assert_int_equal(trolley_tag("OverlayRows"), 0); /* stands for a range of groups */
    assert_int_equal(trolley_tag("PrivateCreator"), 0);
    assert_int_equal(trolley_tag(""), 0);
    assert_int_equal(trolley_tag(NULL), 0);
    assert_null(trolley_keyword(0x00091001));
    assert_null(trolley_keyword(0x60000010));
    assert_null(trolley_keyword(0x50000010));
    assert_null(trolley_keyword(0xffffffff));
    assert_string_equal(trolley_vr(0x00091001), "UN");
}

static void test_parse_attribute(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"PatientNmae", "PatientNmae: no such DICOM keyword; did you mean PatientName?"},
        {"studydate", "studydate: no such DICOM keyword; did you mean StudyDate?"},
        {"Qqqqqqqqqqqqq", "Qqqqqqqqqqqqq: no such DICOM keyword or tag"},
        {"0010001", "0010001: no such DICOM keyword or tag"},
        {"001000100", "001000100: no such DICOM keyword or tag"},
        {"0010,001", "0010,001: no such DICOM keyword or tag"},
        {"0010,00100", "0010,00100: no such DICOM keyword or tag"},
        {"0010,,0010", "0010,,0010: no such DICOM keyword or tag"},
        {"0010", "0010: no such DICOM keyword or tag"},
        {"0010,", "0010,: no such DICOM keyword or tag"},
        {"(0010,0010)", "(0010,0010): no such DICOM keyword or tag"},
        {"0010001g", "0010001g: no such DICOM keyword or tag"},
        {"", ": no such DICOM keyword or tag"},
    };
    uint32_t tag = 42;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trolley_error error = {0};

        assert_int_equal(trolley_parse_attribute(bad[i].text, &tag, &error),
                         TROLLEY_ERR_INVALID_ARG);
        assert_string_equal(error.message, bad[i].message);
        assert_int_equal(tag, 42);
    }
    assert_int_equal(trolley_parse_attribute("0009,10aB", &tag, NULL), 0); /* private */
    assert_int_equal(tag, 0x000910ab);
}

static void test_levels(void **state)
{
    static const char *const study[] = {
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "PatientAge",
        "StudyInstanceUID",
        "StudyDate",
        "AccessionNumber",
        "StudyDescription",
        "ModalitiesInStudy",
        "SOPClassesInStudy",
        "NumberOfStudyRelatedInstances",
        "StudyID",
        "StudyTime",
        "ReferringPhysicianName",
        "ReferencedPatientSequence",
        "NumberOfStudyRelatedSeries",
        "StudyComments",
    };
    static const char *const series[] = {
        "SeriesInstanceUID",   "Modality",
        "SeriesDescription",   "SeriesNumber",
        "BodyPartExamined",    "Manufacturer",
        "InstitutionName",     "InstitutionalDepartmentName",
        "ProtocolName",        "StationName",
        "SoftwareVersions",    "NumberOfSeriesRelatedInstances",
        "FrameOfReferenceUID", "RequestAttributesSequence",
        "SeriesDate",
    };
    static const char *const instance[] = {
        "SOPInstanceUID", "SOPClassUID",     "InstanceNumber",       "Rows",
        "ContentDate",    "AcquisitionDate", "SpecificCharacterSet", "RetrieveURL",
        "PixelData",      "NumberOfFrames",  "SliceThickness",       "RetrieveAETitle",
    };
    const struct dictionary_entry *entry;
    size_t i, levels[4] = {0};

    (void)state;
    for (i = 0; i < sizeof study / sizeof study[0]; i++)
        assert_int_equal(dictionary_level(trolley_tag(study[i])), TROLLEY_LEVEL_STUDY);
    for (i = 0; i < sizeof series / sizeof series[0]; i++)
        assert_int_equal(dictionary_level(trolley_tag(series[i])), TROLLEY_LEVEL_SERIES);
    for (i = 0; i < sizeof instance / sizeof instance[0]; i++)
        assert_int_equal(dictionary_level(trolley_tag(instance[i])), TROLLEY_LEVEL_INSTANCE);
    assert_int_equal(dictionary_level(0x00091001), TROLLEY_LEVEL_INSTANCE);
    /* A table out of order would lose entries in the search. Newer attributes may be missing from
     * the dictionary, so a few may be fewer. */
    for (i = 0; (entry = dictionary_entry(i)); i++)
        levels[dictionary_level(entry->tag)]++;
    assert_in_range(levels[TROLLEY_LEVEL_STUDY], 110, 121);
    assert_in_range(levels[TROLLEY_LEVEL_SERIES], 55, 63);
}

static void test_service(void **state)
{
    (void)state;
    assert_int_equal(dictionary_service.size, sizeof(struct trolley_dictionary_service));
    assert_int_equal(dictionary_service.tag("PatientID"), 0x00100020);
    assert_string_equal(dictionary_service.keyword(0x00100020), "PatientID");
    assert_string_equal(dictionary_service.vr(0x00100020), "LO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_entry_both_ways),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_parse_attribute),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
