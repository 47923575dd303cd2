/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <kit/text.h>
#include <stdio.h>
#include <trolley/helpers.h>

static const struct names_row {
    const char *key;
    const char *wire[MINT_DIALECTS];
} names_rows[MINT_NAMES] = {
    [NAME_STUDY_UID] = {"StudyInstanceUID",
                        {"StudyInstanceUID", "StudyInstanceUID", "studyInstanceUID"}},
    [NAME_ACCESSION_NUMBER] = {"AccessionNumber",
                               {"AccessionNumber", "AccessionNumber", "accessionNumber"}},
    [NAME_PATIENT_NAME] = {"PatientName", {"PatientName", "PatientName", NULL}},
    [NAME_PATIENT_ID] = {"PatientID", {"PatientID", "PatientID", "patientID"}},
    [NAME_MODALITIES] = {"ModalitiesInStudy", {"ModalitiesInStudy", "ModalitiesInStudy", NULL}},
    [NAME_SERIES_UID] = {"SeriesInstanceUID", {"SeriesInstanceUID", "SeriesInstanceUID", NULL}},
    [NAME_INSTITUTION] = {"InstitutionName", {"InstitutionName", "InstitutionName", NULL}},
    [NAME_PATIENT_SEX] = {"PatientSex", {"PatientSex", "PatientSex", NULL}},
    [NAME_STUDY_DESCRIPTION] = {"StudyDescription", {"StudyDescription", "StudyDescription", NULL}},
    [NAME_DEPARTMENT] = {"InstitutionalDepartmentName",
                         {"InstitutionalDepartmentName", "InstitutionalDepartmentName", NULL}},
    [NAME_SERIES_DESCRIPTION] = {"SeriesDescription",
                                 {"SeriesDescription", "SeriesDescription", NULL}},
    [NAME_BIRTH_DATE] = {"PatientBirthDate", {"PatientBirthDate", "PatientBirthDate", NULL}},
    [NAME_MIN_DATE] = {"min_study_date", {"minStudyDate", "min_study_date", "minStudyDate"}},
    [NAME_MAX_DATE] = {"max_study_date", {"maxStudyDate", "max_study_date", "maxStudyDate"}},
    [NAME_LEVEL] = {"QueryLevel", {"QueryLevel", "QueryLevel", NULL}},
    [NAME_FIELDS] = {"IncludeFields", {"IncludeFields", "IncludeFields", NULL}},
    [NAME_LIMIT] = {"limit", {"limit", "limit", "limit"}},
    [NAME_OFFSET] = {"offset", {NULL, NULL, "offset"}},
};

static const char *names_next(void *ctx, size_t i)
{
    (void)ctx;
    return i < MINT_NAMES ? names_rows[i].key : NULL;
}

/* `param.minStudyDate` means the same as `param.min_study_date`. */
static enum mint_name names_of_override(const char *text)
{
    for (int i = 0; i < MINT_NAMES; i++)
        if (kit_text_key_equal(text, names_rows[i].key) ||
            (names_rows[i].wire[MINT_VITREA] &&
             kit_text_key_equal(text, names_rows[i].wire[MINT_VITREA])))
            return (enum mint_name)i;
    return MINT_NAMES;
}

int names_read(struct mint_names *names, enum mint_dialect dialect,
               const struct trolley_config *config, struct trolley_task *task)
{
    struct trolley_span given = config->keys(config, "param.");

    for (int i = 0; i < MINT_NAMES; i++)
        names->wire[i] = names_rows[i].wire[dialect];
    for (uint32_t i = 0; i < given.count; i++) {
        const char *text = trolley_span_text(&given, i);
        enum mint_name name = names_of_override(text);
        const char *nearest, *value;
        char key[128];

        if (name == MINT_NAMES) {
            nearest = kit_text_nearest(text, names_next, NULL);
            return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                                "param.%s: MINT has no such parameter%s%s", text,
                                nearest ? "; did you mean param." : "", nearest ? nearest : "");
        }
        (void)snprintf(key, sizeof key, "param.%s", text);
        value = config->text(config, key);
        if (value && *value) names->wire[name] = value;
    }
    return 0;
}

enum mint_name names_of_key(const char *key)
{
    for (int i = 0; i < MINT_NAMES; i++)
        if (strcmp(key, names_rows[i].key) == 0) return (enum mint_name)i;
    return MINT_NAMES;
}
