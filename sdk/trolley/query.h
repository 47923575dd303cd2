/*
 * trolley/query.h: what is asked of a searcher, and how a searcher says what it understands.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_QUERY_H
#define TROLLEY_QUERY_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the values of a parameter are. */
enum trolley_param_type {
    /* `key` is a DICOM keyword; the value is matched as PS3.4 C.2.2.2 says. */
    TROLLEY_PARAM_ATTRIBUTE = 1,
    TROLLEY_PARAM_DATE = 2, /* "YYYYMMDD" (min_study_date, max_study_date) */
    TROLLEY_PARAM_INT = 3,  /* decimal, not negative (limit, offset) */
    TROLLEY_PARAM_BOOL = 4, /* "0" or "1" (fuzzymatching) */
    TROLLEY_PARAM_TEXT = 5
};

/* One parameter of a query type. Open, static. */
struct trolley_query_param {
    uint32_t size;
    uint32_t type;  /* enum trolley_param_type */
    uint32_t flags; /* none yet: 0 */
    uint32_t reserved;
    const char *key;  /* DICOM keyword, or a parameter's own name in lower case with '_' */
    const char *help; /* one line, without a final stop; NULL for none */
};

#define TROLLEY_QUERY_ANY_ATTRIBUTE UINT32_C(1) /* every DICOM attribute is a key of this type */

/*
 * A query type. Open, static. Types named by the host: "query" (StudyInstanceUID, AccessionNumber,
 * PatientName, PatientID, ModalitiesInStudy, SeriesInstanceUID, min_study_date, max_study_date) and
 * "extended" (adds InstitutionName, PatientSex, StudyDescription, SeriesDescription,
 * InstitutionalDepartmentName, PatientBirthDate). A plugin lists such a type by its name alone;
 * `base` NULL and no parameters of its own. Level and include fields belong to every type and are
 * not parameters.
 */
struct trolley_query_type {
    uint32_t size;
    uint32_t flags; /* TROLLEY_QUERY_ANY_ATTRIBUTE */
    const char *name;
    const char *base; /* whose parameters it has too; NULL for none */
    /* Of struct trolley_query_param, added to the base's; NULL for none. */
    const struct trolley_span *params;
    const char *summary; /* one line; NULL for none */
};

/*
 * One key of a query, or one include field (then without values). Open.
 * Borrowed for the call. An attribute has its tag (and its path, when it lies in sequences); a
 * parameter has tag 0 and its name.
 */
struct trolley_query_key {
    uint32_t size;
    uint32_t tag; /* 0xGGGGEEEE of the (innermost) attribute; 0 for a parameter */
    /* Keyword or parameter name, "00091001" for a tag without keyword; never NULL. */
    const char *name;
    const char *path; /* "00400275.00400007" for an attribute within sequences, else NULL */
    char vr[4];       /* two letters and NULs; empty for a parameter */
    uint32_t reserved;
    /* Of const char *: alternatives ('\' in DICOM); wildcards and ranges untouched. */
    struct trolley_span values;
};

/* A query. Open; borrowed for the call. */
struct trolley_query {
    uint32_t size;
    uint32_t level;                     /* enum trolley_level: the level of the records wanted */
    const char *type;                   /* name of the accepted query type the host chose */
    struct trolley_span keys;           /* of struct trolley_query_key, each name and path once */
    struct trolley_span include_fields; /* of struct trolley_query_key without values */
};

#ifdef __cplusplus
}
#endif
#endif
