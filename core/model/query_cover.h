/* query_cover.h: does a query type take a key? SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_QUERY_COVER_H
#define CORE_MODEL_QUERY_COVER_H

#include "core/model/query.h"

enum query_cover {
    QUERY_COVERED,
    QUERY_COVERED_AS_STUDY_DATE, /* min_study_date, max_study_date: by a range of StudyDate */
    QUERY_NOT_COVERED,
    QUERY_BAD_VALUE /* a parameter of the type, but the value is not of its kind */
};

/*
 * Looks for `key` of `query` among the parameters of `type`. *ret_values are the values as the type
 * takes them: the key's own, or static ones for "yes" and its like. With BAD_VALUE, *ret_wanted
 * says what the value must be.
 */
enum query_cover query_cover_key(const struct trolley_query_type *type,
                                 const struct trolley_span *types,
                                 const struct trolley_query *query,
                                 const struct trolley_query_key *key,
                                 struct trolley_span *ret_values, const char **ret_wanted);

#endif
