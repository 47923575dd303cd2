/* The acceptance rule. SPDX-License-Identifier: MIT */
#include "core/model/query_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kit/buffer.h>
#include <kit/text.h>
#include <trolley/helpers.h>

#include "core/model/dictionary.h"
#include "core/model/error.h"
#include "core/model/query_builder.h"
#include "core/model/query_cover.h"

/* Parameter names that a misspelt one is compared with. */
#define VIEW_MAX_NAMES 128

struct view_names {
    const char *items[VIEW_MAX_NAMES];
    size_t count;
};

const struct trolley_query *query_view_query(const struct query_view *view)
{
    return &view->query;
}

void query_view_free(struct query_view *view)
{
    while (view) {
        struct query_view *next = view->next;

        free(view->type);
        free(view);
        view = next;
    }
}

/* Widens the view's range of StudyDate by one of its ends, and adds the key at the first. */
static void view_add_study_date(struct query_view *view, const struct trolley_query_key *end)
{
    const char *date = trolley_span_text(&end->values, 0);
    bool is_min = strcmp(end->name, QUERY_MIN_STUDY_DATE) == 0;
    char from[9] = "", to[9] = "";

    if (*view->date) { /* the other end was here already: "A-" or "-B" */
        (void)snprintf(is_min ? to : from, 9, "%.8s", view->date + is_min);
    } else {
        struct trolley_query_key *key = &view->keys[view->query.keys.count++];

        view->date_value = view->date;
        *key = (struct trolley_query_key){
            .size = sizeof *key,
            .tag = QUERY_TAG_STUDY_DATE,
            .name = trolley_keyword(QUERY_TAG_STUDY_DATE),
            .vr = "DA",
            .values = {&view->date_value, 1, sizeof view->date_value},
        };
    }
    (void)snprintf(is_min ? from : to, 9, "%.8s", date ? date : "");
    if (strcmp(from, to) == 0)
        (void)snprintf(view->date, sizeof view->date, "%s", from);
    else
        (void)snprintf(view->date, sizeof view->date, "%s-%s", from, to);
}

/* The query as `type` takes it; NULL in *ret_view when it does not take every key. */
static int view_make(const struct trolley_query *query, const struct trolley_query_type *type,
                     const struct trolley_span *types, struct query_view **ret_view)
{
    struct query_view *view = calloc(1, sizeof *view + query->keys.count * sizeof view->keys[0]);
    uint32_t i;

    if (view) view->type = strdup(type->name);
    if (!view || !view->type) {
        query_view_free(view);
        return TROLLEY_ERR_NOMEM;
    }
    view->query = *query;
    view->query.type = view->type;
    view->query.keys = (struct trolley_span){view->keys, 0, sizeof view->keys[0]};
    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);
        struct trolley_span values;
        const char *wanted;
        enum query_cover cover = query_cover_key(type, types, query, key, &values, &wanted);

        if (cover == QUERY_COVERED) {
            struct trolley_query_key *copy = &view->keys[view->query.keys.count++];

            *copy = *key;
            copy->values = values;
        } else if (cover == QUERY_COVERED_AS_STUDY_DATE) {
            view_add_study_date(view, key);
        } else {
            query_view_free(view);
            view = NULL;
            break;
        }
    }
    *ret_view = view;
    return 0;
}

/* Appends "TYPE: no limit, fuzzymatching must be yes or no". */
static int view_say_type(struct kit_buffer *out, const struct trolley_query *query,
                         const struct trolley_query_type *type, const struct trolley_span *types)
{
    const char *comma = "";
    uint32_t i;
    int r = kit_buffer_printf(out, "%s%s: ", out->length ? "; " : "", type->name);

    for (i = 0; r == 0 && i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);
        const char *label = query_key_label(key), *wanted = "";
        struct trolley_span values;
        enum query_cover cover = query_cover_key(type, types, query, key, &values, &wanted);

        if (cover == QUERY_NOT_COVERED)
            r = kit_buffer_printf(out, "%sno %s", comma, label);
        else if (cover == QUERY_BAD_VALUE)
            r = kit_buffer_printf(out, "%s%s must be %s", comma, label, wanted);
        else
            continue;
        comma = ", ";
    }
    return r;
}

static void view_take_name(void *ctx, const struct trolley_query_param *param)
{
    struct view_names *names = ctx;

    if (names->count < VIEW_MAX_NAMES) names->items[names->count++] = param->key;
}

/* The parameters' names, then the dictionary's keywords. */
static const char *view_next_name(void *ctx, size_t i)
{
    const struct view_names *names = ctx;
    const struct dictionary_entry *entry;

    if (i < names->count) return names->items[i];
    entry = dictionary_entry(i - names->count);
    return entry ? entry->keyword : NULL;
}

/* Appends the right name for each parameter that no type knows and that looks misspelt. */
static int view_say_nearest(struct kit_buffer *out, const struct trolley_query *query,
                            const struct trolley_span *types)
{
    struct view_names names = {.count = 0};
    const char *nearest;
    uint32_t i;
    int r = 0;

    for (i = 0; i < types->count; i++)
        (void)trolley_query_type_params(trolley_span_at(types, i), types, view_take_name, &names);
    for (i = 0; r == 0 && i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag != 0) continue;
        nearest = kit_text_nearest(key->name, view_next_name, &names);
        if (nearest && strcmp(nearest, key->name) != 0)
            r = kit_buffer_printf(out, "; did you mean %s in place of %s?", nearest, key->name);
    }
    return r;
}

/* Why no type takes the query. `only`: the forced type, or NULL. */
static int view_refuse(const struct trolley_query *query, const struct trolley_query_type *only,
                       const struct trolley_span *types, struct trolley_error *error)
{
    struct kit_buffer why = {.cap = sizeof error->message - 128};
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < types->count; i++) {
        const struct trolley_query_type *type = trolley_span_at(types, i);

        if (!only || type == only) r = view_say_type(&why, query, type, types);
    }
    if (r == 0) r = view_say_nearest(&why, query, types);
    r = error_set(error, TROLLEY_ERR_UNSUPPORTED_PARAM, "%s every key: %s%s",
                  only ? "the query type does not take" : "no query type takes",
                  why.data ? why.data : "", r < 0 ? " ..." : "");
    kit_buffer_free(&why);
    return r;
}

static int view_check_level(uint32_t level, uint32_t levels, struct trolley_error *error)
{
    static const char *const names[] = {"study", "series", "instance"};
    const char *offered[3] = {"", "", ""};
    uint32_t i;

    if (level < TROLLEY_LEVEL_STUDY || level > TROLLEY_LEVEL_INSTANCE)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "no such level");
    if (levels & TROLLEY_LEVEL_BIT(level)) return 0;
    for (i = 0; i < 3; i++)
        if (levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY + i)) offered[i] = names[i];
    return error_set(error, TROLLEY_ERR_UNSUPPORTED_PARAM,
                     "level %s: not offered, only%s%s%s%s%s%s", names[level - TROLLEY_LEVEL_STUDY],
                     *offered[0] ? " " : "", offered[0], *offered[1] ? " " : "", offered[1],
                     *offered[2] ? " " : "", offered[2]);
}

static int view_no_type(const char *forced, const struct trolley_span *types,
                        struct trolley_error *error)
{
    struct kit_buffer names = {.cap = sizeof error->message - 256};
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < types->count; i++) {
        const struct trolley_query_type *type = trolley_span_at(types, i);

        r = kit_buffer_printf(&names, "%s%s", i ? ", " : "", type->name);
    }
    r = error_set(error, TROLLEY_ERR_UNSUPPORTED_PARAM, "query type %s: not accepted, only %s",
                  forced, names.data ? names.data : "none");
    kit_buffer_free(&names);
    return r;
}

int query_view_new(const struct trolley_query *query, const char *forced,
                   const struct trolley_span *types, uint32_t levels, struct query_view **ret_view,
                   struct trolley_error *error)
{
    const struct trolley_query_type *only = NULL;
    struct query_view *view = NULL;
    uint32_t i;
    int r = view_check_level(query->level, levels, error);

    if (r < 0) return r;
    for (i = 0; r == 0 && !view && i < types->count; i++) {
        const struct trolley_query_type *type = trolley_span_at(types, i);

        if (forced && strcmp(type->name, forced) != 0) continue;
        if (forced) only = type;
        r = view_make(query, type, types, &view);
    }
    if (r < 0) return error_set(error, r, "out of memory");
    if (!view && forced && !only) return view_no_type(forced, types, error);
    if (!view) return view_refuse(query, only, types, error);
    *ret_view = view;
    return 0;
}
