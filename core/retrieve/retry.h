/* retry.h: when a failed try is repeated. SPDX-License-Identifier: MIT */
#ifndef CORE_RETRIEVE_RETRY_H
#define CORE_RETRIEVE_RETRY_H

#include <stdbool.h>

#include "core/plugin/setup.h"
#include "core/plugin/task.h"

/* What an INI section says of its retries. */
struct patience {
    int64_t max_retries, retry_delay_ms;
};

/* Reads it from the section of a searcher or downloader. */
void patience_of(const struct component *component, struct patience *ret_patience);

/* After try n (from 0) failed so: waits its time and returns true when it is to be tried again. */
bool retry_wanted(const struct patience *patience, uint32_t n, const struct task_failure *failure,
                  const atomic_int *cancel);

/* The delay before repetition n (from 0): base doubled each time, 25 % of jitter either way, at
 * most a minute; at least what the server asked for (capped at ten minutes). */
int64_t retry_delay(int64_t base_ms, uint32_t n, uint64_t retry_after_ms);

#endif
