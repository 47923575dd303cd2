/* search.h: a query into requests. SPDX-License-Identifier: MIT */
#ifndef QIDO_RS_SEARCH_H
#define QIDO_RS_SEARCH_H

#include <stdatomic.h>
#include <trolley/searcher.h>

#include "page.h"
#include "record.h"
#include "request.h"
#include <kit/uid_set.h>

/* What the instances of one section share. */
struct qido_shared {
    atomic_bool no_relational; /* the server has no /series and /instances */
};

/* One thread's instance. */
struct qido {
    const struct trolley_host *host;
    struct page_source source;
    struct qido_shared *shared;
    struct request_style style;
    uint64_t page_size;
    bool relational; /* may be asked across the hierarchy */
};

/* One find in progress. */
struct search {
    struct qido *qido;
    const struct trolley_query *query;
    const struct trolley_record_sink *sink;
    struct trolley_task *task;
    uint32_t *choice;    /* the values in use, see request.h */
    uint64_t limit;      /* records wanted, UINT64_MAX for all */
    uint64_t skip;       /* records still to be left out: an offset that no server takes */
    uint64_t delivered;  /* records in the sink */
    struct kit_uid_set seen; /* of the query's level */
};

#define SEARCH_ENOUGH 1 /* the limit is reached: all ends well */

/* Puts one object of the query's level into the sink (and frees it), unless it is to be skipped.
 * Returns 0, SEARCH_ENOUGH or a negative status. */
int search_deliver(struct search *search, struct kit_dicom_json *object,
                   const struct record_above *above);

/* The UID that the query gives for a level, with the values in use; NULL when it gives none, a list
 * or no proper UID. */
const char *search_uid(const struct search *search, uint32_t level);

/* Does the query ask anything of this level but its UID: a key, an include field? */
bool search_asks_level(const struct search *search, uint32_t level, bool keys_only);

/* Asks level by level: studies, their series, their instances, each key at its own level.
 * @param from  the level to begin with; UIDs of those above it must be known */
int walk_run(struct search *search, uint32_t from);

/* The operations of a searcher. */
int32_t qido_find(void *self, const struct trolley_query *query,
                  const struct trolley_record_sink *sink, struct trolley_task *task);
int32_t qido_check(void *self, const struct trolley_query *query, struct trolley_task *task);
int32_t qido_ping(void *self, struct trolley_task *task);

#endif
