/* search.h: one find with the host's checks around it. SPDX-License-Identifier: MIT */
#ifndef CORE_RETRIEVE_SEARCH_H
#define CORE_RETRIEVE_SEARCH_H

#include "core/model/query.h"
#include "core/plugin/setup.h"

struct search_counts {
    uint64_t records;      /* passed on */
    uint64_t contradicted; /* dropped: an attribute contradicts the query */
    uint64_t malformed;    /* dropped: a UID of its level or above is absent or no UID */
};

/*
 * Asks the searcher and passes on what stands the checks: UIDs well formed, the query matched again
 * (unless the section says refilter = no). Drops are counted, and noted to the task once for each
 * kind; so is a key whose attribute never came back, since it could not be checked.
 */
int search_query(struct instance *searcher, const struct trolley_query *query,
                 const struct trolley_record_sink *sink, struct trolley_task *task,
                 struct search_counts *ret_counts);

/* The same for a query as the user built it: accepted, checked by the searcher, asked. */
int search_builder(struct instance *searcher, const struct trolley_query_builder *query,
                   const struct trolley_record_sink *sink, struct task *task,
                   struct search_counts *ret_counts, struct trolley_error *error);

/* The first value of an attribute of a record; NULL when it is absent or empty. */
const char *search_text(const struct trolley_record *record, uint32_t tag);

#endif
