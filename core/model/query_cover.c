/* SPDX-License-Identifier: MIT */
#include "core/model/query_cover.h"

#include <string.h>
#include <strings.h>

#include <trolley/helpers.h>

#include "core/model/query_builder.h"

/* Looks a key up among the parameters of a type. */
struct cover_search {
    const struct trolley_query_key *key;
    const struct trolley_query_param *found;
};

static void cover_look(void *ctx, const struct trolley_query_param *param)
{
    struct cover_search *search = ctx;
    const struct trolley_query_key *key = search->key;
    const bool is_attribute = param->type == TROLLEY_PARAM_ATTRIBUTE;

    if (key->path || is_attribute != (key->tag != 0)) return;
    if (strcmp(param->key, key->name) == 0) search->found = param;
}

static bool cover_is_study_date(const struct trolley_query_key *key)
{
    return key->tag == 0 && (strcmp(key->name, QUERY_MIN_STUDY_DATE) == 0 ||
                             strcmp(key->name, QUERY_MAX_STUDY_DATE) == 0);
}

/* A type that has StudyDate as an attribute, with no key for it set by itself. */
static bool cover_by_range(const struct trolley_query_type *type, const struct trolley_span *types,
                           const struct trolley_query *query, uint32_t flags)
{
    const struct trolley_query_key study_date = {
        .size = sizeof study_date, .tag = QUERY_TAG_STUDY_DATE, .name = "StudyDate"};
    struct cover_search search = {&study_date, NULL};

    if (trolley_query_find_key(query, study_date.name)) return false;
    (void)trolley_query_type_params(type, types, cover_look, &search);
    return search.found || (flags & TROLLEY_QUERY_ANY_ATTRIBUTE);
}

static bool cover_is_int(const char *text)
{
    size_t length = strspn(text, "0123456789");

    return length > 0 && length <= 18 && !text[length];
}

/* Reads a yes or no as the INI file does; the values a plugin gets are "0" and "1". */
static bool cover_bool(const char *text, struct trolley_span *ret_values)
{
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true", "off", "on"};
    static const char *const values[] = {"0", "1"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *ret_values = (struct trolley_span){&values[i % 2], 1, sizeof values[0]};
        return true;
    }
    return false;
}

static enum query_cover cover_value(const struct trolley_query_param *param,
                                    const struct trolley_query_key *key,
                                    struct trolley_span *ret_values, const char **ret_wanted)
{
    const char *text = trolley_span_text(&key->values, 0);
    char date[9];
    bool ok = true;

    *ret_values = key->values;
    if (param->type == TROLLEY_PARAM_ATTRIBUTE) return QUERY_COVERED;
    if (!text) text = "";
    switch (param->type) {
    case TROLLEY_PARAM_INT:
        *ret_wanted = "a whole number";
        ok = cover_is_int(text);
        break;
    case TROLLEY_PARAM_BOOL:
        *ret_wanted = "yes or no";
        ok = cover_bool(text, ret_values);
        break;
    case TROLLEY_PARAM_DATE:
        *ret_wanted = "a date (YYYYMMDD)";
        ok = query_value_date(key->name, text, date, NULL) == 0 && strcmp(date, text) == 0;
        break;
    default:
        break;
    }
    return ok ? QUERY_COVERED : QUERY_BAD_VALUE;
}

enum query_cover query_cover_key(const struct trolley_query_type *type,
                                 const struct trolley_span *types,
                                 const struct trolley_query *query,
                                 const struct trolley_query_key *key,
                                 struct trolley_span *ret_values, const char **ret_wanted)
{
    struct cover_search search = {key, NULL};
    uint32_t flags = trolley_query_type_params(type, types, cover_look, &search);

    if (search.found) return cover_value(search.found, key, ret_values, ret_wanted);
    *ret_values = key->values;
    if (key->tag != 0 && (flags & TROLLEY_QUERY_ANY_ATTRIBUTE)) return QUERY_COVERED;
    if (cover_is_study_date(key) && cover_by_range(type, types, query, flags))
        return QUERY_COVERED_AS_STUDY_DATE;
    return QUERY_NOT_COVERED;
}
