/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

uint32_t key_uid_tag(uint32_t level)
{
    switch (level) {
    case TROLLEY_LEVEL_STUDY:
        return 0x0020000d;
    case TROLLEY_LEVEL_SERIES:
        return 0x0020000e;
    default:
        return 0x00080018;
    }
}

static const struct trolley_query_key *key_of_level(const struct trolley_query *query,
                                                    uint32_t level)
{
    for (uint32_t i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag == key_uid_tag(level) && !key->path) return key;
    }
    return NULL;
}

const char *key_uid(const struct trolley_query *query, uint32_t level)
{
    const struct trolley_query_key *key = key_of_level(query, level);
    const char *uid;

    if (!key || key->values.count != 1) return NULL;
    uid = trolley_span_text(&key->values, 0);
    return *uid && strspn(uid, "0123456789.") == strlen(uid) ? uid : NULL;
}

bool key_names_object(const struct trolley_query *query)
{
    uint32_t named = 0;

    for (uint32_t level = TROLLEY_LEVEL_STUDY; level <= TROLLEY_LEVEL_INSTANCE; level++) {
        if (!key_of_level(query, level)) continue;
        if (!key_uid(query, level) || level > query->level) return false;
        named++;
    }
    return named == query->keys.count && key_uid(query, TROLLEY_LEVEL_STUDY);
}

/* Lengths stand before texts, so that no value can look like the next key. */
static int key_add_text(struct kit_buffer *out, const char *text)
{
    return kit_buffer_printf(out, " %zu:%s", strlen(text), text);
}

static int key_add(struct kit_buffer *out, const struct trolley_query_key *key)
{
    int r = key_add_text(out, key->name);

    if (r == 0) r = key_add_text(out, key->path ? key->path : "");
    for (uint32_t i = 0; r == 0 && i < key->values.count; i++)
        r = key_add_text(out, trolley_span_text(&key->values, i));
    return r == 0 ? kit_buffer_text(out, "\n") : r;
}

static int key_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the lines in order, and frees them. */
static int key_add_sorted(struct kit_buffer *out, char **lines, size_t count)
{
    int r = 0;

    qsort(lines, count, sizeof *lines, key_compare);
    for (size_t i = 0; i < count; i++) {
        if (r == 0) r = kit_buffer_text(out, lines[i]);
        free(lines[i]);
    }
    return r;
}

static bool key_is_below(const struct trolley_query_key *key, uint32_t widest)
{
    for (uint32_t level = widest + 1; level <= TROLLEY_LEVEL_INSTANCE; level++)
        if (key->tag == key_uid_tag(level) && !key->path) return true;
    return false;
}

static int key_add_list(struct kit_buffer *out, const struct trolley_span *keys, uint32_t widest)
{
    char **lines = calloc((size_t)keys->count + 1, sizeof *lines);
    size_t count = 0;
    int r = lines ? 0 : TROLLEY_ERR_NOMEM;

    for (uint32_t i = 0; r == 0 && i < keys->count; i++) {
        const struct trolley_query_key *key = trolley_span_at(keys, i);
        struct kit_buffer line = {0};

        if (key_is_below(key, widest)) continue;
        r = key_add(&line, key);
        if (r == 0) lines[count++] = kit_buffer_take(&line);
        if (r == 0 && !lines[count - 1]) {
            count--;
            r = TROLLEY_ERR_NOMEM;
        }
        kit_buffer_free(&line);
    }
    if (r == 0) {
        r = key_add_sorted(out, lines, count);
    } else {
        while (count)
            free(lines[--count]);
    }
    free(lines);
    return r;
}

int key_text(struct kit_buffer *out, const struct trolley_query *query, uint32_t widest)
{
    int r = kit_buffer_printf(out, "%s\n%u\nkeys\n", query->type ? query->type : "",
                              (unsigned)query->level);

    if (r == 0) r = key_add_list(out, &query->keys, widest);
    if (r == 0) r = kit_buffer_text(out, "include\n");
    return r == 0 ? key_add_list(out, &query->include_fields, TROLLEY_LEVEL_INSTANCE) : r;
}
