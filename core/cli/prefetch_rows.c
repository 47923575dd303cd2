/* prefetch_rows.c: tasks as a table, csv or JSON, one at a time. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kit/text.h>

#include "core/cli/format.h"
#include "core/cli/message.h"
#include "core/cli/prefetch.h"
#include "core/cli/table.h"

#define ROW_TABLE 9 /* columns of the table: the first ones */

static const char *const row_names[] = {
    "id",      "status",    "exporter",   "study",       "series",  "instance",
    "due",     "retries",   "message",    "batch",       "created", "changed",
    "started", "ended",     "requested",  "succeeded",   "failed",  "not_found",
    "bytes",   "cache_hit", "cache_miss", "cache_bypass"};
#define ROW_CELLS (sizeof row_names / sizeof row_names[0])

/* The cells of a task; numbers and times in `own`. */
struct row_cells {
    const char *cells[ROW_CELLS];
    bool number[ROW_CELLS];
    char own[ROW_CELLS][32];
};

static void cell_number(struct row_cells *row, size_t i, uint64_t number)
{
    (void)snprintf(row->own[i], sizeof row->own[i], "%" PRIu64, number);
    row->cells[i] = row->own[i];
    row->number[i] = true;
}

static void cell_time(struct row_cells *row, size_t i, int64_t ms, bool local)
{
    prefetch_time_text(ms, local, row->own[i]);
    row->cells[i] = row->own[i];
}

static void row_fill(struct row_cells *row, const struct trolley_prefetch_task *task, bool local)
{
    const uint64_t numbers[] = {task->requested,  task->succeeded,   task->failed,
                                task->not_found,  task->bytes,       task->cache_hit,
                                task->cache_miss, task->cache_bypass};
    const char *name = trolley_prefetch_state_name(task->state);
    size_t i;

    memset(row, 0, sizeof *row);
    cell_number(row, 0, (uint64_t)task->id);
    row->cells[1] = name ? name : "";
    row->cells[2] = task->exporter;
    row->cells[3] = task->study;
    row->cells[4] = task->series;
    row->cells[5] = task->instance;
    cell_time(row, 6, task->due_ms, local);
    cell_number(row, 7, task->retries);
    row->cells[8] = task->message;
    row->cells[9] = task->batch;
    cell_time(row, 10, task->created_ms, local);
    cell_time(row, 11, task->changed_ms, local);
    cell_time(row, 12, task->started_ms, local);
    cell_time(row, 13, task->ended_ms, local);
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cell_number(row, 14 + i, numbers[i]);
    for (i = 0; i < ROW_CELLS; i++)
        if (!row->cells[i]) row->cells[i] = "";
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static int json_text(struct kit_buffer *line, const char *text)
{
    struct kit_buffer quoted = {0};
    const char *p;
    int r = kit_buffer_text(&quoted, "\"");

    for (p = text; r == 0 && *p; p++) {
        if (*p == '"' || *p == '\\')
            r = kit_buffer_printf(&quoted, "\\%c", *p);
        else if ((unsigned char)*p < 0x20)
            r = kit_buffer_printf(&quoted, "\\u%04x", (unsigned)*p);
        else
            r = kit_buffer_append(&quoted, p, 1);
    }
    if (r == 0) r = kit_buffer_text(&quoted, "\"");
    if (r == 0) r = json_safe(line, quoted.data, quoted.length);
    kit_buffer_free(&quoted);
    return r;
}

static int row_json(struct kit_buffer *line, const struct row_cells *row)
{
    size_t i;
    int r = kit_buffer_text(line, "{");

    for (i = 0; r == 0 && i < ROW_CELLS; i++) {
        r = kit_buffer_printf(line, "%s\"%s\":", i ? "," : "", row_names[i]);
        if (r == 0 && row->number[i])
            r = kit_buffer_text(line, row->cells[i]);
        else if (r == 0 && !row->cells[i][0])
            r = kit_buffer_text(line, "null");
        else if (r == 0)
            r = json_text(line, row->cells[i]);
    }
    return r < 0 ? r : kit_buffer_text(line, "}");
}

static int row_csv(struct kit_buffer *line, const struct row_cells *row)
{
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < ROW_CELLS; i++) {
        if (i) r = kit_buffer_text(line, ",");
        if (r == 0) r = csv_cell(line, row->cells[i], false);
    }
    return r < 0 ? r : kit_buffer_text(line, "\r\n");
}

/* ---- a list --------------------------------------------------------------------------------- */

struct rows {
    struct cli *cli;
    enum { ROWS_TABLE, ROWS_CSV, ROWS_JSON } form;
    struct table table;
    bool measuring;
    uint64_t count;
    struct kit_buffer line;
};

static int rows_table(struct rows *rows, const struct row_cells *row)
{
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < ROW_TABLE; i++) {
        if (rows->measuring)
            table_measure(&rows->table, i, row->cells[i]);
        else
            r = table_cell(&rows->table, i, row->cells[i], &rows->line);
    }
    return r;
}

static int rows_each(void *ctx, const struct trolley_prefetch_task *task)
{
    struct rows *rows = ctx;
    struct row_cells row;
    int r = 0;

    row_fill(&row, task, rows->form == ROWS_TABLE);
    if (rows->form == ROWS_TABLE)
        r = rows_table(rows, &row);
    else if (rows->form == ROWS_CSV)
        r = row_csv(&rows->line, &row);
    else {
        r = kit_buffer_text(&rows->line, rows->count ? ",\n" : "\n");
        if (r == 0) r = row_json(&rows->line, &row);
    }
    rows->count++;
    if (r == 0) r = output_buffer(&rows->cli->output, &rows->line);
    return r;
}

static int rows_begin(struct rows *rows, struct trolley_prefetch *prefetch,
                      const struct trolley_prefetch_filter *filter, struct trolley_error *error)
{
    size_t i;
    int r = 0;

    if (rows->form == ROWS_JSON) return kit_buffer_text(&rows->line, "[");
    if (rows->form == ROWS_CSV) {
        for (i = 0; r == 0 && i < ROW_CELLS; i++)
            r = kit_buffer_printf(&rows->line, "%s%s", i ? "," : "", row_names[i]);
        return r < 0 ? r : kit_buffer_text(&rows->line, "\r\n");
    }
    r = table_init(&rows->table, row_names, ROW_TABLE);
    rows->measuring = true;
    if (r == 0) r = trolley_prefetch_tasks(prefetch, filter, rows_each, rows, error);
    rows->measuring = false;
    table_layout(&rows->table, isatty(STDOUT_FILENO) ? console_width(STDOUT_FILENO, 0) : 0, false);
    return r < 0 ? r : table_headers(&rows->table, &rows->line);
}

int prefetch_rows(struct cli *cli, struct trolley_prefetch *prefetch,
                  const struct trolley_prefetch_filter *filter, struct trolley_error *error)
{
    const char *format = options_value(&cli->args, OPTION_FORMAT);
    struct rows rows = {.cli = cli};
    int r;

    if (format && strcmp(format, "csv") == 0)
        rows.form = ROWS_CSV;
    else if (format && strcmp(format, "json") == 0)
        rows.form = ROWS_JSON;
    else if (format && strcmp(format, "table") != 0)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "--format %s: prefetch tasks knows table, csv and json", format);
    r = rows_begin(&rows, prefetch, filter, error);
    rows.count = 0;
    if (r == 0) r = output_buffer(&cli->output, &rows.line);
    if (r == 0) r = trolley_prefetch_tasks(prefetch, filter, rows_each, &rows, error);
    if (r == 0 && rows.form == ROWS_JSON)
        r = output_text(&cli->output, rows.count ? "\n]\n" : "]\n");
    table_free(&rows.table);
    kit_buffer_free(&rows.line);
    /* What went wrong with standard output is told at the end. */
    return r < 0 && !cli->output.failed ? r : 0;
}

/* ---- one task, and numbers ------------------------------------------------------------------ */

int prefetch_row_show(struct cli *cli, const struct trolley_prefetch_task *task)
{
    const char *format = options_value(&cli->args, OPTION_FORMAT);
    struct kit_buffer line = {0};
    struct row_cells row;
    size_t i;
    int r = 0;

    row_fill(&row, task, !format || strcmp(format, "table") == 0);
    if (format && strcmp(format, "json") == 0) {
        r = row_json(&line, &row);
        if (r == 0) r = kit_buffer_text(&line, "\n");
    } else {
        for (i = 0; r == 0 && i < ROW_CELLS; i++)
            if (row.cells[i][0])
                r = kit_buffer_printf(&line, "%-14s%s\n", row_names[i], row.cells[i]);
    }
    if (r == 0) r = output_buffer(&cli->output, &line);
    kit_buffer_free(&line);
    return r;
}

int prefetch_counts(struct cli *cli, const uint64_t counts[8])
{
    const char *format = options_value(&cli->args, OPTION_FORMAT);
    bool json = format && strcmp(format, "json") == 0, csv = format && strcmp(format, "csv") == 0;
    uint32_t state;
    int r = json  ? output_text(&cli->output, "{")
            : csv ? output_text(&cli->output, "status,count\r\n")
                  : 0;

    for (state = TROLLEY_PREFETCH_SCHEDULED; r == 0 && state <= TROLLEY_PREFETCH_RETRY; state++) {
        const char *name = trolley_prefetch_state_name(state);

        if (json)
            r = output_printf(&cli->output, "%s\"%s\":%" PRIu64, state > 1 ? "," : "", name,
                              counts[state]);
        else if (csv)
            r = output_printf(&cli->output, "%s,%" PRIu64 "\r\n", name, counts[state]);
        else
            r = output_printf(&cli->output, "%-20s %" PRIu64 "\n", name, counts[state]);
    }
    return r == 0 && json ? output_text(&cli->output, "}\n") : r;
}
