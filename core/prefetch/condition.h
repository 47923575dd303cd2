/* condition.h: which objects a rule is about. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_CONDITION_H
#define CORE_PREFETCH_CONDITION_H

#include <stdbool.h>

#include "core/trolley.h"

struct prefetch_condition;

/*
 * Reads `{attribute}[n]{!}={value}` expressions, all of which must hold: keyword, tag or dotted
 * path; an empty value means absent; otherwise a regular expression (PCRE2 with match, depth and
 * heap limits) that must match the whole value; any of several values matches, or with [n] the n-th
 * one alone. What is absent matches no expression, so that `!=` holds for it. `count` may be 0:
 * then *ret_condition is NULL, which always holds. Errors: INVALID_ARG with the condition's text,
 * NOMEM.
 */
int prefetch_condition_parse(const char *const *texts, uint32_t count,
                             struct prefetch_condition **ret_condition,
                             struct trolley_error *error);
void prefetch_condition_free(struct prefetch_condition *condition);

/*
 * Do they hold for an object and those above it? 1, 0, or negative when that cannot be said (a
 * match that exceeds its limits: TOO_LARGE). `node` NULL: nothing is known of it, every attribute
 * is absent. [any]
 */
int prefetch_condition_holds(const struct prefetch_condition *condition,
                             const struct trolley_node *node, struct trolley_error *error);

/* Tags that the conditions look at, for a query's include fields: at most `room`; returns how many
 * there are. */
uint32_t prefetch_condition_tags(const struct prefetch_condition *condition, uint32_t *tags,
                                 uint32_t room);

#endif
