/* names.h: what parameters are called on the wire. SPDX-License-Identifier: MIT */
#ifndef MINT_NAMES_H
#define MINT_NAMES_H

#include <trolley/host.h>

enum mint_dialect { MINT_VITREA, MINT_DICOMTROLLEY, MINT_REFERENCE, MINT_DIALECTS };

enum mint_name {
    NAME_STUDY_UID,
    NAME_ACCESSION_NUMBER,
    NAME_PATIENT_NAME,
    NAME_PATIENT_ID,
    NAME_MODALITIES,
    NAME_SERIES_UID,
    NAME_INSTITUTION,
    NAME_PATIENT_SEX,
    NAME_STUDY_DESCRIPTION,
    NAME_DEPARTMENT,
    NAME_SERIES_DESCRIPTION,
    NAME_BIRTH_DATE,
    NAME_MIN_DATE,
    NAME_MAX_DATE,
    NAME_LEVEL,
    NAME_FIELDS,
    NAME_LIMIT,
    NAME_OFFSET,
    MINT_NAMES
};

/* Wire names; NULL where the dialect has no such parameter. Borrowed from the configuration. */
struct mint_names {
    const char *wire[MINT_NAMES];
};

/* The dialect's names, with those that `param.NAME` gives in their place. Errors: INVALID_CONFIG
 * for a NAME that is none. */
int names_read(struct mint_names *names, enum mint_dialect dialect,
               const struct trolley_config *config, struct trolley_task *task);

/* A query key as a parameter; MINT_NAMES when it is none. */
enum mint_name names_of_key(const char *key);

#endif
