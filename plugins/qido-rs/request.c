/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <kit/match.h>
#include <kit/url.h>
#include <trolley/helpers.h>

#include "plugins/dataset/attribute.h"

/* Asked for at each level beside what the query includes: what the host counts and fetches by. The
 * unique keys of upper levels come first; those in the path are left out. */
static const struct request_field {
    uint32_t level, tag;
    const char *name;
} request_fields[] = {
    {TROLLEY_LEVEL_STUDY, 0x00201206, "NumberOfStudyRelatedSeries"},
    {TROLLEY_LEVEL_STUDY, 0x00201208, "NumberOfStudyRelatedInstances"},
    {TROLLEY_LEVEL_STUDY, 0x00080061, "ModalitiesInStudy"},
    {TROLLEY_LEVEL_SERIES, TAG_STUDY_UID, "StudyInstanceUID"},
    {TROLLEY_LEVEL_SERIES, 0x00080060, "Modality"},
    {TROLLEY_LEVEL_SERIES, 0x00201209, "NumberOfSeriesRelatedInstances"},
    {TROLLEY_LEVEL_INSTANCE, TAG_STUDY_UID, "StudyInstanceUID"},
    {TROLLEY_LEVEL_INSTANCE, TAG_SERIES_UID, "SeriesInstanceUID"},
    {TROLLEY_LEVEL_INSTANCE, 0x00080016, "SOPClassUID"},
    {TROLLEY_LEVEL_INSTANCE, 0x00083002, "AvailableTransferSyntaxUID"},
};

static bool request_in_path(const struct request *request, uint32_t tag, const char *path)
{
    if (path) return false;
    return (tag == TAG_STUDY_UID && request->study) || (tag == TAG_SERIES_UID && request->series);
}

/* The level at which a key or field is asked: never below the query's own. */
static uint32_t request_key_level(const struct request *request,
                                  const struct trolley_query_key *key)
{
    uint32_t level = attribute_key_level(key);

    return level < request->query->level ? level : request->query->level;
}

static bool request_covers(const struct request *request, const struct trolley_query_key *key)
{
    return !request->step || request_key_level(request, key) == request->level;
}

/* Is this matching key part of the request? A step leaves the others to other levels. */
static bool request_has_key(const struct request *request, const struct trolley_query_key *key)
{
    return key->tag && request_covers(request, key) &&
           !request_in_path(request, key->tag, key->path);
}

static const char *request_key_name(const struct trolley_query_key *key)
{
    return key->path ? key->path : key->name;
}

/* ---- matching keys ---- */

static int request_add_list(struct kit_buffer *out, const struct trolley_query_key *key)
{
    struct kit_buffer list = {0};
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < key->values.count; i++)
        r = kit_buffer_printf(&list, "%s%s", i ? "," : "", trolley_span_text(&key->values, i));
    if (r == 0 && list.length) r = kit_url_query(out, request_key_name(key), list.data);
    kit_buffer_free(&list);
    return r;
}

/* Keys without a value match everything: they are asked for as include fields. */
static bool request_key_is_empty(const struct request *request, uint32_t i)
{
    const struct trolley_query_key *key = trolley_span_at(&request->query->keys, i);
    const char *text = trolley_span_text(&key->values, 0);

    return key->values.count == 0 || (key->values.count == 1 && (!text || !*text));
}

static const char *request_key_value(const struct request *request, uint32_t i)
{
    const struct trolley_query_key *key = trolley_span_at(&request->query->keys, i);

    return trolley_span_text(&key->values, request->choice[i]);
}

/* ---- loose values ---- */

static bool request_vr_takes_wildcards(const char *vr)
{
    static const char vrs[] = "AE CS LO LT PN SH ST UC UR UT";

    return strlen(vr) == 2 && strstr(vrs, vr);
}

/* Is this key's value one that percent-encoding changes and wildcards can stand for? */
static bool request_key_loosens(const struct request *request, uint32_t i)
{
    const struct trolley_query_key *key = trolley_span_at(&request->query->keys, i);
    const char *value;

    if (!request_has_key(request, key) || key->path || request->choice[i] == REQUEST_LIST)
        return false;
    if (!request_vr_takes_wildcards(key->vr)) return false;
    value = request_key_value(request, i);
    while (value && *value && kit_url_query_keeps(*value))
        value++;
    return value && *value;
}

bool request_loosens(const struct request *request)
{
    uint32_t i;

    for (i = 0; !request->loose && i < request->query->keys.count; i++)
        if (request_key_loosens(request, i)) return true;
    return false;
}

/* `?` for each character of ASCII; `*` for others, whose length in the server's own character set
 * nobody knows. */
static int request_add_loose(struct kit_buffer *out, const char *name, const char *value)
{
    struct kit_buffer text = {0};
    int r = 0;

    for (; r == 0 && *value; value++) {
        bool ascii = (unsigned char)*value < 0x80;

        if (kit_url_query_keeps(*value))
            r = kit_buffer_append(&text, value, 1);
        else if (ascii)
            r = kit_buffer_text(&text, "?");
        else if (text.length == 0 || text.data[text.length - 1] != '*')
            r = kit_buffer_text(&text, "*");
    }
    if (r == 0) r = kit_url_query(out, name, text.data);
    kit_buffer_free(&text);
    return r;
}

bool request_matches(const struct request *request, const struct kit_dicom_json *object)
{
    uint32_t i;

    for (i = 0; i < request->query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&request->query->keys, i);
        const struct trolley_element *element;
        const char *value;
        struct trolley_span values = {&value, 1, sizeof value};

        if (!request_key_loosens(request, i)) continue;
        value = request_key_value(request, i);
        element = kit_dicom_json_find(object, key->tag);
        if (!element || !kit_match(key->vr, &values, &element->values)) return false;
    }
    return true;
}

static int request_add_keys(const struct request *request, struct kit_buffer *out)
{
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < request->query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&request->query->keys, i);

        if (!request_has_key(request, key)) continue;
        if (request_key_is_empty(request, i)) continue;
        if (request->choice[i] == REQUEST_LIST)
            r = request_add_list(out, key);
        else if (request->loose && request_key_loosens(request, i))
            r = request_add_loose(out, request_key_name(key), request_key_value(request, i));
        else
            r = kit_url_query(out, request_key_name(key), request_key_value(request, i));
    }
    return r;
}

/* Range matching [PS3.18 8.3.4.1]: a-b, a-, -b. */
static int request_add_dates(const struct request *request, struct kit_buffer *out)
{
    const char *min = trolley_query_text(request->query, "min_study_date");
    const char *max = trolley_query_text(request->query, "max_study_date");
    char range[64];

    if (!min && !max) return 0;
    if (request->step && request->level != TROLLEY_LEVEL_STUDY) return 0;
    (void)snprintf(range, sizeof range, "%.16s-%.16s", min ? min : "", max ? max : "");
    if (min && max && strcmp(min, max) == 0) (void)snprintf(range, sizeof range, "%.16s", min);
    return kit_url_query(out, "StudyDate", range);
}

/* ---- include fields ---- */

static int request_add_field(const struct request *request, struct kit_buffer *list,
                             struct kit_buffer *out, const char *name)
{
    if (request->style->include == REQUEST_INCLUDE_REPEAT)
        return kit_url_query(out, "includefield", name);
    return kit_buffer_printf(list, "%s%s", list->length ? "," : "", name);
}

/* The fields of the query that this request asks for, from `keys`: its include fields, or its keys
 * without a value. */
static int request_add_asked(const struct request *request, const struct trolley_span *keys,
                             struct kit_buffer *list, struct kit_buffer *out)
{
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < keys->count; i++) {
        const struct trolley_query_key *key = trolley_span_at(keys, i);

        if (key->tag == 0 || !request_covers(request, key)) continue;
        if (request_in_path(request, key->tag, key->path)) continue;
        if (keys == &request->query->keys && !request_key_is_empty(request, i) &&
            !(request->loose && request_key_loosens(request, i)))
            continue;
        r = request_add_field(request, list, out, request_key_name(key));
    }
    return r;
}

static bool request_asks(const struct request *request, uint32_t tag)
{
    uint32_t i;

    for (i = 0; i < request->query->include_fields.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&request->query->include_fields, i);

        if (key->tag == tag && !key->path) return true;
    }
    return false;
}

static int request_add_own(const struct request *request, struct kit_buffer *list,
                           struct kit_buffer *out)
{
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < sizeof request_fields / sizeof request_fields[0]; i++) {
        const struct request_field *field = &request_fields[i];

        if (field->level != request->level || request_in_path(request, field->tag, NULL)) continue;
        if (request_asks(request, field->tag)) continue;
        r = request_add_field(request, list, out, field->name);
    }
    return r;
}

static int request_add_fields(const struct request *request, struct kit_buffer *out)
{
    struct kit_buffer list = {0};
    int r;

    if (request->style->include == REQUEST_INCLUDE_ALL)
        return kit_url_query(out, "includefield", "all");
    r = request_add_own(request, &list, out);
    if (r == 0) r = request_add_asked(request, &request->query->include_fields, &list, out);
    if (r == 0) r = request_add_asked(request, &request->query->keys, &list, out);
    if (r == 0 && list.length) r = kit_url_query(out, "includefield", list.data);
    kit_buffer_free(&list);
    return r;
}

/* ---- the whole ---- */

static int request_path(const struct request *request, struct kit_buffer *path)
{
    static const char *const resources[] = {"", "/studies", "/series", "/instances"};
    int r = 0;

    if (request->study) r = kit_buffer_printf(path, "/studies/%s", request->study);
    if (r == 0 && request->series) r = kit_buffer_printf(path, "/series/%s", request->series);
    return r < 0 ? r : kit_buffer_text(path, resources[request->level]);
}

static int request_add_number(struct kit_buffer *out, const char *name, uint64_t number)
{
    char text[24];

    if (number == 0) return 0;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return kit_url_query(out, name, text);
}

static int request_add_fuzzymatching(const struct request *request, struct kit_buffer *out)
{
    const char *asked = trolley_query_text(request->query, "fuzzymatching");
    int fuzzy = asked ? strcmp(asked, "1") == 0 : request->style->fuzzymatching;

    return fuzzy < 0 ? 0 : kit_url_query(out, "fuzzymatching", fuzzy ? "true" : "false");
}

int request_url(const struct request *request, uint64_t limit, uint64_t offset,
                struct kit_buffer *out)
{
    struct kit_buffer path = {0};
    int r = request_path(request, &path);

    if (r == 0) r = kit_url_join(out, request->style->url, path.data);
    if (r == 0) r = request_add_keys(request, out);
    if (r == 0) r = request_add_dates(request, out);
    if (r == 0) r = request_add_fields(request, out);
    if (r == 0) r = request_add_fuzzymatching(request, out);
    if (r == 0) r = request_add_number(out, "limit", limit);
    if (r == 0) r = request_add_number(out, "offset", offset);
    kit_buffer_free(&path);
    return r;
}

int request_describe(const struct request *request, struct kit_buffer *out)
{
    int r = kit_buffer_text(out, "GET ");

    return r < 0 ? r : request_path(request, out);
}
