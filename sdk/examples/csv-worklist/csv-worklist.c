/*
 * csv-worklist.c: a searcher over a work list that a department exports as CSV. The first row names
 * the columns by DICOM keywords; each further row is a study. SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <kit/match.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "csv.h"

#define TAG_STUDY_UID UINT32_C(0x0020000d)
#define VALUES_MAX (2 * CSV_FIELDS_MAX) /* values of one row */
#define ROWS_BETWEEN_LOOKS 256          /* at the task's cancellation */

/* One column: which attribute it holds; tag 0 for one that is none. */
struct column {
    uint32_t tag;
    char vr[4];
};

struct worklist {
    const struct trolley_config *config;
    const struct trolley_dictionary_service *dictionary;
    struct column columns[CSV_FIELDS_MAX];
    uint32_t count;
    /* What can be asked for: the columns that are there. */
    struct trolley_query_param params[CSV_FIELDS_MAX];
    struct trolley_span param_span;
    struct trolley_query_type type;
    struct trolley_span types;
};

static const struct trolley_option option_table[] = {
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .flags = TROLLEY_OPTION_REQUIRED,
        .key = "path",
        .help = "the work list, UTF-8, its first row the columns' DICOM keywords",
        .metavar = "FILE",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_CHOICE,
        .key = "separator",
        .default_text = "comma",
        .choices = "comma,semicolon,tab",
        .help = "what stands between two fields",
    },
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

/* Without a file any attribute may be a column; an instance narrows this to what its file has. */
static const struct trolley_query_type type_table[] = {
    {
        .size = sizeof(struct trolley_query_type),
        .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
        .name = "worklist",
        .summary = "the columns of the list",
    },
};
static const struct trolley_span static_types = TROLLEY_SPAN(type_table);

/* ---- the file ---- */

static const char *list_path(const struct worklist *list)
{
    return list->config->text(list->config, "path");
}

static int list_fail(const struct worklist *list, struct trolley_task *task, int status,
                     uint64_t line, const char *what)
{
    return trolley_fail(task, status, "csv-worklist \"%s\": %s:%llu: %s", list->config->section,
                        list_path(list), (unsigned long long)line, what);
}

static int list_open(const struct worklist *list, struct csv *csv, struct trolley_task *task)
{
    static const char separators[] = {',', ';', '\t'};
    const int64_t choice = list->config->integer(list->config, "separator", 0);

    csv->separator = separators[choice >= 0 && choice < 3 ? choice : 0];
    csv->file = fopen(list_path(list), "re");
    if (csv->file) return 0;
    return trolley_fail(task, TROLLEY_ERR_IO, "csv-worklist \"%s\": cannot open %s: %s",
                        list->config->section, list_path(list), strerror(errno));
}

static void list_close(struct csv *csv)
{
    if (csv->file) (void)fclose(csv->file);
    csv_free(csv);
}

/* Reads the first row. Every column is looked up; one that is no keyword is carried along unread.
 */
static int list_columns(const struct worklist *list, struct csv *csv, struct column *ret_columns,
                        struct trolley_task *task)
{
    uint32_t i, k;
    int r = csv_read(csv);

    if (r < 0) return list_fail(list, task, r, csv->line, csv->problem);
    for (i = 0; r == 1 && i < csv->count; i++) {
        struct column *column = &ret_columns[i];

        memset(column, 0, sizeof *column);
        column->tag = list->dictionary->tag(csv->fields[i]);
        if (!column->tag) continue;
        memcpy(column->vr, list->dictionary->vr(column->tag), 2);
        for (k = 0; k < i; k++)
            if (ret_columns[k].tag == column->tag)
                return list_fail(list, task, TROLLEY_ERR_PROTOCOL, csv->line, "a column twice");
    }
    for (k = 0; r == 1 && k < csv->count; k++)
        if (ret_columns[k].tag == TAG_STUDY_UID) return 0;
    return list_fail(list, task, TROLLEY_ERR_PROTOCOL, 1, "no column StudyInstanceUID");
}

/* ---- lives ---- */

/* A query type of the columns: what the host checks queries against. */
static void list_make_type(struct worklist *list)
{
    uint32_t i, count = 0;

    for (i = 0; i < list->count; i++) {
        if (!list->columns[i].tag) continue;
        list->params[count++] = (struct trolley_query_param){
            .size = sizeof list->params[0],
            .type = TROLLEY_PARAM_ATTRIBUTE,
            .key = list->dictionary->keyword(list->columns[i].tag),
            .help = "a column of the list",
        };
    }
    list->param_span = (struct trolley_span){list->params, count, sizeof list->params[0]};
    list->type = type_table[0];
    list->type.flags = 0;
    list->type.params = &list->param_span;
    list->types = (struct trolley_span){&list->type, 1, sizeof list->type};
}

static void worklist_destroy(void *self)
{
    free(self);
}

static int32_t worklist_create(const struct trolley_host *host, const struct trolley_config *config,
                               void *shared, struct trolley_task *task, void **self)
{
    struct worklist *list = calloc(1, sizeof *list);
    struct csv csv = {0};
    int r;

    (void)shared;
    if (!list)
        return trolley_fail(task, TROLLEY_ERR_NOMEM, "csv-worklist \"%s\": out of memory",
                            config->section);
    list->config = config;
    list->dictionary = host->get_service(host, TROLLEY_DICTIONARY_SERVICE);
    if (list->dictionary)
        r = list_open(list, &csv, task);
    else
        r = trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host has no dictionary");
    if (r == 0) r = list_columns(list, &csv, list->columns, task);
    list->count = csv.count;
    list_close(&csv);
    if (r < 0) {
        worklist_destroy(list);
        return r;
    }
    list_make_type(list);
    *self = list;
    return TROLLEY_OK;
}

/* ---- finding ---- */

/* One row as elements; `values` is the room for their values. */
struct row {
    struct trolley_element elements[CSV_FIELDS_MAX];
    uint32_t count;
    const char *values[VALUES_MAX];
    uint32_t value_count;
};

/* Splits the field at each `\`, as DICOM does, where the VR allows several values. */
static bool row_values(struct row *row, const struct column *column, char *field,
                       struct trolley_element *element)
{
    const bool one = strchr("LSU", column->vr[0]) && column->vr[1] == 'T'; /* LT, ST, UT */
    const char **first = row->values + row->value_count;
    char *rest = field;

    while (rest) {
        if (row->value_count == VALUES_MAX) return false;
        row->values[row->value_count++] = one ? rest : strsep(&rest, "\\");
        if (one) break;
    }
    element->values.items = first;
    element->values.count = (uint32_t)(row->values + row->value_count - first);
    element->values.stride = sizeof *first;
    return true;
}

static int row_make(const struct worklist *list, const struct csv *csv, struct row *row)
{
    uint32_t i;

    row->count = row->value_count = 0;
    if (csv->count > list->count) return TROLLEY_ERR_PROTOCOL;
    for (i = 0; i < csv->count; i++) {
        const struct column *column = &list->columns[i];
        struct trolley_element *element = &row->elements[row->count];

        if (!column->tag) continue;
        memset(element, 0, sizeof *element);
        element->size = sizeof *element;
        element->tag = column->tag;
        memcpy(element->vr, column->vr, sizeof element->vr);
        if (!*csv->fields[i])
            element->flags = TROLLEY_ELEMENT_NULL;
        else if (!row_values(row, column, csv->fields[i], element))
            return TROLLEY_ERR_TOO_LARGE;
        row->count++;
    }
    return 0;
}

static bool row_matches(const struct row *row, const struct trolley_query *query)
{
    static const struct trolley_span nothing = {NULL, 0, sizeof(char *)};
    uint32_t i, k;

    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);
        const struct trolley_span *values = &nothing;

        for (k = 0; k < row->count; k++)
            if (row->elements[k].tag == key->tag) values = &row->elements[k].values;
        if (!kit_match(key->vr, &key->values, values)) return false;
    }
    return true;
}

/* Reads row after row and hands on those that match. */
static int find_rows(const struct worklist *list, struct csv *csv,
                     const struct trolley_query *query, const struct trolley_record_sink *sink,
                     struct trolley_task *task)
{
    struct row row;
    uint32_t rows;
    int r;

    for (rows = 0;; rows++) {
        struct trolley_record record = {.size = sizeof record, .level = TROLLEY_LEVEL_STUDY};

        if (rows % ROWS_BETWEEN_LOOKS == 0 && task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        r = csv_read(csv);
        if (r <= 0) return r < 0 ? list_fail(list, task, r, csv->line, csv->problem) : TROLLEY_OK;
        r = row_make(list, csv, &row);
        if (r < 0)
            return list_fail(list, task, r, csv->line,
                             r == TROLLEY_ERR_PROTOCOL ? "more fields than columns"
                                                       : "too many values");
        if (!row_matches(&row, query)) continue;
        record.elements =
            (struct trolley_span){row.elements, row.count, sizeof(struct trolley_element)};
        r = sink->record(sink->ctx, &record);
        if (r != 0) return r;
    }
}

static int32_t worklist_find(void *self, const struct trolley_query *query,
                             const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct worklist *list = self;
    struct column columns[CSV_FIELDS_MAX];
    struct csv csv = {0};
    int r = list_open(list, &csv, task);

    if (r == 0) r = list_columns(list, &csv, columns, task);
    /* The query was checked against the columns of `create`; a new export may have others. */
    if (r == 0 && (csv.count != list->count ||
                   memcmp(columns, list->columns, csv.count * sizeof columns[0]) != 0))
        r = list_fail(list, task, TROLLEY_ERR_PROTOCOL, 1, "the columns have changed; ask again");
    if (r == 0) r = find_rows(list, &csv, query, sink, task);
    list_close(&csv);
    return r;
}

static const struct trolley_span *worklist_query_types(void *self)
{
    const struct worklist *list = self;

    return &list->types;
}

/* ---- descriptor ---- */

static const struct trolley_searcher_ops ops = {
    .size = sizeof(struct trolley_searcher_ops),
    .find = worklist_find,
    .query_types = worklist_query_types,
};

static const struct trolley_component searcher = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "studies of a work list in a CSV file",
    .options = &options,
    .query_types = &static_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
    .create = worklist_create,
    .destroy = worklist_destroy,
    .ops = &ops,
};
static const struct trolley_component *const components[] = {&searcher, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "csv-worklist",
    .version = "1.0",
    .license = "MIT",
    .summary = "searcher over a work list in a CSV file",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
