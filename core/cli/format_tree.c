/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <kit/text.h>

#include "core/cli/format.h"

/* What is shown of a node when the user names no fields. */
static const char *const tree_study[] = {"StudyDate",         "PatientID",        "PatientName",
                                         "ModalitiesInStudy", "StudyDescription", NULL};
static const char *const tree_series[] = {"SeriesNumber", "Modality", "SeriesDescription", NULL};
static const char *const tree_instance[] = {"InstanceNumber", NULL};

struct tree_writer {
    const struct format *format;
    struct kit_buffer value, line;
};

/* Appends the node's own value of a tag, led by a blank; nothing when it has none. */
static int tree_value(struct tree_writer *writer, const struct trolley_node *node, uint32_t tag)
{
    int r;

    kit_buffer_reset(&writer->value);
    r = attribute_text(&writer->value, node, tag);
    if (r < 0 || writer->value.length == 0) return r;
    r = kit_buffer_text(&writer->line, "  ");
    if (r == 0) r = kit_text_escape(&writer->line, writer->value.data, writer->value.length);
    return r;
}

static bool tree_owns(const struct trolley_node *node, uint32_t tag)
{
    const struct trolley_element *element;
    uint32_t i;

    for (i = 0; (element = trolley_node_element(node, i)) != NULL; i++)
        if (element->tag == tag) return true;
    return false;
}

static int tree_values(struct tree_writer *writer, const struct trolley_node *node)
{
    const struct columns *fields = writer->format->fields;
    uint32_t level = trolley_node_level(node);
    const char *const *keyword = level == TROLLEY_LEVEL_STUDY    ? tree_study
                                 : level == TROLLEY_LEVEL_SERIES ? tree_series
                                                                 : tree_instance;
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && fields && i < fields->count; i++)
        if (tree_owns(node, fields->tags[i])) r = tree_value(writer, node, fields->tags[i]);
    for (; r == 0 && !fields && *keyword; keyword++)
        r = tree_value(writer, node, trolley_tag(*keyword));
    return r;
}

/* The lines that lead from the parents down to a node. */
static int tree_branches(struct kit_buffer *line, const struct trolley_node *node)
{
    const struct trolley_node *parent = trolley_node_parent(node), *above;
    int r = 0;

    if (!parent) return 0;
    above = trolley_node_parent(parent);
    if (above) r = kit_buffer_text(line, trolley_node_next(parent) ? "│  " : "   ");
    if (r == 0) r = kit_buffer_text(line, trolley_node_next(node) ? "├─ " : "└─ ");
    return r;
}

static int tree_node(struct tree_writer *writer, const struct trolley_node *node)
{
    int r = tree_branches(&writer->line, node);

    if (r == 0) r = kit_buffer_text(&writer->line, trolley_node_uid(node));
    if (r == 0) r = tree_values(writer, node);
    return r < 0 ? r : kit_buffer_text(&writer->line, "\n");
}

int format_tree(struct format *format, struct output *output)
{
    struct tree_writer writer = {.format = format};
    const struct trolley_node *node = trolley_tree_first(format->tree);
    int r = 0;

    for (; r == 0 && node; node = walk_next(node, format->level)) {
        r = tree_node(&writer, node);
        if (r == 0) r = output_buffer(output, &writer.line);
    }
    kit_buffer_free(&writer.value);
    kit_buffer_free(&writer.line);
    return r;
}
