/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <kit/text.h>

#include "core/cli/format.h"

int csv_cell(struct kit_buffer *out, const char *text, bool raw)
{
    /* A spreadsheet takes such a cell for a formula. */
    bool formula = !raw && *text && strchr("=+-@", *text) != NULL;
    bool quotes = strpbrk(text, ",\"\r\n") != NULL;
    int r = quotes ? kit_buffer_text(out, "\"") : 0;

    if (r == 0 && formula) r = kit_buffer_text(out, "'");
    while (r == 0 && *text) {
        size_t length = strcspn(text, "\"");

        r = kit_buffer_append(out, text, length);
        if (r == 0 && text[length]) r = kit_buffer_text(out, "\"\"");
        text += length + (text[length] == '"');
    }
    return r == 0 && quotes ? kit_buffer_text(out, "\"") : r;
}

static int csv_header(const struct columns *columns, struct kit_buffer *line)
{
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < columns->count; i++) {
        char name[16];

        if (i > 0) r = kit_buffer_text(line, ",");
        if (r == 0) r = csv_cell(line, attribute_name(columns->tags[i], name), true);
    }
    return r < 0 ? r : kit_buffer_text(line, "\r\n");
}

/* A row of the node; `value` and `shown` are scratch. */
static int csv_row(const struct format *format, const struct columns *columns,
                   const struct trolley_node *node, struct kit_buffer *value,
                   struct kit_buffer *shown, struct kit_buffer *line)
{
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < columns->count; i++) {
        const char *text;

        kit_buffer_reset(value);
        kit_buffer_reset(shown);
        if (i > 0) r = kit_buffer_text(line, ",");
        if (r == 0) r = attribute_text(value, node, columns->tags[i]);
        text = value->length ? value->data : "";
        if (r == 0 && format->terminal) {
            r = kit_text_escape(shown, text, strlen(text));
            text = shown->length ? shown->data : "";
        }
        if (r == 0) r = csv_cell(line, text, format->raw);
    }
    return r < 0 ? r : kit_buffer_text(line, "\r\n");
}

static int csv_of_columns(const struct format *format, const struct columns *columns,
                          struct output *output)
{
    const struct trolley_node *node = walk_row(trolley_tree_first(format->tree), format->level);
    struct kit_buffer value = {0}, shown = {0}, line = {0};
    int r = csv_header(columns, &line);

    if (r == 0) r = output_buffer(output, &line);
    while (r == 0 && node) {
        r = csv_row(format, columns, node, &value, &shown, &line);
        if (r == 0) r = output_buffer(output, &line);
        node = walk_row(walk_next(node, format->level), format->level);
    }
    kit_buffer_free(&value);
    kit_buffer_free(&shown);
    kit_buffer_free(&line);
    return r;
}

int format_csv(struct format *format, struct output *output)
{
    struct columns columns = {0};
    int r;

    if (format->fields) return csv_of_columns(format, format->fields, output);
    r = columns_of_tree(format->tree, format->level, format->include, true, &columns);
    if (r == 0) r = csv_of_columns(format, &columns, output);
    columns_free(&columns);
    return r;
}
