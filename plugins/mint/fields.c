/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <string.h>
#include <trolley/types.h>

static const char *const fields_study[] = {"PatientID",
                                           "IssuerOfPatientID",
                                           "IssuerOfPatientIDQualifiersSequence",
                                           "PatientName",
                                           "PatientSex",
                                           "PatientBirthDate",
                                           "PatientBirthTime",
                                           "StudyInstanceUID",
                                           "AccessionNumber",
                                           "IssuerOfAccessionNumberSequence",
                                           "StudyID",
                                           "StudyDate",
                                           "StudyTime",
                                           "ModalitiesInStudy",
                                           "ReferringPhysicianName",
                                           "RequestedProcedureID",
                                           "StudyDescription",
                                           "InstanceAvailability",
                                           "InstitutionName",
                                           "StudyStatusID",
                                           "ConfidentialityCode",
                                           "ProcedureCodeSequence",
                                           "ReasonForPerformedProcedureCodeSequence",
                                           "OtherPatientIDsSequence",
                                           "InstitutionalDepartmentName",
                                           "NumberOfStudyRelatedSeries",
                                           "NumberOfStudyRelatedInstances",
                                           "SOPClassesInStudy",
                                           "CurrentPatientLocation",
                                           "SourceApplicationEntityTitle",
                                           NULL};

/* From Manufacturer on: where they are equal in all instances. */
static const char *const fields_series[] = {"SeriesInstanceUID",
                                            "Modality",
                                            "SeriesDate",
                                            "SeriesTime",
                                            "SeriesDescription",
                                            "Laterality",
                                            "AnatomicRegionSequence",
                                            "BodyPartExamined",
                                            "FrameOfReferenceUID",
                                            "PerformedProcedureStepDescription",
                                            "ProtocolName",
                                            "PerformingPhysicianName",
                                            "PerformedProcedureStepStartDate",
                                            "PerformedProcedureStepStartTime",
                                            "OperatorsName",
                                            "PerformedProcedureStepStatus",
                                            "PresentationIntentType",
                                            "SeriesNumber",
                                            "SeriesType",
                                            "SmallestPixelValueInSeries",
                                            "SpatialResolution",
                                            "NumberOfSeriesRelatedInstances",
                                            "Manufacturer",
                                            "ManufacturerModelName",
                                            "CorrectedImage",
                                            "DeviceSerialNumber",
                                            "InstitutionAddress",
                                            "SoftwareVersions",
                                            "StationName",
                                            "DateOfLastCalibration",
                                            "TimeOfLastCalibration",
                                            NULL};

static const char *const fields_instance[] = {"SOPInstanceUID",
                                              "SOPClassUID",
                                              "Rows",
                                              "Columns",
                                              "NumberOfFrames",
                                              "BitsAllocated",
                                              "ContentDate",
                                              "ContentTime",
                                              "ObservationDateTime",
                                              "ConceptNameCodeSequence",
                                              "ContentLabel",
                                              "ContentDescription",
                                              "PresentationCreationDate",
                                              "PresentationCreationTime",
                                              "ContentCreatorName",
                                              "RetrieveURI",
                                              "TransferSyntaxUID",
                                              "InstanceNumber",
                                              "PixelPaddingValue",
                                              NULL};

uint32_t fields_level(const char *keyword)
{
    static const char *const *const levels[] = {NULL, fields_study, fields_series, fields_instance};

    for (uint32_t level = TROLLEY_LEVEL_STUDY; level <= TROLLEY_LEVEL_INSTANCE; level++)
        for (const char *const *field = levels[level]; *field; field++)
            if (strcmp(*field, keyword) == 0) return level;
    return 0;
}

const char *fields_level_name(uint32_t level)
{
    static const char *const names[] = {"", "study", "series", "instance"};

    return names[level <= TROLLEY_LEVEL_INSTANCE ? level : 0];
}
