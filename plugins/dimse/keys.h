/* keys.h: which keys of a query go into the identifier of a C-FIND. SPDX-License-Identifier: MIT */
#ifndef DIMSE_KEYS_H
#define DIMSE_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include <trolley/query.h>

#include "association.h"

/* Levels of enum trolley_level, and the patient's above them. */
#define KEYS_LEVEL_PATIENT 0
#define KEYS_LEVELS 4

#define TAG_PATIENT_ID UINT32_C(0x00100020)

/* Stands for all values of a list of UIDs, which one C-FIND takes. */
#define KEYS_LIST UINT32_MAX

/* What the keys of one C-FIND are made from. */
struct keys_source {
    const struct trolley_query *query;
    const uint32_t *choice; /* which value of each key, or KEYS_LIST */
    bool patient_root;
};

struct keys {
    struct find_key *items;
    size_t count;
    char **joined; /* lists of UIDs */
    size_t joined_count;
    char dates[40];
};

/* The unique key of a level: its tag. */
uint32_t keys_unique(uint32_t level);

/* The unique key's value, where the query gives exactly one without wildcards; else NULL. */
const char *keys_unique_value(const struct keys_source *source, uint32_t level);

/* Does the query want anything at that level beside the unique key's single value? */
bool keys_wanted(const struct keys_source *source, uint32_t level);

/*
 * The identifier for one level below the given objects, or, in a relational query, for several.
 * @param first  the first level whose keys it holds, and level the last; the same but for a
 *               relational query
 * @param above  values of the unique keys above, by level; NULL where there is none
 * @param ret_keys  free with keys_free, after failures too. Its texts are borrowed from source and
 *                  above.
 * Errors: NOMEM.
 */
int keys_build(const struct keys_source *source, uint32_t first, uint32_t level,
               const char *const *above, struct keys *ret_keys);
void keys_free(struct keys *keys);

#endif
