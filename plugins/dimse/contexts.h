/* contexts.h: which presentation contexts a C-GET offers. SPDX-License-Identifier: MIT */
#ifndef DIMSE_CONTEXTS_H
#define DIMSE_CONTEXTS_H

#include <kit/uid.h>

#include "association.h"

/* Classes that one association can offer with twenty transfer syntaxes each. */
#define CONTEXTS_CLASSES 6

struct contexts {
    struct dimse_context items[DIMSE_CONTEXTS_MAX];
    size_t count;
    char classes[CONTEXTS_CLASSES][KIT_UID_MAX + 1]; /* that are known to be asked for */
    size_t class_count;
    char first_syntax[KIT_UID_MAX + 1]; /* offered before all others; "" for none */
    unsigned round;                     /* of contexts_exact or contexts_broad */
};

/* Are all of these classes among those that are known? */
bool contexts_cover(const struct contexts *contexts, const char *const *classes, size_t count);

/*
 * One context for each of `classes` (CONTEXTS_CLASSES at most) and each transfer syntax, so that no
 * peer has to choose and what is stored comes untouched. Up to three classes take one round; more
 * take several, an association each, the likeliest syntaxes first. False behind the last. What room
 * is left goes to other classes.
 * @param syntax  as the instances are stored, where it is known, else NULL
 */
bool contexts_exact(struct contexts *contexts, const char *const *classes, size_t count,
                    const char *syntax, unsigned round);

/* For unknown classes: rounds of an association each, the likeliest first. False behind the last.
 */
bool contexts_broad(struct contexts *contexts, unsigned round);

/* ---- contexts_dcmtk.cc: DCMTK's lists of storage classes ---- */

/* Class i of the commonest ones, and of all; NULL past the end. */
const char *contexts_common_class(size_t i);
const char *contexts_any_class(size_t i);

#endif
