/* SPDX-License-Identifier: MIT */
#include "core/cli/table.h"

#include <stdlib.h>
#include <string.h>

#include <trolley/types.h>

#include "core/cli/width.h"

#define TABLE_GAP 2    /* blanks between columns */
#define TABLE_NARROW 8 /* no column is made narrower than this */
#define ELLIPSIS "\xe2\x80\xa6"

/* Bytes of the longest beginning of `text` that takes at most `width` columns. */
static size_t text_prefix(const char *text, size_t width, size_t *ret_columns)
{
    size_t length = 0, columns = 0;

    while (text[length]) {
        size_t wide, bytes = width_character(text + length, &wide);

        if (columns + wide > width) break;
        columns += wide;
        length += bytes;
    }
    *ret_columns = columns;
    return length;
}

int text_fit(struct kit_buffer *out, const char *text, size_t width, bool pad)
{
    size_t columns, length = text_prefix(text, width, &columns);
    int r;

    if (text[length] && width > 0) {
        length = text_prefix(text, width - 1, &columns);
        r = kit_buffer_append(out, text, length);
        if (r == 0) r = kit_buffer_text(out, ELLIPSIS);
        columns++;
    } else {
        r = kit_buffer_append(out, text, length);
    }
    for (; r == 0 && pad && columns < width; columns++)
        r = kit_buffer_text(out, " ");
    return r;
}

int table_init(struct table *table, const char *const *headers, size_t count)
{
    size_t i;

    *table = (struct table){.count = count, .shown = count};
    table->columns = calloc(count + 1, sizeof *table->columns);
    if (!table->columns) return TROLLEY_ERR_NOMEM;
    for (i = 0; i < count; i++) {
        table->columns[i].header = headers[i];
    }
    return 0;
}

void table_free(struct table *table)
{
    free(table->columns);
    *table = (struct table){0};
}

void table_measure(struct table *table, size_t column, const char *text)
{
    size_t width = width_text(text);

    if (width > table->columns[column].cells) table->columns[column].cells = width;
}

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What a column wants: room for its cells and its header, the latter at most `header` wide. */
static size_t table_wish(const struct table_column *column, size_t header)
{
    size_t width = lesser(width_text(column->header), header);

    return column->cells > width ? column->cells : width;
}

/* Columns that the first `count` take when none is wider than `bound`. */
static size_t table_total(const struct table *table, size_t count, size_t bound)
{
    size_t i, total = 0;

    for (i = 0; i < count; i++)
        total += lesser(table->columns[i].width, bound) + (i > 0 ? TABLE_GAP : 0);
    return total;
}

/* The widest bound of columns under which the shown ones fit into `width`. */
static size_t table_bound(const struct table *table, size_t width)
{
    size_t low = TABLE_NARROW, high = width > low ? width : low;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;

        if (table_total(table, table->shown, middle) <= width)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static void table_wish_all(struct table *table, size_t header)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        table->columns[i].width = table_wish(&table->columns[i], header);
}

void table_layout(struct table *table, size_t width, bool drop)
{
    size_t i, bound, room;

    table->shown = table->count;
    table_wish_all(table, SIZE_MAX);
    if (width == 0 || table_total(table, table->count, SIZE_MAX) <= width) return;
    table_wish_all(table, TABLE_NARROW);
    while (drop && table->shown > 1 && table_total(table, table->shown, TABLE_NARROW) > width)
        table->shown--;
    bound = table_bound(table, width);
    room = table_total(table, table->shown, bound);
    room = room < width ? width - room : 0;
    /* What is left over goes to the first columns that want it. */
    for (i = 0; i < table->shown; i++) {
        struct table_column *column = &table->columns[i];
        size_t wish = table_wish(column, SIZE_MAX), take;

        column->width = lesser(column->width, bound);
        take = lesser(wish - column->width, room);
        column->width += take;
        room -= take;
    }
}

int table_headers(const struct table *table, struct kit_buffer *out)
{
    size_t i;
    int r = table->bold ? kit_buffer_text(out, "\033[1m") : 0;

    for (i = 0; r == 0 && i < table->shown; i++) {
        bool last = i + 1 == table->shown;

        r = text_fit(out, table->columns[i].header, table->columns[i].width, !last);
        if (r == 0 && !last) r = kit_buffer_printf(out, "%*s", TABLE_GAP, "");
    }
    if (r == 0 && table->bold) r = kit_buffer_text(out, "\033[0m");
    return r < 0 ? r : kit_buffer_text(out, "\n");
}

int table_cell(const struct table *table, size_t column, const char *text, struct kit_buffer *out)
{
    bool last = column + 1 == table->shown;
    int r;

    if (column >= table->shown) return 0;
    r = text_fit(out, text, table->columns[column].width, !last);
    if (r == 0)
        r = last ? kit_buffer_text(out, "\n") : kit_buffer_printf(out, "%*s", TABLE_GAP, "");
    return r;
}
