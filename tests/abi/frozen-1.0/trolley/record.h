/*
 * trolley/record.h: what a searcher delivers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_RECORD_H
#define TROLLEY_RECORD_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROLLEY_ELEMENT_NULL UINT32_C(1) /* present without a value */
/* The value is the URI of bulk data [PS3.18 F.2.6]. */
#define TROLLEY_ELEMENT_BULK_URI UINT32_C(2)
/* A sequence: one value, the JSON array of its items [PS3.18 F.2]. */
#define TROLLEY_ELEMENT_JSON UINT32_C(4)

/* One attribute. Open; borrowed for the call. */
struct trolley_element {
    uint32_t size;
    uint32_t tag;                /* 0xGGGGEEEE */
    const char *private_creator; /* for odd groups, where known; else NULL */
    char vr[4];     /* two letters and NULs; empty when unknown: the host asks its dictionary */
    uint32_t flags; /* TROLLEY_ELEMENT_* */
    /* Of const char *, UTF-8, one a value; person names in DICOM form A=I=P [PS3.5 6.2]. */
    struct trolley_span values;
};

/*
 * One object found. Open; borrowed for the call. It may carry attributes of upper levels: the host
 * puts each attribute at the level of its DICOM module and merges duplicates. The UIDs of the level
 * and of all levels above must be among the elements; a record without them is dropped and counted.
 */
struct trolley_record {
    uint32_t size;
    uint32_t level;               /* enum trolley_level */
    struct trolley_span elements; /* of struct trolley_element */
};

/* Where a searcher puts records. Closed. */
struct trolley_record_sink {
    void *ctx;
    /* On the thread of find, and within it. The record is copied. A non-zero return means: stop
     * soon and return this value. */
    int32_t (*record)(void *ctx, const struct trolley_record *record);
};

#ifdef __cplusplus
}
#endif
#endif
