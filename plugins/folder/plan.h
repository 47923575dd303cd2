/* plan.h: a query sorted by where its attributes come from: the index, what is computed from it, or
 * the files. SPDX-License-Identifier: MIT */
#ifndef FOLDER_PLAN_H
#define FOLDER_PLAN_H

#include <trolley/searcher.h>

#include "folder_dcmtk.h"

#define PLAN_MAX 256 /* keys, and attributes read from files, at most */

enum plan_source { PLAN_COLUMN, PLAN_COMPUTED, PLAN_FILE };

struct plan_key {
    enum plan_source source;
    uint32_t tag;
    int column;   /* PLAN_COLUMN */
    size_t which; /* PLAN_FILE: in plan.wanted */
    const char *vr;
    struct trolley_span values;
};

struct plan {
    uint32_t level;
    const struct trolley_query *query;
    struct plan_key keys[PLAN_MAX]; /* those that select */
    size_t key_count;
    /* Attributes read from files: those of keys first, then those that are only returned. */
    struct folder_wanted wanted[PLAN_MAX];
    size_t wanted_count, wanted_by_keys;
    char dates[24]; /* the range of min_study_date and max_study_date */
    const char *dates_value;
};

/*
 * Sorts a query. The plan borrows from it and must not be moved.
 * Errors: TROLLEY_ERR_UNSUPPORTED_PARAM for a key that cannot be honoured, said to `task`.
 */
int plan_make(struct plan *plan, const struct trolley_query *query, const char *section,
              struct trolley_task *task);

/* The tag under which the index keeps an attribute: Available Transfer Syntax UID is the files' own
 * Transfer Syntax UID. */
uint32_t plan_stored_tag(uint32_t tag);

#endif
