/*
 * table.h: laying out columns of text on a terminal.
 *
 * Rows are given twice: once to measure, once to print. Nothing of them is kept, so a table of a
 * million rows takes no more memory than one of ten. Texts must be escaped (kit_text_escape).
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <kit/buffer.h>

struct table_column {
    const char *header; /* borrowed */
    size_t cells;       /* columns of its widest cell */
    size_t width;       /* what it gets */
};

struct table {
    struct table_column *columns;
    size_t count;
    size_t shown; /* columns that fit; those behind are left out */
    bool bold;    /* headers */
};

/* Appends `text` cut to `width` columns, the last of them "…" when something is cut off, padded
 * with blanks to `width` when `pad`. */
int text_fit(struct kit_buffer *out, const char *text, size_t width, bool pad);

/* A table with these headers, none measured yet. Returns NOMEM. Free with table_free. */
int table_init(struct table *table, const char *const *headers, size_t count);
void table_free(struct table *table);

void table_measure(struct table *table, size_t column, const char *text);

/*
 * Fits the measured columns into `width` terminal columns (0: no bound). Where they do not fit,
 * headers give way first, then the widest columns; when even narrow ones do not fit and `drop`, the
 * last ones are left out (table->shown).
 */
void table_layout(struct table *table, size_t width, bool drop);

/* Appends the line of headers. */
int table_headers(const struct table *table, struct kit_buffer *out);

/* Appends one cell with what separates it from the next, and after the last shown one a newline.
 * Columns must come in order, from 0; those not shown append nothing. */
int table_cell(const struct table *table, size_t column, const char *text, struct kit_buffer *out);

#endif
