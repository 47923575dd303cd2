/* path_render.c: from a template and values to a path. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <trolley/types.h>

#include "path_internal.h"

#define COMPONENT_MAX ((size_t)255) /* NAME_MAX of the file systems there are */
#define TEXT_MAX ((size_t)4096)

/* A path on its way. */
struct rendering {
    struct kit_buffer *out;
    size_t begin;                /* of the path in `out` */
    struct kit_buffer component; /* the last one, not yet in `out` */
    size_t tail;                 /* of the component that no value has part in */
    bool dotted;                 /* its first '.' comes from a value */
};

/* FNV-1a: tells apart names that are cut. */
static uint32_t name_hash(const char *text, size_t length)
{
    uint32_t hash = UINT32_C(2166136261);

    while (length-- > 0)
        hash = (hash ^ (unsigned char)*text++) * UINT32_C(16777619);
    return hash;
}

/* The largest length up to `most` that splits no character. */
static size_t cut_at(const char *text, size_t most)
{
    while (most && (text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static int put_long(struct rendering *rendering, const char *text, size_t length)
{
    size_t tail = length - rendering->tail, head;
    char hash[16];
    int r;

    if (tail > 64) tail = 0;
    (void)snprintf(hash, sizeof hash, "~%08x", name_hash(text, length));
    head = cut_at(text, COMPONENT_MAX - tail - strlen(hash));
    r = kit_buffer_append(rendering->out, text, head);
    if (r == 0) r = kit_buffer_text(rendering->out, hash);
    rendering->tail = rendering->out->length;
    if (r == 0) r = kit_buffer_append(rendering->out, text + length - tail, tail);
    return r;
}

/* Puts the component that is whole into the path. */
static int end_component(struct rendering *rendering)
{
    struct kit_buffer *component = &rendering->component;
    char *text = component->data;
    const size_t length = component->length;
    int r;

    if (length == 0) {
        r = kit_buffer_text(rendering->out, "_");
        rendering->tail = rendering->out->length;
    } else {
        if (text[0] == '.' && (rendering->dotted || length == 1)) text[0] = '_';
        if (text[0] == '.' && length == 2 && text[1] == '.') text[0] = text[1] = '_';
        if (length > COMPONENT_MAX) {
            r = put_long(rendering, text, length);
        } else {
            rendering->tail += rendering->out->length;
            r = kit_buffer_append(rendering->out, text, length);
        }
    }
    kit_buffer_reset(component);
    if (r == 0 && rendering->out->length - rendering->begin > KIT_PATH_RENDERED_MAX)
        return TROLLEY_ERR_TOO_LARGE;
    return r;
}

static int next_component(struct rendering *rendering)
{
    int r = end_component(rendering);

    rendering->tail = 0;
    rendering->dotted = false;
    return r < 0 ? r : kit_buffer_text(rendering->out, "/");
}

/* Text of the template's own: its slashes part components. */
static int add_literal(struct rendering *rendering, const char *text)
{
    int r = 0;

    while (r == 0) {
        const size_t length = strcspn(text, "/");

        r = kit_buffer_append(&rendering->component, text, length);
        if (!text[length]) return r;
        if (r == 0) r = next_component(rendering);
        text += length + 1;
    }
    return r;
}

static int add_value(struct rendering *rendering, const struct path_piece *piece, char *text)
{
    struct kit_buffer *component = &rendering->component;
    char *slash;
    int r;

    if (piece->type == PATH_DATE || piece->type == PATH_TIME) {
        r = add_literal(rendering, text);
    } else {
        while ((slash = strchr(text, '/')))
            *slash = '_';
        if (component->length == 0 && text[0] == '.') rendering->dotted = true;
        r = kit_buffer_text(component, text);
    }
    if (piece->source != PATH_WORD) rendering->tail = component->length;
    return r;
}

static int add_piece(struct rendering *rendering, const struct path_piece *piece,
                     const struct kit_path_values *values)
{
    struct kit_buffer value = {0};
    int r;

    if (piece->source == PATH_LITERAL) return add_literal(rendering, piece->text);
    r = path_value(piece, values, &value);
    if (r == 0) r = kit_buffer_append(&value, "", 0);
    if (r == 0) r = add_value(rendering, piece, value.data);
    kit_buffer_free(&value);
    return r;
}

int kit_path_render(const struct kit_path_template *path, const struct kit_path_values *values,
                    struct kit_buffer *out, size_t *ret_tail)
{
    struct rendering rendering = {.out = out, .begin = out->length};
    uint32_t i;
    int r = kit_buffer_append(&rendering.component, "", 0);

    for (i = 0; r == 0 && i < path->count; i++)
        r = add_piece(&rendering, &path->pieces[i], values);
    if (r == 0) r = end_component(&rendering);
    kit_buffer_free(&rendering.component);
    if (r < 0) {
        out->length = rendering.begin;
        if (out->data) out->data[out->length] = '\0';
        return r;
    }
    if (ret_tail) *ret_tail = rendering.tail;
    return 0;
}

int kit_path_text(const struct kit_path_template *path, const struct kit_path_values *values,
                  struct kit_buffer *out)
{
    const size_t begin = out->length;
    uint32_t i;
    int r = kit_buffer_append(out, "", 0);

    for (i = 0; r == 0 && i < path->count; i++) {
        const struct path_piece *piece = &path->pieces[i];
        const size_t at = out->length;

        r = piece->source == PATH_LITERAL ? kit_buffer_text(out, piece->text)
                                          : path_value(piece, values, out);
        if (r == 0 && at == begin && piece->source != PATH_LITERAL && out->data[at] == '-')
            out->data[at] = '_';
        if (r == 0 && out->length - begin > TEXT_MAX) r = TROLLEY_ERR_TOO_LARGE;
    }
    if (r < 0 && out->data) {
        out->length = begin;
        out->data[begin] = '\0';
    }
    return r;
}
