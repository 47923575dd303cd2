/*
 * claim.h: whether an item that comes is one that was asked for, and which entry it fills.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_CLAIM_H
#define CORE_RETRIEVE_CLAIM_H

#include "core/retrieve/item.h"

/*
 * Claims the entry that an item fills; `meta` has the study's UID and a valid instance UID. Returns
 * 0 with *ret_entry, or the outcome kind that speaks against it: UNEXPECTED, DUPLICATE, FAILED when
 * memory is out, SKIPPED for what a wide request repeats of what is there. Under run_lock.
 */
uint32_t claim_entry(struct fetch *fetch, const struct trolley_meta *meta, uint32_t *ret_entry);

/*
 * The entry of an instance that the server says it could not send: one that nobody had named is
 * expected from here on, where all of its series is wanted. ENTRY_NONE when it is none of what was
 * asked for, or cannot be told. Under run_lock.
 */
uint32_t claim_failed(struct fetch *fetch, const struct trolley_ref *ref);

#endif
