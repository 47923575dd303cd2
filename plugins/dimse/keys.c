/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "plugins/dataset/attribute.h"

uint32_t keys_unique(uint32_t level)
{
    return level == KEYS_LEVEL_PATIENT ? TAG_PATIENT_ID : attribute_uid(level);
}

static uint32_t first_tag(const struct trolley_query_key *key)
{
    return key->path ? (uint32_t)strtoul(key->path, NULL, 16) : key->tag;
}

/* Where a key or field belongs in this query: no deeper than the query goes. */
static uint32_t place(const struct keys_source *source, const struct trolley_query_key *key)
{
    uint32_t level = attribute_key_level(key);

    if (source->patient_root && first_tag(key) >> 16 == 0x0010) return KEYS_LEVEL_PATIENT;
    return level < source->query->level ? level : source->query->level;
}

static bool is_date(const struct trolley_query_key *key)
{
    return key->tag == 0 &&
           (strcmp(key->name, "min_study_date") == 0 || strcmp(key->name, "max_study_date") == 0);
}

const char *keys_unique_value(const struct keys_source *source, uint32_t level)
{
    const struct trolley_span *keys = &source->query->keys;
    uint32_t i;

    for (i = 0; i < keys->count; i++) {
        const struct trolley_query_key *key = trolley_span_at(keys, i);
        uint32_t choice = source->choice[i];
        const char *text;

        if (key->tag != keys_unique(level) || key->path) continue;
        if (choice == KEYS_LIST && key->values.count != 1) return NULL;
        text = trolley_span_text(&key->values, choice == KEYS_LIST ? 0 : choice);
        return text && *text && !strpbrk(text, "*?\\") ? text : NULL;
    }
    return NULL;
}

bool keys_wanted(const struct keys_source *source, uint32_t level)
{
    const struct trolley_query *query = source->query;
    uint32_t i;

    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag == 0 && !is_date(key)) continue;
        if (place(source, key) != level) continue;
        if (key->tag != keys_unique(level) || key->path || !keys_unique_value(source, level))
            return true;
    }
    for (i = 0; i < query->include_fields.count; i++) {
        const struct trolley_query_key *field = trolley_span_at(&query->include_fields, i);

        if (place(source, field) == level && (field->tag != keys_unique(level) || field->path))
            return true;
    }
    return false;
}

static bool same(const struct find_key *key, uint32_t tag, const char *path)
{
    return key->tag == tag &&
           (path ? key->path && strcmp(path, key->path) == 0 : key->path == NULL);
}

/* The first of an attribute counts. There is room for all. */
static void add(struct keys *keys, uint32_t tag, const char *path, const char *vr, const char *text)
{
    size_t i;

    for (i = 0; i < keys->count; i++)
        if (same(&keys->items[i], tag, path)) return;
    keys->items[keys->count++] = (struct find_key){tag, path, vr, text};
}

static char *join(const struct trolley_span *values)
{
    size_t length = 1;
    char *text, *at;
    uint32_t i;

    for (i = 0; i < values->count; i++)
        length += strlen(trolley_span_text(values, i)) + 1;
    text = malloc(length);
    if (!text) return NULL;
    for (i = 0, at = text; i < values->count; i++) {
        const char *value = trolley_span_text(values, i);
        size_t size = strlen(value);

        if (i) *at++ = '\\';
        memcpy(at, value, size);
        at += size;
    }
    *at = '\0';
    return text;
}

static int add_query_key(struct keys *keys, const struct trolley_query_key *key, uint32_t choice)
{
    const char *text = trolley_span_text(&key->values, choice == KEYS_LIST ? 0 : choice);

    if (choice == KEYS_LIST && key->values.count > 1) {
        char *joined = join(&key->values);

        if (!joined) return TROLLEY_ERR_NOMEM;
        keys->joined[keys->joined_count++] = joined;
        text = joined;
    }
    add(keys, key->tag, key->path, key->vr, text ? text : "");
    return 0;
}

static void add_dates(struct keys *keys, const struct trolley_query *query)
{
    const char *min = trolley_query_text(query, "min_study_date");
    const char *max = trolley_query_text(query, "max_study_date");

    if (!min && !max) return;
    if (min && max && strcmp(min, max) == 0)
        (void)snprintf(keys->dates, sizeof keys->dates, "%.16s", min);
    else
        (void)snprintf(keys->dates, sizeof keys->dates, "%.16s-%.16s", min ? min : "",
                       max ? max : "");
    add(keys, TAG_STUDY_DATE, NULL, "DA", keys->dates);
}

#define DEFAULT_FIELDS_MOST 16 /* of a level, with the 0 behind them */

/* What is asked for where the query names no fields; 0 ends a level's. [PS3.4 C.6.2.1] */
static const uint32_t default_fields[KEYS_LEVELS][DEFAULT_FIELDS_MOST] = {
    {0x00100010, 0x00100030, 0x00100040},
    {0x00080020, 0x00080030, 0x00080050, 0x00080061, 0x00080090, 0x00081030, 0x00100010, 0x00100020,
     0x00100030, 0x00100040, 0x00200010, 0x00201206, 0x00201208},
    {0x00080060, 0x0008103e, 0x00200011, 0x00201209},
    {0x00080016, 0x00200013},
};

static void add_default_fields(struct keys *keys, const struct keys_source *source, uint32_t level)
{
    size_t i;

    for (i = 0; default_fields[level][i]; i++)
        if (!source->patient_root || level == KEYS_LEVEL_PATIENT ||
            default_fields[level][i] >> 16 != 0x0010)
            add(keys, default_fields[level][i], NULL, "", "");
}

static int add_level(struct keys *keys, const struct keys_source *source, uint32_t level)
{
    const struct trolley_query *query = source->query;
    uint32_t i;
    int r = 0;

    if (level == TROLLEY_LEVEL_STUDY) add_dates(keys, query);
    for (i = 0; i < query->keys.count && r == 0; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag && place(source, key) == level)
            r = add_query_key(keys, key, source->choice[i]);
    }
    for (i = 0; i < query->include_fields.count; i++) {
        const struct trolley_query_key *field = trolley_span_at(&query->include_fields, i);

        if (field->tag && place(source, field) == level)
            add(keys, field->tag, field->path, field->vr, "");
    }
    add(keys, keys_unique(level), NULL, level ? "UI" : "LO", "");
    if (query->include_fields.count == 0) add_default_fields(keys, source, level);
    return r;
}

int keys_build(const struct keys_source *source, uint32_t first, uint32_t level,
               const char *const *above, struct keys *ret_keys)
{
    const struct trolley_query *query = source->query;
    size_t room = (size_t)query->keys.count + query->include_fields.count +
                  (level - first + 1) * DEFAULT_FIELDS_MOST + KEYS_LEVELS + 1;
    uint32_t i;
    int r = 0;

    memset(ret_keys, 0, sizeof *ret_keys);
    ret_keys->items = calloc(room, sizeof *ret_keys->items);
    ret_keys->joined = calloc(room, sizeof *ret_keys->joined);
    if (!ret_keys->items || !ret_keys->joined) return TROLLEY_ERR_NOMEM;
    for (i = KEYS_LEVEL_PATIENT; i < first; i++)
        if (above[i]) add(ret_keys, keys_unique(i), NULL, i ? "UI" : "LO", above[i]);
    for (i = first; i <= level && r == 0; i++)
        r = add_level(ret_keys, source, i);
    return r;
}

void keys_free(struct keys *keys)
{
    while (keys->joined_count)
        free(keys->joined[--keys->joined_count]);
    free(keys->joined);
    free(keys->items);
    memset(keys, 0, sizeof *keys);
}
