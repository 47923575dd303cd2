/* store_filter.h: a filter of tasks as SQL. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_STORE_FILTER_H
#define CORE_PREFETCH_STORE_FILTER_H

#include "core/prefetch/store_db.h"

/*
 * Prepares `head` WHERE the filter AND `and` (may be NULL) `tail`. Parameters of the head and of
 * `and` are numbered from ?100; binding them is the caller's. Finalize it with sqlite3_finalize.
 */
int store_filter_prepare(struct prefetch_store *store, const char *head,
                         const struct trolley_prefetch_filter *filter, const char *and,
                         const char *tail, sqlite3_stmt **ret_statement,
                         struct trolley_error *error);

#endif
