/* refs.h: the instances that one request asks for. SPDX-License-Identifier: MIT */
#ifndef RAD69_REFS_H
#define RAD69_REFS_H

#include <stdint.h>
#include <trolley/types.h>

/* Borrowed, in the order of study, series and instance UID; count is at least 1. */
struct refs {
    const struct trolley_ref *items;
    uint32_t count;
};

#define REFS_NONE UINT32_MAX

/* Copies the references of a fetch, sorted. free() *ret_items. Errors: NOMEM; INVALID_ARG for one
 * that is no whole instance. */
int refs_copy(const struct trolley_span *span, struct trolley_ref **ret_items);

/* How many references from the first on lie in its series. */
uint32_t refs_in_series(const struct refs *refs);

/* The instance of that UID, searched from `hint` on and then round: answers mostly come in the
 * order of the request. REFS_NONE when it was not asked for. */
uint32_t refs_find(const struct refs *refs, const char *instance, uint32_t hint);

/* The first instance of that series; REFS_NONE when none was asked for. */
uint32_t refs_find_series(const struct refs *refs, const char *series);

#endif
