/* metadata_values_dcmtk.h: values of DICOM JSON [PS3.18 F.2] as DCMTK's elements take them. What
 * has no such form throws Malformed, which never leaves metadata_dcmtk.cc. SPDX-License-Identifier:
 * MIT */
#ifndef WADO_RS_METADATA_VALUES_DCMTK_H
#define WADO_RS_METADATA_VALUES_DCMTK_H

#include <string>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cjson/cJSON.h>

namespace metadata
{

struct Malformed {
    const char *problem; /* static text */
};

/* Borrowed from the document. */
using Values = std::vector<const cJSON *>;

/* NULL where there is none; matched with case. */
const cJSON *member_of(const cJSON *object, const char *name);

/* A string or number as text; "" for null. Borrowed. */
const char *text_of(const cJSON *item);

/* The member Value as an array, with or without its brackets. */
Values values_of(const cJSON *member);

bool is_name(const cJSON *item);

/* Component groups of a person name, empty ones at the end left out. */
std::string name_text(const cJSON *item);

/* A decimal string of at most 16 characters [PS3.5 6.2]. */
std::string decimal_text(const char *text);

/* Of 16, 32 and 64 bits, signed and unsigned. */
template <typename T> std::vector<T> integers(const Values &values);

/* Of 32 and 64 bits. */
template <typename T> std::vector<T> reals(const Values &values);

/* "00100010" */
DcmTagKey tag_of(const char *text);

/* Group and element of each, in turn. */
std::vector<Uint16> tags(const Values &values);

/* Throws what DCMTK says in its own way. */
void check(const OFCondition &condition, const char *problem);

} // namespace metadata

#endif
