/*
 * query_builder.h: what the files of the query builder share. SPDX-License-Identifier: MIT
 */
#ifndef CORE_MODEL_QUERY_BUILDER_H
#define CORE_MODEL_QUERY_BUILDER_H

#include <stdbool.h>

#include "core/model/query.h"

#define QUERY_MAX_KEYS 1000U               /* keys, and include fields */
#define QUERY_MAX_VALUE ((size_t)64 << 10) /* bytes of one key's value as typed */
#define QUERY_MAX_DEPTH 16                 /* attributes in a path */

#define QUERY_TAG_STUDY_DATE UINT32_C(0x00080020)
#define QUERY_MIN_STUDY_DATE "min_study_date"
#define QUERY_MAX_STUDY_DATE "max_study_date"
#define QUERY_FUZZY_MATCHING "fuzzymatching"

/* Keys with texts of their own, in one array that spans can point to. */
struct query_keys {
    struct trolley_query_key *items;
    uint32_t count, capacity;
};

struct trolley_query_builder {
    uint32_t level;
    char *type; /* forced, or NULL */
    struct query_keys keys, includes;
    struct query_views *views; /* apart, so that a constant builder can hand them out */
};

/* Queries handed out by query_accept; they live until the builder changes. */
struct query_views {
    struct query_view *first;
};

#define QUERY_META_GROUP 0x0002 /* what may be returned, not asked for */

/*
 * Reads the name of a key: an attribute (keyword, tag, dotted path of either), or the name of a
 * parameter. *ret_key then owns its name and path, and has no values. Free with query_key_clear.
 */
int query_key_parse(const char *text, struct trolley_query_key *ret_key,
                    struct trolley_error *error);
void query_key_clear(struct trolley_query_key *key);

/* The same attribute or parameter? */
bool query_key_same(const struct trolley_query_key *a, const struct trolley_query_key *b);

/* How messages call a key: its path where it has one, else its name. */
const char *query_key_label(const struct trolley_query_key *key);

/*
 * Checks and splits the value of `key` and hangs it on the key. Values are one block of memory:
 * the pointers, and the texts behind them.
 */
int query_value_parse(struct trolley_query_key *key, const char *text, struct trolley_error *error);

/* One date as a parameter takes it: YYYYMMDD into out. */
int query_value_date(const char *name, const char *text, char out[9], struct trolley_error *error);

/* Hangs one value on the key as it is. */
int query_value_single(struct trolley_query_key *key, const char *text);

#endif
