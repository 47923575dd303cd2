/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <kit/json.h>
#include <kit/text.h>
#include <trolley/helpers.h>

#include "core/cli/format.h"

/* Rows and texts that every object uses anew. */
struct json_writer {
    const struct format *format;
    struct output *output;
    struct kit_buffer text, safe;
    struct row row;
};

/* The code point at `text`, of `length` bytes of valid UTF-8, when its first byte begins one of
 * those that json_is_unsafe knows; else 0. */
static uint32_t json_code_point(const unsigned char *text, size_t length)
{
    if (text[0] == 0x7f) return 0x7f;
    if (text[0] == 0xc2 && length > 1) return 0x80u | (text[1] & 0x3fu);
    if (text[0] == 0xd8 && length > 1) return 0x600u | (text[1] & 0x3fu);
    if (text[0] == 0xe2 && length > 2)
        return 0x2000u | (uint32_t)(text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
    return 0;
}

/* DEL, C1 controls, and the marks that change the direction of text. */
static bool json_is_unsafe(uint32_t code)
{
    return (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

int json_safe(struct kit_buffer *out, const char *text, size_t length)
{
    size_t from = 0, i;
    int r = 0;

    for (i = 0; r == 0 && i < length; i++) {
        const unsigned char *at = (const unsigned char *)text + i;
        uint32_t code = json_code_point(at, length - i);

        if (!json_is_unsafe(code)) continue;
        r = kit_buffer_append(out, text + from, i - from);
        if (r == 0) r = kit_buffer_printf(out, "\\u%04x", (unsigned)code);
        i += code < 0x80 ? 0 : code < 0x800 ? 1 : 2;
        from = i + 1;
    }
    return r < 0 ? r : kit_buffer_append(out, text + from, length - from);
}

/* Hands what was written so far to the output. */
static int json_flush(struct json_writer *writer)
{
    int r;

    if (writer->text.length == 0) return 0;
    r = json_safe(&writer->safe, writer->text.data, writer->text.length);
    kit_buffer_reset(&writer->text);
    return r < 0 ? r : output_buffer(writer->output, &writer->safe);
}

static void json_writer_free(struct json_writer *writer)
{
    kit_buffer_free(&writer->text);
    kit_buffer_free(&writer->safe);
    row_free(&writer->row);
}

/* Writes JSON of a plugin (a sequence) as it is, without blanks and newlines; as a string when it
 * is no JSON. */
static void json_foreign(struct kit_json *json, const char *key, const char *text)
{
    cJSON *parsed = cJSON_ParseWithOpts(text, NULL, 1);
    char *copy = parsed ? strdup(text) : NULL;

    cJSON_Delete(parsed);
    if (copy) {
        cJSON_Minify(copy);
        kit_json_raw(json, key, copy);
    } else {
        kit_json_text(json, key, text);
    }
    free(copy);
}

/* Null, a text, an array of texts, or the JSON of a sequence. */
static void json_attribute(struct kit_json *json, const struct trolley_element *element)
{
    const struct trolley_span *values = &element->values;
    char buf[16];
    const char *name = attribute_name(element->tag, buf);
    uint32_t i;

    if (values->count == 0) {
        kit_json_raw(json, name, "null");
    } else if (element->flags & TROLLEY_ELEMENT_JSON) {
        json_foreign(json, name, trolley_span_text(values, 0));
    } else if (values->count == 1) {
        kit_json_text(json, name, trolley_span_text(values, 0));
    } else {
        kit_json_open(json, name, '[');
        for (i = 0; i < values->count; i++)
            kit_json_text(json, NULL, trolley_span_text(values, i));
        kit_json_close(json);
    }
}

static const struct trolley_element *row_find(const struct row *row, uint32_t tag)
{
    size_t i;

    for (i = 0; i < row->count; i++)
        if (row->items[i]->tag == tag) return row->items[i];
    return NULL;
}

/* ---- jsonl ---------------------------------------------------------------------------------- */

static int jsonl_row(struct json_writer *writer, const struct trolley_node *node)
{
    const struct columns *fields = writer->format->fields;
    struct kit_json json = {.out = &writer->text};
    int r = row_collect(&writer->row, node);
    size_t i;

    if (r < 0) return r;
    kit_json_open(&json, NULL, '{');
    for (i = 0; fields && i < fields->count; i++) {
        const struct trolley_element *element = row_find(&writer->row, fields->tags[i]);
        char buf[16];

        if (element)
            json_attribute(&json, element);
        else
            kit_json_raw(&json, attribute_name(fields->tags[i], buf), "null");
    }
    for (i = 0; !fields && i < writer->row.count; i++)
        json_attribute(&json, writer->row.items[i]);
    kit_json_close(&json);
    if (json.status == 0) json.status = kit_buffer_text(&writer->text, "\n");
    return json.status < 0 ? json.status : json_flush(writer);
}

int format_jsonl(struct format *format, struct output *output)
{
    struct json_writer writer = {.format = format, .output = output};
    const struct trolley_node *node = walk_row(trolley_tree_first(format->tree), format->level);
    int r = 0;

    for (; r == 0 && node; node = walk_row(walk_next(node, format->level), format->level))
        r = jsonl_row(&writer, node);
    json_writer_free(&writer);
    return r;
}

/* ---- json ----------------------------------------------------------------------------------- */

/* Opens the object of a node and writes its own attributes. */
static int json_node_open(struct json_writer *writer, struct kit_json *json,
                          const struct trolley_node *node)
{
    const struct columns *fields = writer->format->fields;
    const struct trolley_element *element;
    uint32_t i;

    kit_json_open(json, NULL, '{');
    for (i = 0; (element = trolley_node_element(node, i)) != NULL; i++)
        if (!fields || columns_has(fields, element->tag)) json_attribute(json, element);
    return json->status < 0 ? json->status : json_flush(writer);
}

/* Closes the objects from `node` up to where `next` goes on, or to the end. */
static void json_node_close(struct kit_json *json, const struct trolley_node *node,
                            const struct trolley_node *next)
{
    const struct trolley_node *parent = next ? trolley_node_parent(next) : NULL;

    for (; node && node != parent; node = trolley_node_parent(node)) {
        kit_json_close(json);
        if (trolley_node_parent(node) != parent) kit_json_close(json);
    }
}

int format_json(struct format *format, struct output *output)
{
    struct json_writer writer = {.format = format, .output = output};
    struct kit_json json = {.out = &writer.text};
    const struct trolley_node *node = trolley_tree_first(format->tree), *next;
    int r = 0;

    kit_json_open(&json, NULL, '[');
    for (; r == 0 && node; node = next) {
        next = walk_next(node, format->level);
        r = json_node_open(&writer, &json, node);
        if (next && trolley_node_parent(next) == node)
            kit_json_open(&json,
                          trolley_node_level(next) == TROLLEY_LEVEL_SERIES ? "series" : "instances",
                          '[');
        else
            json_node_close(&json, node, next);
    }
    kit_json_close(&json);
    if (r == 0) r = json.status;
    if (r == 0) r = kit_buffer_text(&writer.text, "\n");
    if (r == 0) r = json_flush(&writer);
    json_writer_free(&writer);
    return r;
}

/* ---- dicom-json ----------------------------------------------------------------------------- */

static int dicom_json_row(struct json_writer *writer, const struct trolley_node *node, bool first)
{
    const struct columns *fields = writer->format->fields;
    int r = row_collect(&writer->row, node);
    bool comma = false;
    size_t i;

    if (r == 0) r = kit_buffer_text(&writer->text, first ? "{" : ",\n{");
    for (i = 0; r == 0 && i < writer->row.count; i++) {
        const struct trolley_element *element = writer->row.items[i];

        if (fields && !columns_has(fields, element->tag)) continue;
        r = kit_buffer_printf(&writer->text, "%s\"%08X\":", comma ? "," : "",
                              (unsigned)element->tag);
        if (r == 0) r = dicom_json_element(&writer->text, element);
        comma = true;
    }
    if (r == 0) r = kit_buffer_text(&writer->text, "}");
    return r < 0 ? r : json_flush(writer);
}

int format_dicom_json(struct format *format, struct output *output)
{
    struct json_writer writer = {.format = format, .output = output};
    const struct trolley_node *node = walk_row(trolley_tree_first(format->tree), format->level);
    bool first = true;
    int r = output_text(output, "[");

    for (; r == 0 && node; node = walk_row(walk_next(node, format->level), format->level)) {
        r = dicom_json_row(&writer, node, first);
        first = false;
    }
    if (r == 0) r = output_text(output, "]\n");
    json_writer_free(&writer);
    return r;
}
