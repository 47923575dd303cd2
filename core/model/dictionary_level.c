/* SPDX-License-Identifier: MIT */
#include "core/model/dictionary.h"

/* Both tables are in order of tag. */

/*
 * Study level: the modules Patient, Clinical Trial Subject, General Study, Patient Study and
 * Clinical Trial Study [PS3.3 C.7.1, C.7.2], what else identifies a patient [PS3.3 C.2], and what a
 * server tells about a study as a whole [PS3.18 10.6.3, PS3.4 C.3.4].
 */
static const uint32_t level_study[] = {
    0x00080020, /* StudyDate */
    0x00080030, /* StudyTime */
    0x00080050, /* AccessionNumber */
    0x00080051, /* IssuerOfAccessionNumberSequence */
    0x00080061, /* ModalitiesInStudy */
    0x00080062, /* SOPClassesInStudy */
    0x00080063, /* AnatomicRegionsInStudyCodeSequence */
    0x00080090, /* ReferringPhysicianName */
    0x00080096, /* ReferringPhysicianIdentificationSequence */
    0x0008009c, /* ConsultingPhysicianName */
    0x0008009d, /* ConsultingPhysicianIdentificationSequence */
    0x00081030, /* StudyDescription */
    0x00081032, /* ProcedureCodeSequence */
    0x00081048, /* PhysiciansOfRecord */
    0x00081049, /* PhysiciansOfRecordIdentificationSequence */
    0x00081060, /* NameOfPhysiciansReadingStudy */
    0x00081062, /* PhysiciansReadingStudyIdentificationSequence */
    0x00081080, /* AdmittingDiagnosesDescription */
    0x00081084, /* AdmittingDiagnosesCodeSequence */
    0x00081110, /* ReferencedStudySequence */
    0x00081120, /* ReferencedPatientSequence */
    0x00100010, /* PatientName */
    0x00100020, /* PatientID */
    0x00100021, /* IssuerOfPatientID */
    0x00100022, /* TypeOfPatientID */
    0x00100024, /* IssuerOfPatientIDQualifiersSequence */
    0x00100026, /* SourcePatientGroupIdentificationSequence */
    0x00100027, /* GroupOfPatientsIdentificationSequence */
    0x00100030, /* PatientBirthDate */
    0x00100032, /* PatientBirthTime */
    0x00100033, /* PatientBirthDateInAlternativeCalendar */
    0x00100034, /* PatientDeathDateInAlternativeCalendar */
    0x00100035, /* PatientAlternativeCalendar */
    0x00100040, /* PatientSex */
    0x00100050, /* PatientInsurancePlanCodeSequence */
    0x00100101, /* PatientPrimaryLanguageCodeSequence */
    0x00100200, /* QualityControlSubject */
    0x00100212, /* StrainDescription */
    0x00100213, /* StrainNomenclature */
    0x00100216, /* StrainStockSequence */
    0x00100218, /* StrainAdditionalInformation */
    0x00100219, /* StrainCodeSequence */
    0x00100221, /* GeneticModificationsSequence */
    0x00101000, /* OtherPatientIDs */
    0x00101001, /* OtherPatientNames */
    0x00101002, /* OtherPatientIDsSequence */
    0x00101005, /* PatientBirthName */
    0x00101010, /* PatientAge */
    0x00101020, /* PatientSize */
    0x00101021, /* PatientSizeCodeSequence */
    0x00101022, /* PatientBodyMassIndex */
    0x00101023, /* MeasuredAPDimension */
    0x00101024, /* MeasuredLateralDimension */
    0x00101030, /* PatientWeight */
    0x00101040, /* PatientAddress */
    0x00101060, /* PatientMotherBirthName */
    0x00101080, /* MilitaryRank */
    0x00101081, /* BranchOfService */
    0x00101090, /* MedicalRecordLocator */
    0x00101100, /* ReferencedPatientPhotoSequence */
    0x00102000, /* MedicalAlerts */
    0x00102110, /* Allergies */
    0x00102150, /* CountryOfResidence */
    0x00102152, /* RegionOfResidence */
    0x00102154, /* PatientTelephoneNumbers */
    0x00102160, /* EthnicGroup */
    0x00102180, /* Occupation */
    0x001021a0, /* SmokingStatus */
    0x001021b0, /* AdditionalPatientHistory */
    0x001021c0, /* PregnancyStatus */
    0x001021d0, /* LastMenstrualDate */
    0x001021f0, /* PatientReligiousPreference */
    0x00102201, /* PatientSpeciesDescription */
    0x00102202, /* PatientSpeciesCodeSequence */
    0x00102203, /* PatientSexNeutered */
    0x00102292, /* PatientBreedDescription */
    0x00102293, /* PatientBreedCodeSequence */
    0x00102294, /* BreedRegistrationSequence */
    0x00102297, /* ResponsiblePerson */
    0x00102298, /* ResponsiblePersonRole */
    0x00102299, /* ResponsibleOrganization */
    0x00104000, /* PatientComments */
    0x00120010, /* ClinicalTrialSponsorName */
    0x00120020, /* ClinicalTrialProtocolID */
    0x00120021, /* ClinicalTrialProtocolName */
    0x00120030, /* ClinicalTrialSiteID */
    0x00120031, /* ClinicalTrialSiteName */
    0x00120040, /* ClinicalTrialSubjectID */
    0x00120042, /* ClinicalTrialSubjectReadingID */
    0x00120050, /* ClinicalTrialTimePointID */
    0x00120051, /* ClinicalTrialTimePointDescription */
    0x00120052, /* LongitudinalTemporalOffsetFromEvent */
    0x00120053, /* LongitudinalTemporalEventType */
    0x00120062, /* PatientIdentityRemoved */
    0x00120063, /* DeidentificationMethod */
    0x00120064, /* DeidentificationMethodCodeSequence */
    0x00120081, /* ClinicalTrialProtocolEthicsCommitteeName */
    0x00120082, /* ClinicalTrialProtocolEthicsCommitteeApprovalNumber */
    0x00120083, /* ConsentForClinicalTrialUseSequence */
    0x0020000d, /* StudyInstanceUID */
    0x00200010, /* StudyID */
    0x00201070, /* OtherStudyNumbers */
    0x00201200, /* NumberOfPatientRelatedStudies */
    0x00201202, /* NumberOfPatientRelatedSeries */
    0x00201204, /* NumberOfPatientRelatedInstances */
    0x00201206, /* NumberOfStudyRelatedSeries */
    0x00201208, /* NumberOfStudyRelatedInstances */
    0x0032000a, /* StudyStatusID */
    0x0032000c, /* StudyPriorityID */
    0x00321033, /* RequestingService */
    0x00321034, /* RequestingServiceCodeSequence */
    0x00321066, /* ReasonForVisit */
    0x00321067, /* ReasonForVisitCodeSequence */
    0x00324000, /* StudyComments */
    0x00380010, /* AdmissionID */
    0x00380014, /* IssuerOfAdmissionIDSequence */
    0x00380060, /* ServiceEpisodeID */
    0x00380062, /* ServiceEpisodeDescription */
    0x00380064, /* IssuerOfServiceEpisodeIDSequence */
    0x00380500, /* PatientState */
    0x00401012, /* ReasonForPerformedProcedureCodeSequence */
};

/*
 * Series level: the modules General Series, Clinical Trial Series, Frame of Reference,
 * Synchronization and General Equipment [PS3.3 C.7.3, C.7.4, C.7.5], and what a server tells about
 * a series as a whole [PS3.18 10.6.3].
 */
static const uint32_t level_series[] = {
    0x00080021, /* SeriesDate */
    0x00080031, /* SeriesTime */
    0x00080060, /* Modality */
    0x00080070, /* Manufacturer */
    0x00080080, /* InstitutionName */
    0x00080081, /* InstitutionAddress */
    0x00080082, /* InstitutionCodeSequence */
    0x00081010, /* StationName */
    0x0008103e, /* SeriesDescription */
    0x0008103f, /* SeriesDescriptionCodeSequence */
    0x00081040, /* InstitutionalDepartmentName */
    0x00081041, /* InstitutionalDepartmentTypeCodeSequence */
    0x00081050, /* PerformingPhysicianName */
    0x00081052, /* PerformingPhysicianIdentificationSequence */
    0x00081070, /* OperatorsName */
    0x00081072, /* OperatorIdentificationSequence */
    0x00081090, /* ManufacturerModelName */
    0x00081111, /* ReferencedPerformedProcedureStepSequence */
    0x00081250, /* RelatedSeriesSequence */
    0x00102210, /* AnatomicalOrientationType */
    0x00120060, /* ClinicalTrialCoordinatingCenterName */
    0x00120071, /* ClinicalTrialSeriesID */
    0x00120072, /* ClinicalTrialSeriesDescription */
    0x00180015, /* BodyPartExamined */
    0x00181000, /* DeviceSerialNumber */
    0x00181002, /* DeviceUID */
    0x00181008, /* GantryID */
    0x0018100a, /* UDISequence */
    0x0018100b, /* ManufacturerDeviceClassUID */
    0x00181020, /* SoftwareVersions */
    0x00181030, /* ProtocolName */
    0x00181050, /* SpatialResolution */
    0x00181061, /* TriggerSourceOrType */
    0x0018106a, /* SynchronizationTrigger */
    0x0018106c, /* SynchronizationChannel */
    0x00181200, /* DateOfLastCalibration */
    0x00181201, /* TimeOfLastCalibration */
    0x00181202, /* DateTimeOfLastCalibration */
    0x00181800, /* AcquisitionTimeSynchronized */
    0x00181801, /* TimeSource */
    0x00181802, /* TimeDistributionProtocol */
    0x00181803, /* NTPSourceAddress */
    0x00185100, /* PatientPosition */
    0x0020000e, /* SeriesInstanceUID */
    0x00200011, /* SeriesNumber */
    0x00200052, /* FrameOfReferenceUID */
    0x00200060, /* Laterality */
    0x00200200, /* SynchronizationFrameOfReferenceUID */
    0x00201040, /* PositionReferenceIndicator */
    0x00201209, /* NumberOfSeriesRelatedInstances */
    0x00280108, /* SmallestPixelValueInSeries */
    0x00280109, /* LargestPixelValueInSeries */
    0x00280120, /* PixelPaddingValue */
    0x00400244, /* PerformedProcedureStepStartDate */
    0x00400245, /* PerformedProcedureStepStartTime */
    0x00400250, /* PerformedProcedureStepEndDate */
    0x00400251, /* PerformedProcedureStepEndTime */
    0x00400253, /* PerformedProcedureStepID */
    0x00400254, /* PerformedProcedureStepDescription */
    0x00400260, /* PerformedProtocolCodeSequence */
    0x00400275, /* RequestAttributesSequence */
    0x00400280, /* CommentsOnThePerformedProcedureStep */
    0x300a0700, /* TreatmentSessionUID */
};

static bool level_has(const uint32_t *tags, size_t count, uint32_t tag)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tags[middle] == tag) return true;
        if (tags[middle] < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

uint32_t dictionary_level(uint32_t tag)
{
    if (level_has(level_study, sizeof level_study / sizeof level_study[0], tag))
        return TROLLEY_LEVEL_STUDY;
    if (level_has(level_series, sizeof level_series / sizeof level_series[0], tag))
        return TROLLEY_LEVEL_SERIES;
    return TROLLEY_LEVEL_INSTANCE;
}
