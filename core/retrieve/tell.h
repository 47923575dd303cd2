/*
 * tell.h: what is said about objects beside their bytes: failures, announced counts, and what a
 * failed sync has lost. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_TELL_H
#define CORE_RETRIEVE_TELL_H

#include "core/retrieve/item.h"

/* Functions of the dataset sink; ctx is the fetch. [any] */
int32_t tell_failed(void *ctx, const struct trolley_ref *ref, const struct trolley_failure *theirs);
int32_t tell_expect(void *ctx, const struct trolley_ref *ref, uint64_t instances);

/*
 * Something failed of which nobody can say which instance it was: a series or study that the
 * request asks for as such is not all there. `flags` are ENTRY_BROKEN or 0. Where instances are
 * named their names tell. Under run_lock.
 */
void tell_nameless(struct fetch *fetch, const struct task_failure *failure, uint8_t flags);

/* A committed item that a failed sync lost goes back to what is missing. Under no lock. */
void tell_lost(struct study *study, pthread_mutex_t *run_lock,
               const struct trolley_outcome *outcome, const struct task_failure *failure);

#endif
