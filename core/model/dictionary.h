/* dictionary.h: DICOM's data dictionary [PS3.6], generated at build time from DCMTK's. Lookups by
 * binary search in static tables. Public functions: trolley_tag, trolley_keyword, trolley_vr.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_DICTIONARY_H
#define CORE_MODEL_DICTIONARY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/trolley.h"

struct dictionary_entry {
    uint32_t tag;
    char vr[3];
    const char *keyword;
};

/* Entry i in order of tag, NULL past the end. */
const struct dictionary_entry *dictionary_entry(size_t i);

/* The level of the DICOM module an attribute belongs to when it is a study's or series' own
 * (patient attributes count as study's), TROLLEY_LEVEL_INSTANCE for all others. */
uint32_t dictionary_level(uint32_t tag);

/* The service "trolley.dictionary/1". */
extern const struct trolley_dictionary_service dictionary_service;

#endif
