/* query_view.h: what the acceptance rule makes of a query. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_QUERY_VIEW_H
#define CORE_MODEL_QUERY_VIEW_H

#include "core/model/query.h"

/* The keys' texts belong to the query that it was made from; what had to be put otherwise for the
 * type is here. */
struct query_view {
    struct query_view *next; /* of the same builder; query_view_free frees the whole list */
    struct trolley_query query;
    char *type;
    char date[18]; /* the range of StudyDate, where it stands for the two parameters */
    const char *date_value;
    struct trolley_query_key keys[];
};

#endif
