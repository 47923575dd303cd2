/* attribute.h: where attributes belong in the information model. SPDX-License-Identifier: MIT */
#ifndef DATASET_ATTRIBUTE_H
#define DATASET_ATTRIBUTE_H

#include <stdbool.h>
#include <trolley/query.h>

#define TAG_STUDY_DATE UINT32_C(0x00080020)
#define TAG_STUDY_UID UINT32_C(0x0020000d)
#define TAG_SERIES_UID UINT32_C(0x0020000e)
#define TAG_INSTANCE_UID UINT32_C(0x00080018)

/* The UID attribute of a level. */
uint32_t attribute_uid(uint32_t level);

/* The level at which servers hold an attribute [PS3.18 10.6.1.2.3]: patient's and study's, series',
 * all others instance's. */
uint32_t attribute_level(uint32_t tag);

/* The same for a key or include field: of the outermost sequence when it has a path, study for the
 * parameters min_study_date and max_study_date. */
uint32_t attribute_key_level(const struct trolley_query_key *key);

#endif
