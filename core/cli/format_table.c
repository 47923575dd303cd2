/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <kit/text.h>

#include "core/cli/format.h"
#include "core/cli/table.h"

/* Two reusable buffers: a value as it came, and as it may be shown. */
struct cell {
    struct kit_buffer value, shown;
};

static int cell_read(struct cell *cell, const struct trolley_node *node, uint32_t tag)
{
    int r;

    kit_buffer_reset(&cell->value);
    kit_buffer_reset(&cell->shown);
    r = attribute_text(&cell->value, node, tag);
    if (r == 0)
        r = kit_text_escape(&cell->shown, cell->value.length ? cell->value.data : "",
                            cell->value.length);
    if (r == 0) r = kit_buffer_text(&cell->shown, "");
    return r;
}

static int table_measure_rows(const struct format *format, const struct columns *columns,
                              struct table *table, struct cell *cell)
{
    const struct trolley_node *node = walk_row(trolley_tree_first(format->tree), format->level);
    size_t i;
    int r = 0;

    while (r == 0 && node) {
        for (i = 0; r == 0 && i < columns->count; i++) {
            r = cell_read(cell, node, columns->tags[i]);
            if (r == 0) table_measure(table, i, cell->shown.data);
        }
        node = walk_row(walk_next(node, format->level), format->level);
    }
    return r;
}

static int table_print_rows(const struct format *format, const struct columns *columns,
                            const struct table *table, struct cell *cell, struct output *output)
{
    const struct trolley_node *node = walk_row(trolley_tree_first(format->tree), format->level);
    struct kit_buffer line = {0};
    size_t i;
    int r = table_headers(table, &line);

    if (r == 0) r = output_buffer(output, &line);
    while (r == 0 && node) {
        for (i = 0; r == 0 && i < table->shown; i++) {
            r = cell_read(cell, node, columns->tags[i]);
            if (r == 0) r = table_cell(table, i, cell->shown.data, &line);
        }
        if (r == 0) r = output_buffer(output, &line);
        node = walk_row(walk_next(node, format->level), format->level);
    }
    kit_buffer_free(&line);
    return r;
}

static int table_of_columns(struct format *format, const struct columns *columns,
                            struct output *output)
{
    const char **headers = calloc(columns->count + 1, sizeof *headers);
    char(*names)[16] = calloc(columns->count + 1, sizeof *names);
    struct table table = {0};
    struct cell cell = {0};
    size_t i;
    int r = TROLLEY_ERR_NOMEM;

    if (!headers || !names) goto out;
    for (i = 0; i < columns->count; i++)
        headers[i] = attribute_name(columns->tags[i], names[i]);
    r = table_init(&table, headers, columns->count);
    if (r == 0) r = table_measure_rows(format, columns, &table, &cell);
    if (r < 0) goto out;
    table.bold = format->bold;
    table_layout(&table, format->width, !format->fields);
    format->hidden = table.count - table.shown;
    r = table_print_rows(format, columns, &table, &cell, output);
out:
    table_free(&table);
    kit_buffer_free(&cell.value);
    kit_buffer_free(&cell.shown);
    free(names);
    free(headers);
    return r;
}

int format_table(struct format *format, struct output *output)
{
    struct columns columns = {0};
    int r;

    if (format->fields) return table_of_columns(format, format->fields, output);
    r = columns_of_tree(format->tree, format->level, format->include, false, &columns);
    if (r == 0) r = table_of_columns(format, &columns, output);
    columns_free(&columns);
    return r;
}
