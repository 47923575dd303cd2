/* The query builder. SPDX-License-Identifier: MIT */
#include "core/model/query.h"

#include <stdlib.h>
#include <string.h>

#include <kit/text.h>
#include <kit/uid.h>
#include <trolley/helpers.h>

#include "core/model/date.h"
#include "core/model/error.h"
#include "core/model/query_builder.h"
#include "core/model/query_view.h"

static int query_nomem(struct trolley_error *error)
{
    return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
}

/* Every change makes what query_accept handed out invalid. */
static void query_changed(struct trolley_query_builder *query)
{
    query_view_free(query->views->first);
    query->views->first = NULL;
}

static void query_keys_free(struct query_keys *keys)
{
    uint32_t i;

    for (i = 0; i < keys->count; i++)
        query_key_clear(&keys->items[i]);
    free(keys->items);
}

static const struct trolley_query_key *query_keys_find(const struct query_keys *keys,
                                                       const struct trolley_query_key *key)
{
    uint32_t i;

    for (i = 0; i < keys->count; i++)
        if (query_key_same(&keys->items[i], key)) return &keys->items[i];
    return NULL;
}

/* Takes the key over, whatever it returns. */
static int query_keys_add(struct query_keys *keys, struct trolley_query_key *key,
                          struct trolley_error *error)
{
    struct trolley_query_key *items;
    uint32_t capacity = keys->capacity ? 2 * keys->capacity : 8;

    if (keys->count == QUERY_MAX_KEYS) {
        query_key_clear(key);
        return error_set(error, TROLLEY_ERR_TOO_LARGE, "a query has at most %u keys",
                         QUERY_MAX_KEYS);
    }
    if (keys->count == keys->capacity) {
        items = reallocarray(keys->items, capacity, sizeof *items);
        if (!items) {
            query_key_clear(key);
            return query_nomem(error);
        }
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = *key;
    return 0;
}

int trolley_query_new(struct trolley_query_builder **ret_query, struct trolley_error *error)
{
    struct trolley_query_builder *query = calloc(1, sizeof *query);

    if (query) query->views = calloc(1, sizeof *query->views);
    if (!query || !query->views) {
        free(query);
        return query_nomem(error);
    }
    query->level = TROLLEY_LEVEL_STUDY;
    *ret_query = query;
    return 0;
}

void trolley_query_free(struct trolley_query_builder *query)
{
    if (!query) return;
    query_changed(query);
    query_keys_free(&query->keys);
    query_keys_free(&query->includes);
    free(query->views);
    free(query->type);
    free(query);
}

static int query_check_twice(const struct trolley_query_builder *query,
                             const struct trolley_query_key *key, struct trolley_error *error)
{
    if (!query_keys_find(&query->keys, key)) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_ARG,
                     "%s is set twice (several values are parted by '\\')", query_key_label(key));
}

static const struct trolley_query_key *query_parameter(const struct trolley_query_builder *query,
                                                       const char *name)
{
    const struct trolley_query_key key = {.size = sizeof key, .name = name};

    return query_keys_find(&query->keys, &key);
}

/* Adds the parameter `name` with one date; an empty date is an open end and adds nothing. */
static int query_add_date(struct trolley_query_builder *query, const char *name, const char *date,
                          struct trolley_error *error)
{
    struct trolley_query_key key = {.size = sizeof key};

    if (!*date) return 0;
    key.name = strdup(name);
    if (!key.name || query_value_single(&key, date) < 0) {
        query_key_clear(&key);
        return query_nomem(error);
    }
    return query_keys_add(&query->keys, &key, error);
}

/* StudyDate in any of its forms becomes the parameters that every query type has. */
static int query_set_study_date(struct trolley_query_builder *query, const char *value,
                                struct trolley_error *error)
{
    char from[9], to[9];
    uint32_t before = query->keys.count;
    int r;

    if (query_parameter(query, QUERY_MIN_STUDY_DATE) ||
        query_parameter(query, QUERY_MAX_STUDY_DATE))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "the study date is set twice (a range is A-B)");
    r = date_parse_range(value, time(NULL), from, to, error);
    if (r < 0) {
        error_prefix(error, "StudyDate");
        return r;
    }
    r = query_add_date(query, QUERY_MIN_STUDY_DATE, from, error);
    if (r == 0) r = query_add_date(query, QUERY_MAX_STUDY_DATE, to, error);
    if (r < 0 && query->keys.count > before)
        query_key_clear(&query->keys.items[--query->keys.count]);
    return r;
}

/* min_study_date or max_study_date by itself. */
static int query_set_date_end(struct trolley_query_builder *query, const char *name,
                              const char *value, struct trolley_error *error)
{
    const bool is_min = strcmp(name, QUERY_MIN_STUDY_DATE) == 0;
    const struct trolley_query_key *other =
        query_parameter(query, is_min ? QUERY_MAX_STUDY_DATE : QUERY_MIN_STUDY_DATE);
    char date[9];
    int r = query_value_date(name, value, date, error);

    if (r < 0) return r;
    if (other) {
        int order = strcmp(date, trolley_span_text(&other->values, 0));

        if (is_min ? order > 0 : order < 0)
            return error_set(error, TROLLEY_ERR_INVALID_ARG,
                             "min_study_date lies behind max_study_date");
    }
    return query_add_date(query, name, date, error);
}

int trolley_query_set(struct trolley_query_builder *query, const char *key, const char *value,
                      struct trolley_error *error)
{
    struct trolley_query_key parsed;
    int r = query_key_parse(key, &parsed, error);

    if (r < 0) return r;
    query_changed(query);
    if (parsed.tag >> 16 == QUERY_META_GROUP)
        r = error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: not an attribute that can be queried",
                      key);
    if (r == 0) r = query_check_twice(query, &parsed, error);
    if (r < 0) goto out;
    if (parsed.tag == QUERY_TAG_STUDY_DATE && !parsed.path) {
        r = query_set_study_date(query, value, error);
    } else if (parsed.tag == 0 && (strcmp(parsed.name, QUERY_MIN_STUDY_DATE) == 0 ||
                                   strcmp(parsed.name, QUERY_MAX_STUDY_DATE) == 0)) {
        r = query_set_date_end(query, parsed.name, value, error);
    } else {
        r = query_value_parse(&parsed, value, error);
        if (r == 0) return query_keys_add(&query->keys, &parsed, error);
    }
out:
    query_key_clear(&parsed);
    return r;
}

int trolley_query_set_level(struct trolley_query_builder *query, const char *level,
                            struct trolley_error *error)
{
    static const char *const names[] = {"study", "series", "instance"};
    uint32_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(level, names[i]) != 0) continue;
        query_changed(query);
        query->level = TROLLEY_LEVEL_STUDY + i;
        return 0;
    }
    return error_set(error, TROLLEY_ERR_INVALID_ARG,
                     "%.100s: no such level; it is study, series or instance", level);
}

int trolley_query_include(struct trolley_query_builder *query, const char *key,
                          struct trolley_error *error)
{
    struct trolley_query_key parsed;
    int r = query_key_parse(key, &parsed, error);

    if (r < 0) return r;
    if (parsed.tag == 0 || (parsed.path && parsed.tag >> 16 == QUERY_META_GROUP)) {
        query_key_clear(&parsed);
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s: not a DICOM keyword or tag, cannot be returned", key);
    }
    query_changed(query);
    if (!query_keys_find(&query->includes, &parsed))
        return query_keys_add(&query->includes, &parsed, error);
    query_key_clear(&parsed);
    return 0;
}

int trolley_query_set_type(struct trolley_query_builder *query, const char *type,
                           struct trolley_error *error)
{
    char *copy;

    if (!*type || strlen(type) > 64 || !kit_text_utf8_valid(type, strlen(type)))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "not the name of a query type");
    copy = strdup(type);
    if (!copy) return query_nomem(error);
    query_changed(query);
    free(query->type);
    query->type = copy;
    return 0;
}

int query_set_uid(struct trolley_query_builder *builder, uint32_t level_of_uid, const char *uid,
                  struct trolley_error *error)
{
    static const char *const keywords[] = {"StudyInstanceUID", "SeriesInstanceUID",
                                           "SOPInstanceUID"};

    if (level_of_uid < TROLLEY_LEVEL_STUDY || level_of_uid > TROLLEY_LEVEL_INSTANCE)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "no such level");
    if (!kit_uid_valid(uid))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: not a UID",
                         keywords[level_of_uid - TROLLEY_LEVEL_STUDY]);
    return trolley_query_set(builder, keywords[level_of_uid - TROLLEY_LEVEL_STUDY], uid, error);
}

uint32_t query_level(const struct trolley_query_builder *builder)
{
    return builder->level;
}

static struct trolley_span query_keys_span(const struct query_keys *keys)
{
    return (struct trolley_span){keys->items, keys->count, sizeof *keys->items};
}

int query_accept(const struct trolley_query_builder *builder, const struct trolley_span *types,
                 uint32_t levels, const struct trolley_query **ret_query,
                 struct trolley_error *error)
{
    const struct trolley_query query = {
        .size = sizeof query,
        .level = builder->level,
        .keys = query_keys_span(&builder->keys),
        .include_fields = query_keys_span(&builder->includes),
    };
    struct query_view *view;
    int r = query_view_new(&query, builder->type, types, levels, &view, error);

    if (r < 0) return r;
    view->next = builder->views->first;
    builder->views->first = view;
    *ret_query = query_view_query(view);
    return 0;
}
