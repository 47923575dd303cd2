/*
 * tree_store.h: what a study tree is made of; for tree.c, tree_store.c,
 * tree_value.c and their tests only.
 * Everything lies in one arena. Equal elements of different nodes are one element, so an attribute
 * that repeats costs one pointer. SPDX-License-Identifier: MIT
 */
#ifndef CORE_MODEL_TREE_STORE_H
#define CORE_MODEL_TREE_STORE_H

#include <stdbool.h>

#include "core/model/arena.h"
#include "core/model/hash.h"
#include "core/trolley.h"

#define TREE_CAP ((size_t)2 << 30) /* bytes; some three million instances */

struct trolley_node {
    union {
        struct trolley_node *parent; /* series, instance */
        struct trolley_tree *tree;   /* study */
    } up;
    struct trolley_node *next, *first_child, *last_child;
    const char *uid;
    const struct trolley_element **elements; /* by tag, then private creator */
    uint32_t count, capacity;                /* of elements */
    uint32_t hash, level;
};

/* Open addressing; size is 0 or a power of two, at most three quarters are used. */
struct tree_table {
    void **slots;
    size_t size, used;
};

struct trolley_tree {
    struct arena arena;
    struct hash_key key;
    struct tree_table nodes;    /* struct trolley_node: by parent and UID */
    struct tree_table elements; /* struct trolley_element: by content */
    struct trolley_node *first, *last;
    uint64_t counts[TROLLEY_LEVEL_INSTANCE + 1];
};

/* The attribute that is the UID of that level. */
uint32_t tree_uid_tag(uint32_t level);

/* The child of `parent` (NULL: the study) with that UID; NULL when absent. */
struct trolley_node *tree_node_find(const struct trolley_tree *tree,
                                    const struct trolley_node *parent, const char *uid);

/* The same, made when absent. `uid` is copied. */
int tree_node_get(struct trolley_tree *tree, struct trolley_node *parent, const char *uid,
                  struct trolley_node **ret_node);

/* A lasting copy of an element, shared with its equals. */
int tree_element_intern(struct trolley_tree *tree, const struct trolley_element *element,
                        const struct trolley_element **ret_element);

bool tree_element_same_values(const struct trolley_element *a, const struct trolley_element *b);

/* Place of an element in node->elements: where it is (*ret_found) or belongs. A NULL
 * private_creator finds the first of that tag. */
uint32_t tree_element_place(const struct trolley_node *node, uint32_t tag,
                            const char *private_creator, bool *ret_found);

/* The attribute at the node or the nearest level above that has it. */
const struct trolley_element *tree_look_up(const struct trolley_node *node, uint32_t tag);

/* Copies what fits before `end`, without cutting a UTF-8 character in two; returns where it ended.
 */
char *tree_join_copy(char *to, const char *end, const char *text, size_t length);

/* Room for `count` elements in all. */
int tree_element_reserve(struct trolley_tree *tree, struct trolley_node *node, uint32_t count);

/* Puts a lasting element at that place. */
int tree_element_insert(struct trolley_tree *tree, struct trolley_node *node, uint32_t place,
                        const struct trolley_element *element);

#endif
