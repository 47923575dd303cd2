/*
 * settle.h: what a request that was answered means for what it asked for: done, to be asked again,
 * to be asked for singly, or never to be had of this downloader. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_SETTLE_H
#define CORE_RETRIEVE_SETTLE_H

#include "core/retrieve/plan.h"

/* What a request left undone gets its reason. `failure` NULL: fetch returned OK; CANCELLED: the run
 * ends, and nothing is said about what was asked for. Under the run's lock. */
void settle_chunk(const struct chunk *chunk, const struct ask *ask,
                  const struct task_failure *failure);

#endif
