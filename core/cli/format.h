/*
 * format.h: a study tree as text.
 *
 * Every format writes one object at a time, so memory does not grow with the tree. Text that comes
 * from servers is made safe for a terminal: escaped in table and tree (and in csv on a terminal),
 * \uXXXX in JSON.
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cli/columns.h"
#include "core/cli/output.h"
#include "core/trolley.h"

struct format {
    const struct trolley_tree *tree;
    uint32_t level;                /* of the rows */
    const struct columns *fields;  /* exactly these; NULL: what the format shows by itself */
    const struct columns *include; /* attributes asked for, shown in tables too; may be NULL */
    bool raw;                      /* csv: no quoting against spreadsheets */
    bool terminal;                 /* the output is one */
    bool bold;                     /* headers */
    unsigned width;                /* of the terminal in columns, 0 for no bound */
    size_t hidden;                 /* set by the table: columns that did not fit */
};

/* Return 0 or a negative enum trolley_status: NOMEM, TOO_LARGE (a value over the buffer's cap), IO
 * (see struct output). */

/* Columns, one row an object of the level, upper levels' values repeated. */
int format_table(struct format *format, struct output *output);
/* One line an object, indented by level. */
int format_tree(struct format *format, struct output *output);
/* RFC 4180, with a header row. Cells that begin with = + - @ get a leading ' unless raw. */
int format_csv(struct format *format, struct output *output);
/* The tree: an array of studies with "series" and "instances", attributes by keyword. */
int format_json(struct format *format, struct output *output);
/* One flat object a line, as the rows of a table. */
int format_jsonl(struct format *format, struct output *output);
/* An array of data sets [PS3.18 Annex F], as the rows of a table. */
int format_dicom_json(struct format *format, struct output *output);

/* Appends one cell of csv. */
int csv_cell(struct kit_buffer *out, const char *text, bool raw);

/* Makes JSON text safe for a terminal: DEL, C1 controls and directional marks become \uXXXX. */
int json_safe(struct kit_buffer *out, const char *text, size_t length);

/* Appends an element's value of dicom-json: {"vr":...}. */
int dicom_json_element(struct kit_buffer *out, const struct trolley_element *element);

#endif
