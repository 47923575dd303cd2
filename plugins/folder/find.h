/* find.h: the searcher's operations. SPDX-License-Identifier: MIT */
#ifndef FOLDER_FIND_H
#define FOLDER_FIND_H

#include <trolley/searcher.h>

/* trolley_searcher_ops.find and check; self is the section's struct folder_shared. */
int32_t folder_find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task);
int32_t folder_check(void *self, const struct trolley_query *query, struct trolley_task *task);

#endif
