/*
 * columns.h: which attributes of a study tree are shown, and their values as text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kit/buffer.h>

#include "core/trolley.h"

#define COLUMNS_MAX 4096

/* Tags in the order of their columns, each once. */
struct columns {
    uint32_t *tags;
    size_t count, capacity;
};

/* Adds a tag behind the others unless it is there. NOMEM; TOO_LARGE past COLUMNS_MAX. */
int columns_add(struct columns *columns, uint32_t tag);

/* Adds a list of keywords or tags separated by commas. INVALID_ARG names the nearest keyword. */
int columns_add_list(struct columns *columns, const char *list, struct trolley_error *error);

bool columns_has(const struct columns *columns, uint32_t tag);
void columns_free(struct columns *columns);

/*
 * The columns of a listing of `level` without a choice of the user: those that tell an object
 * apart first, then `include`, then (`everything`) all others by tag; those without any value are
 * left out.
 */
int columns_of_tree(const struct trolley_tree *tree, uint32_t level, const struct columns *include,
                    bool everything, struct columns *ret_columns);

/* The node after `node` in depth-first order, going no deeper than `level`; NULL at the end. */
const struct trolley_node *walk_next(const struct trolley_node *node, uint32_t level);

/* The first node of exactly `level` at or after `node`; the next one by walk_row(walk_next()). */
const struct trolley_node *walk_row(const struct trolley_node *node, uint32_t level);

/* Keyword, or "00091001" written to buf (at least 9 bytes) for a tag without one. */
const char *attribute_name(uint32_t tag, char *buf);

/* Appends the values of an attribute of the node or its parents, joined with '\'. */
int attribute_text(struct kit_buffer *out, const struct trolley_node *node, uint32_t tag);

/* The elements of a node and its parents by tag, the deepest of equals. Reusable. */
struct row {
    const struct trolley_element **items;
    size_t count, capacity;
};
int row_collect(struct row *row, const struct trolley_node *node);
void row_free(struct row *row);

#endif
