/* contexts.h: which presentation contexts a C-GET offers. SPDX-License-Identifier: MIT */
#ifndef DIMSE_CONTEXTS_H
#define DIMSE_CONTEXTS_H

#include <kit/uid.h>

#include "association.h"

/* Classes that one association can offer with every transfer syntax. */
#define CONTEXTS_CLASSES 6

struct contexts {
    struct dimse_context items[DIMSE_CONTEXTS_MAX];
    size_t count;
    char classes[CONTEXTS_CLASSES][KIT_UID_MAX + 1]; /* offered with every transfer syntax */
    size_t class_count;
    char first_syntax[KIT_UID_MAX + 1]; /* offered before all others; "" for none */
    unsigned round;                     /* of contexts_broad */
};

/* Are all of these classes offered with every transfer syntax? */
bool contexts_cover(const struct contexts *contexts, const char *const *classes, size_t count);

/*
 * One context for each of `classes` (CONTEXTS_CLASSES at most) and each transfer syntax, so that no
 * peer has to choose and what is stored comes untouched. What room is left goes to other classes.
 * @param syntax  as the instances are stored, where it is known, else NULL
 */
void contexts_exact(struct contexts *contexts, const char *const *classes, size_t count,
                    const char *syntax);

/* For unknown classes: rounds of an association each, the likeliest first. False behind the last.
 */
bool contexts_broad(struct contexts *contexts, unsigned round);

/* ---- contexts_dcmtk.cc: DCMTK's lists of storage classes ---- */

/* Class i of the commonest ones, and of all; NULL past the end. */
const char *contexts_common_class(size_t i);
const char *contexts_any_class(size_t i);

#endif
