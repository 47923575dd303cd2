/* SPDX-License-Identifier: MIT */
#include "attribute.h"

#include <stdlib.h>

/* In order of tags; group 0010 is the patient's as a whole. */
static const struct attribute_place {
    uint32_t tag, level;
} attribute_places[] = {
    {TAG_STUDY_DATE, TROLLEY_LEVEL_STUDY}, {0x00080021, TROLLEY_LEVEL_SERIES}, /* SeriesDate */
    {0x00080030, TROLLEY_LEVEL_STUDY},                                         /* StudyTime */
    {0x00080031, TROLLEY_LEVEL_SERIES},                                        /* SeriesTime */
    {0x00080050, TROLLEY_LEVEL_STUDY},                                         /* AccessionNumber */
    {0x00080051, TROLLEY_LEVEL_STUDY},  /* IssuerOfAccessionNumberSequence */
    {0x00080060, TROLLEY_LEVEL_SERIES}, /* Modality */
    {0x00080061, TROLLEY_LEVEL_STUDY},  /* ModalitiesInStudy */
    {0x00080062, TROLLEY_LEVEL_STUDY},  /* SOPClassesInStudy */
    {0x00080070, TROLLEY_LEVEL_SERIES}, /* Manufacturer */
    {0x00080080, TROLLEY_LEVEL_SERIES}, /* InstitutionName */
    {0x00080081, TROLLEY_LEVEL_SERIES}, /* InstitutionAddress */
    {0x00080090, TROLLEY_LEVEL_STUDY},  /* ReferringPhysicianName */
    {0x00081010, TROLLEY_LEVEL_SERIES}, /* StationName */
    {0x00081030, TROLLEY_LEVEL_STUDY},  /* StudyDescription */
    {0x00081032, TROLLEY_LEVEL_STUDY},  /* ProcedureCodeSequence */
    {0x0008103e, TROLLEY_LEVEL_SERIES}, /* SeriesDescription */
    {0x00081040, TROLLEY_LEVEL_SERIES}, /* InstitutionalDepartmentName */
    {0x00081048, TROLLEY_LEVEL_STUDY},  /* PhysiciansOfRecord */
    {0x00081050, TROLLEY_LEVEL_SERIES}, /* PerformingPhysicianName */
    {0x00081060, TROLLEY_LEVEL_STUDY},  /* NameOfPhysiciansReadingStudy */
    {0x00081070, TROLLEY_LEVEL_SERIES}, /* OperatorsName */
    {0x00081080, TROLLEY_LEVEL_STUDY},  /* AdmittingDiagnosesDescription */
    {0x00081090, TROLLEY_LEVEL_SERIES}, /* ManufacturerModelName */
    {0x00180015, TROLLEY_LEVEL_SERIES}, /* BodyPartExamined */
    {0x00181030, TROLLEY_LEVEL_SERIES}, /* ProtocolName */
    {0x00185100, TROLLEY_LEVEL_SERIES}, /* PatientPosition */
    {TAG_STUDY_UID, TROLLEY_LEVEL_STUDY},  {TAG_SERIES_UID, TROLLEY_LEVEL_SERIES},
    {0x00200010, TROLLEY_LEVEL_STUDY},  /* StudyID */
    {0x00200011, TROLLEY_LEVEL_SERIES}, /* SeriesNumber */
    {0x00200060, TROLLEY_LEVEL_SERIES}, /* Laterality */
    {0x00201200, TROLLEY_LEVEL_STUDY},  /* NumberOfPatientRelatedStudies */
    {0x00201202, TROLLEY_LEVEL_STUDY},  /* NumberOfPatientRelatedSeries */
    {0x00201204, TROLLEY_LEVEL_STUDY},  /* NumberOfPatientRelatedInstances */
    {0x00201206, TROLLEY_LEVEL_STUDY},  /* NumberOfStudyRelatedSeries */
    {0x00201208, TROLLEY_LEVEL_STUDY},  /* NumberOfStudyRelatedInstances */
    {0x00201209, TROLLEY_LEVEL_SERIES}, /* NumberOfSeriesRelatedInstances */
    {0x00321032, TROLLEY_LEVEL_STUDY},  /* RequestingPhysician */
    {0x00321060, TROLLEY_LEVEL_STUDY},  /* RequestedProcedureDescription */
    {0x00400244, TROLLEY_LEVEL_SERIES}, /* PerformedProcedureStepStartDate */
    {0x00400245, TROLLEY_LEVEL_SERIES}, /* PerformedProcedureStepStartTime */
    {0x00400275, TROLLEY_LEVEL_SERIES}, /* RequestAttributesSequence */
};

uint32_t attribute_uid(uint32_t level)
{
    static const uint32_t tags[] = {0, TAG_STUDY_UID, TAG_SERIES_UID, TAG_INSTANCE_UID};

    return tags[level];
}

static int attribute_compare(const void *tag, const void *place)
{
    uint32_t left = *(const uint32_t *)tag;
    uint32_t right = ((const struct attribute_place *)place)->tag;

    return (left > right) - (left < right);
}

uint32_t attribute_level(uint32_t tag)
{
    const struct attribute_place *place =
        bsearch(&tag, attribute_places, sizeof attribute_places / sizeof attribute_places[0],
                sizeof attribute_places[0], attribute_compare);

    if (tag >> 16 == 0x0010) return TROLLEY_LEVEL_STUDY;
    return place ? place->level : TROLLEY_LEVEL_INSTANCE;
}

uint32_t attribute_key_level(const struct trolley_query_key *key)
{
    if (key->tag == 0) return TROLLEY_LEVEL_STUDY;
    if (!key->path) return attribute_level(key->tag);
    return attribute_level((uint32_t)strtoul(key->path, NULL, 16));
}
