/* SPDX-License-Identifier: MIT */
#include "core/cli/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include "core/cli/message.h"

/* What tells objects apart, by the level from which on it is shown. */
static const struct {
    uint32_t level;
    const char *keyword;
} columns_telling[] = {
    {TROLLEY_LEVEL_STUDY, "PatientID"},
    {TROLLEY_LEVEL_STUDY, "PatientName"},
    {TROLLEY_LEVEL_STUDY, "StudyDate"},
    {TROLLEY_LEVEL_STUDY, "ModalitiesInStudy"},
    {TROLLEY_LEVEL_STUDY, "StudyDescription"},
    {TROLLEY_LEVEL_STUDY, "AccessionNumber"},
    {TROLLEY_LEVEL_STUDY, "NumberOfStudyRelatedInstances"},
    {TROLLEY_LEVEL_SERIES, "Modality"},
    {TROLLEY_LEVEL_SERIES, "SeriesNumber"},
    {TROLLEY_LEVEL_SERIES, "SeriesDescription"},
    {TROLLEY_LEVEL_SERIES, "NumberOfSeriesRelatedInstances"},
    {TROLLEY_LEVEL_INSTANCE, "InstanceNumber"},
    {TROLLEY_LEVEL_STUDY, "StudyInstanceUID"},
    {TROLLEY_LEVEL_SERIES, "SeriesInstanceUID"},
    {TROLLEY_LEVEL_INSTANCE, "SOPInstanceUID"},
};

static int columns_insert(struct columns *columns, size_t at, uint32_t tag)
{
    if (columns->count == COLUMNS_MAX) return TROLLEY_ERR_TOO_LARGE;
    if (columns->count == columns->capacity) {
        size_t capacity = columns->capacity ? columns->capacity * 2 : 32;
        uint32_t *tags = realloc(columns->tags, capacity * sizeof *tags);

        if (!tags) return TROLLEY_ERR_NOMEM;
        columns->tags = tags;
        columns->capacity = capacity;
    }
    memmove(columns->tags + at + 1, columns->tags + at,
            (columns->count - at) * sizeof *columns->tags);
    columns->tags[at] = tag;
    columns->count++;
    return 0;
}

bool columns_has(const struct columns *columns, uint32_t tag)
{
    size_t i;

    for (i = 0; i < columns->count; i++)
        if (columns->tags[i] == tag) return true;
    return false;
}

int columns_add(struct columns *columns, uint32_t tag)
{
    return columns_has(columns, tag) ? 0 : columns_insert(columns, columns->count, tag);
}

int columns_add_list(struct columns *columns, const char *list, struct trolley_error *error)
{
    int r = 0;

    while (r == 0 && *list) {
        size_t length = strcspn(list, ",");
        char word[128];
        uint32_t tag;

        (void)snprintf(word, sizeof word, "%.*s", (int)(length < 127 ? length : 127), list);
        r = trolley_parse_attribute(word, &tag, error);
        if (r < 0) return r;
        r = columns_add(columns, tag);
        if (r < 0) return cli_fail_kit(error, r, "list of attributes");
        list += length + (list[length] == ',');
    }
    return r;
}

void columns_free(struct columns *columns)
{
    if (!columns) return;
    free(columns->tags);
    *columns = (struct columns){0};
}

/* Adds a tag to a set that is kept in order. */
static int columns_add_sorted(struct columns *set, uint32_t tag)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->tags[middle] == tag) return 0;
        if (set->tags[middle] < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return columns_insert(set, low, tag);
}

static bool element_has_value(const struct trolley_element *element)
{
    uint32_t i;

    for (i = 0; i < element->values.count; i++) {
        const char *text = trolley_span_text(&element->values, i);

        if (text && *text) return true;
    }
    return false;
}

/* The tags that have a value anywhere in the tree, in order. */
static int columns_valued(const struct trolley_tree *tree, uint32_t level, struct columns *set)
{
    const struct trolley_node *node;
    const struct trolley_element *element;
    uint32_t i;
    int r = 0;

    for (node = trolley_tree_first(tree); r == 0 && node; node = walk_next(node, level))
        for (i = 0; r == 0 && (element = trolley_node_element(node, i)) != NULL; i++)
            if (element_has_value(element)) r = columns_add_sorted(set, element->tag);
    return r;
}

int columns_of_tree(const struct trolley_tree *tree, uint32_t level, const struct columns *include,
                    bool everything, struct columns *ret_columns)
{
    struct columns columns = {0}, valued = {0};
    size_t i;
    int r = columns_valued(tree, level, &valued);

    for (i = 0; r == 0 && i < sizeof columns_telling / sizeof columns_telling[0]; i++) {
        uint32_t tag = trolley_tag(columns_telling[i].keyword);

        if (columns_telling[i].level <= level && columns_has(&valued, tag))
            r = columns_add(&columns, tag);
    }
    for (i = 0; r == 0 && include && i < include->count; i++)
        if (columns_has(&valued, include->tags[i])) r = columns_add(&columns, include->tags[i]);
    for (i = 0; r == 0 && everything && i < valued.count; i++)
        r = columns_add(&columns, valued.tags[i]);
    columns_free(&valued);
    if (r < 0) {
        columns_free(&columns);
        return r;
    }
    *ret_columns = columns;
    return 0;
}

const struct trolley_node *walk_next(const struct trolley_node *node, uint32_t level)
{
    const struct trolley_node *child =
        trolley_node_level(node) < level ? trolley_node_first_child(node) : NULL;

    if (child) return child;
    while (node && !trolley_node_next(node))
        node = trolley_node_parent(node);
    return node ? trolley_node_next(node) : NULL;
}

const struct trolley_node *walk_row(const struct trolley_node *node, uint32_t level)
{
    while (node && trolley_node_level(node) != level)
        node = walk_next(node, level);
    return node;
}

const char *attribute_name(uint32_t tag, char *buf)
{
    const char *keyword = trolley_keyword(tag);

    if (keyword) return keyword;
    (void)snprintf(buf, 9, "%08X", (unsigned)tag);
    return buf;
}

int attribute_text(struct kit_buffer *out, const struct trolley_node *node, uint32_t tag)
{
    const char *text;
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && (text = trolley_node_text(node, tag, i)) != NULL; i++) {
        if (i > 0) r = kit_buffer_text(out, "\\");
        if (r == 0) r = kit_buffer_text(out, text);
    }
    return r;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static int row_add(struct row *row, const struct trolley_element *element)
{
    if (row->count == row->capacity) {
        size_t capacity = row->capacity ? row->capacity * 2 : 64;
        const struct trolley_element **items;

        if (capacity > COLUMNS_MAX * 4) return TROLLEY_ERR_TOO_LARGE;
        items = realloc(row->items, capacity * sizeof *items);
        if (!items) return TROLLEY_ERR_NOMEM;
        row->items = items;
        row->capacity = capacity;
    }
    row->items[row->count++] = element;
    return 0;
}

/* Merges the elements of `node` into the row; what the row has of the same tag stays. */
static int row_merge(struct row *row, const struct trolley_node *node)
{
    const struct trolley_element *element;
    size_t at = 0, had = row->count;
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && (element = trolley_node_element(node, i)) != NULL; i++) {
        while (at < had && row->items[at]->tag < element->tag)
            at++;
        if (at < had && row->items[at]->tag == element->tag) continue;
        r = row_add(row, element);
        if (r < 0) break;
        memmove(row->items + at + 1, row->items + at, (row->count - 1 - at) * sizeof row->items[0]);
        row->items[at] = element;
        had++;
    }
    return r;
}

int row_collect(struct row *row, const struct trolley_node *node)
{
    int r = 0;

    row->count = 0;
    for (; r == 0 && node; node = trolley_node_parent(node))
        r = row_merge(row, node);
    return r;
}

void row_free(struct row *row)
{
    free(row->items);
    *row = (struct row){0};
}
