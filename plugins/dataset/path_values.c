/* SPDX-License-Identifier: MIT */
#include "path_values.h"

#include <kit/text.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "charset_dcmtk.h"

#define SPECIFIC_CHARACTER_SET 0x00080005

/* ---- templates ---- */

static const struct trolley_dictionary_service *dictionary(const struct trolley_host *host)
{
    return host && host->get_service ? host->get_service(host, TROLLEY_DICTIONARY_SERVICE) : NULL;
}

static bool is_text(const char *vr)
{
    static const char known[] = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UN UR UT";

    return strlen(vr) == 2 && strstr(known, vr);
}

/* Why storages cannot be told of an attribute; NULL when they can. */
static const char *untold(const struct path_option *option, const uint32_t *tags, size_t depth)
{
    const struct trolley_dictionary_service *known = dictionary(option->host);

    if (depth > 1) return "attributes within sequences are";
    if (tags[0] >> 16 & 1) return "private attributes are";
    if (known && !is_text(known->vr(tags[0]))) return "binary attributes and sequences are";
    return NULL;
}

static int check_told(const struct path_option *option, const struct kit_path_template *path,
                      struct trolley_task *task)
{
    const uint32_t *tags;
    size_t depth;
    uint32_t i;

    for (i = 0; (depth = kit_path_attribute(path, i, &tags)); i++) {
        const char *why = untold(option, tags, depth);

        if (why)
            return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                                "[storage %s] %s: (%04X,%04X): %s not among what a storage is told",
                                option->section, option->key, tags[0] >> 16, tags[0] & 0xffff, why);
    }
    return 0;
}

int path_option_parse(const struct path_option *option, const char *text, struct trolley_task *task,
                      struct kit_path_template **ret_template)
{
    const struct trolley_dictionary_service *known = dictionary(option->host);
    const struct kit_path_names names = {known ? known->tag : NULL, option->words};
    struct kit_path_template *path = NULL;
    struct kit_buffer problem = {0};
    int r = kit_path_parse(text, option->path, &names, &problem, &path);

    if (r < 0)
        r = trolley_fail(task, r, "[storage %s] %s %s", option->section, option->key,
                         problem.length ? problem.data : "out of memory");
    else
        r = check_told(option, path, task);
    kit_buffer_free(&problem);
    if (r < 0)
        kit_path_free(path);
    else
        *ret_template = path;
    return r;
}

/* What meta tells itself. */
static bool told_by_meta(uint32_t tag)
{
    return tag == 0x0020000d || tag == 0x0020000e || tag == 0x00080018 || tag == 0x00080016 ||
           tag == 0x00020010;
}

static int add_tag(struct path_needs *needs, uint32_t tag)
{
    uint32_t *tags, i;

    for (i = 0; i < needs->count; i++)
        if (needs->tags[i] == tag) return 0;
    tags = realloc(needs->tags, (needs->count + 1) * sizeof *tags);
    if (!tags) return TROLLEY_ERR_NOMEM;
    needs->tags = tags;
    needs->tags[needs->count++] = tag;
    return 0;
}

int path_needs_add(struct path_needs *needs, const struct kit_path_template *path)
{
    const uint32_t *tags;
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && kit_path_attribute(path, i, &tags); i++) {
        if (told_by_meta(tags[0])) continue;
        r = add_tag(needs, SPECIFIC_CHARACTER_SET);
        if (r == 0) r = add_tag(needs, tags[0]);
    }
    return r;
}

/* ---- values ---- */

static const struct trolley_element *find_element(const struct trolley_meta *meta, uint32_t tag)
{
    uint32_t i;

    for (i = 0; i < meta->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&meta->elements, i);

        if (element->tag == tag) return element;
    }
    return NULL;
}

/* All its terms, as (0008,0005) has them. */
static struct charset *find_charset(const struct trolley_meta *meta)
{
    const struct trolley_element *element = find_element(meta, SPECIFIC_CHARACTER_SET);
    struct kit_buffer terms = {.cap = 4096};
    struct charset *charset = NULL;
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && element && i < element->values.count; i++) {
        if (i) r = kit_buffer_text(&terms, "\\");
        if (r == 0) r = kit_buffer_text(&terms, trolley_span_text(&element->values, i));
    }
    /* Without a term only ASCII is right; UTF-8 that came all the same stays what it is. */
    if (r == 0 && terms.length) charset = charset_new(terms.data);
    kit_buffer_free(&terms);
    return charset;
}

static const char *convert(struct path_values *values, const struct trolley_element *element,
                           const char *text)
{
    const char *delimiters = strncmp(element->vr, "PN", 2) == 0 ? "\\^=" : "\\";

    if (!values->looked) values->charset = find_charset(values->meta);
    values->looked = true;
    if (!values->charset) return text;
    kit_buffer_reset(&values->text);
    if (charset_append(values->charset, text, strlen(text), delimiters, &values->text) < 0)
        return text;
    return values->text.data ? values->text.data : "";
}

static const char *meta_value(struct path_values *values, uint32_t tag)
{
    const struct trolley_meta *meta = values->meta;

    switch (tag) {
    case 0x0020000d:
        return meta->study;
    case 0x0020000e:
        return meta->series;
    case 0x00080018:
        return meta->instance;
    case 0x00080016:
        return meta->sop_class;
    case 0x00020010:
        return meta->transfer_syntax;
    case 0x00081160:
        if (meta->frame == 0) return NULL;
        (void)snprintf(values->frame, sizeof values->frame, "%u", meta->frame);
        return values->frame;
    default:
        return NULL;
    }
}

static const char *give_attribute(void *ctx, const uint32_t *tags, size_t depth, uint32_t index)
{
    struct path_values *values = ctx;
    const struct trolley_element *element;
    const char *text = index == 0 ? meta_value(values, tags[0]) : NULL;

    if (text || depth != 1) return text;
    element = find_element(values->meta, tags[0]);
    text = element ? trolley_span_text(&element->values, index) : NULL;
    return text ? convert(values, element, text) : NULL;
}

static const char *give_word(void *ctx, const char *name)
{
    const struct path_values *values = ctx;
    const struct trolley_meta *meta = values->meta;

    if (strcmp(name, "suffix") == 0) return values->suffix;
    if (strcmp(name, "variant") == 0) return meta->variant ? meta->variant : "";
    return meta->content_type ? meta->content_type : "application/dicom";
}

void path_values_init(struct path_values *values, const struct trolley_meta *meta,
                      const char *suffix)
{
    memset(values, 0, sizeof *values);
    values->values = (struct kit_path_values){values, give_attribute, give_word, -1};
    values->meta = meta;
    values->suffix = suffix;
    values->text.cap = (size_t)4 << 20;
}

void path_values_clear(struct path_values *values)
{
    charset_free(values->charset);
    kit_buffer_free(&values->text);
}
