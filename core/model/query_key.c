/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kit/buffer.h>
#include <kit/text.h>

#include "core/model/error.h"
#include "core/model/query_builder.h"

/* The longest keyword of the dictionary has 64 characters. */
#define QUERY_MAX_NAME 96

void query_key_clear(struct trolley_query_key *key)
{
    free((void *)key->name);
    free((void *)key->path);
    free((void *)key->values.items);
    memset(key, 0, sizeof *key);
}

bool query_key_same(const struct trolley_query_key *a, const struct trolley_query_key *b)
{
    if (a->path || b->path) return a->path && b->path && strcmp(a->path, b->path) == 0;
    if (a->tag || b->tag) return a->tag == b->tag;
    return strcmp(a->name, b->name) == 0;
}

const char *query_key_label(const struct trolley_query_key *key)
{
    return key->path ? key->path : key->name;
}

static bool query_is_private(uint32_t tag)
{
    return (tag >> 16 & 1) != 0;
}

/* Command elements, directory offsets, group lengths and delimiters never stand in the identifier
 * of a query [PS3.4 C.4.1.1.3, PS3.5 7.1]. File meta elements do not either, but MINT returns some.
 */
static int query_check_tag(const char *text, uint32_t tag, struct trolley_error *error)
{
    uint32_t group = tag >> 16;

    if ((group >= 0x0008 || group == QUERY_META_GROUP) && group != 0xfffe && group != 0xffff &&
        (tag & 0xffff) != 0)
        return 0;
    return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: not an attribute that can be queried",
                     text);
}

/* Every attribute of a path but the last holds the next one. */
static int query_check_sequence(const char *text, uint32_t tag, struct trolley_error *error)
{
    if (query_is_private(tag) || strcmp(trolley_vr(tag), "SQ") == 0 || !trolley_keyword(tag))
        return 0;
    return error_set(error, TROLLEY_ERR_INVALID_ARG,
                     "%s: %s is not a sequence, nothing is below it", text, trolley_keyword(tag));
}

/* Reads the attributes of a path into tags and returns how many there are. */
static int query_read_path(const char *text, uint32_t tags[QUERY_MAX_DEPTH],
                           struct trolley_error *error)
{
    const char *at = text;
    int depth = 0, r;

    for (;;) {
        size_t length = strcspn(at, ".");
        char part[QUERY_MAX_NAME];

        if (length == 0 || length >= sizeof part)
            return error_set(error, TROLLEY_ERR_INVALID_ARG, "%.*s: not a DICOM keyword or tag",
                             QUERY_MAX_NAME, text);
        if (depth == QUERY_MAX_DEPTH)
            return error_set(error, TROLLEY_ERR_INVALID_ARG,
                             "%s: a path of more than %d attributes", text, QUERY_MAX_DEPTH);
        memcpy(part, at, length);
        part[length] = '\0';
        r = trolley_parse_attribute(part, &tags[depth], error);
        if (r == 0) r = query_check_tag(part, tags[depth], error);
        if (r == 0 && at[length]) r = query_check_sequence(text, tags[depth], error);
        if (r < 0) return r;
        depth++;
        if (!at[length]) return depth;
        at += length + 1;
    }
}

static int query_write_path(const uint32_t *tags, int depth, char **ret_path)
{
    struct kit_buffer path = {0};
    int i, r = 0;

    for (i = 0; r == 0 && i < depth; i++)
        r = kit_buffer_printf(&path, "%s%08X", i ? "." : "", (unsigned)tags[i]);
    if (r == 0) *ret_path = kit_buffer_take(&path);
    kit_buffer_free(&path);
    return r == 0 && !*ret_path ? TROLLEY_ERR_NOMEM : r;
}

/* The VR that the key carries; empty where nobody but the server knows it (private attributes). */
static void query_set_vr(struct trolley_query_key *key)
{
    const char *vr = trolley_vr(key->tag);

    if (trolley_keyword(key->tag)) memcpy(key->vr, vr, 2);
}

static int query_parse_attribute(const char *text, struct trolley_query_key *ret_key,
                                 struct trolley_error *error)
{
    struct trolley_query_key key = {.size = sizeof key};
    uint32_t tags[QUERY_MAX_DEPTH];
    char hex[9], *path = NULL;
    int depth, r = 0;

    depth = query_read_path(text, tags, error);
    if (depth < 0) return depth;
    key.tag = tags[depth - 1];
    query_set_vr(&key);
    (void)snprintf(hex, sizeof hex, "%08X", (unsigned)key.tag);
    key.name = strdup(trolley_keyword(key.tag) ? trolley_keyword(key.tag) : hex);
    if (depth > 1) r = query_write_path(tags, depth, &path);
    key.path = path;
    if (r < 0 || !key.name) {
        query_key_clear(&key);
        return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    }
    *ret_key = key;
    return 0;
}

/* Parameters have names in lower case; DICOM's keywords begin with a capital. */
static bool query_is_parameter(const char *text)
{
    uint32_t tag;
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    if (text[length] || length >= QUERY_MAX_NAME || *text < 'a' || *text > 'z') return false;
    return trolley_parse_attribute(text, &tag, NULL) < 0;
}

static int query_parse_parameter(const char *text, struct trolley_query_key *ret_key,
                                 struct trolley_error *error)
{
    struct trolley_query_key key = {.size = sizeof key};
    char *name, *at;

    if (strcmp(text, "level") == 0)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "level is not a key: use --level study, series or instance");
    if (kit_text_key_equal(text, "include_fields") || kit_text_key_equal(text, "include"))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s is not a key: use --include KEYWORD,...", text);
    name = strdup(text);
    if (!name) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (at = name; *at; at++)
        if (*at == '-') *at = '_';
    key.name = name;
    *ret_key = key;
    return 0;
}

int query_key_parse(const char *text, struct trolley_query_key *ret_key,
                    struct trolley_error *error)
{
    if (!text || !*text) return error_set(error, TROLLEY_ERR_INVALID_ARG, "a key without a name");
    if (!kit_text_utf8_valid(text, strlen(text)))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: not UTF-8", text);
    if (query_is_parameter(text)) return query_parse_parameter(text, ret_key, error);
    return query_parse_attribute(text, ret_key, error);
}
