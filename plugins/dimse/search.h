/* search.h: a query as C-FINDs, down the hierarchy where it must. SPDX-License-Identifier: MIT */
#ifndef DIMSE_SEARCH_H
#define DIMSE_SEARCH_H

#include <trolley/searcher.h>

#include "association.h"

struct qr {
    struct dimse_settings settings;
    const char *charset;
    bool relational;                 /* offered to the PACS */
    struct association *association; /* kept open from one query to the next; NULL for none */
};

int32_t qr_find(void *self, const struct trolley_query *query,
                const struct trolley_record_sink *sink, struct trolley_task *task);
int32_t qr_check(void *self, const struct trolley_query *query, struct trolley_task *task);
int32_t qr_ping(void *self, struct trolley_task *task);

#endif
