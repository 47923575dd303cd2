/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <kit/url.h>
#include <time.h>
#include <trolley/helpers.h>

#include "fields.h"

/* Study dates go both or neither; these stand for an open end. */
#define REQUEST_FIRST_DATE "19000101"
#define REQUEST_LAST_DATE "29991231"

static bool request_is_date(enum mint_name name)
{
    return name == NAME_MIN_DATE || name == NAME_MAX_DATE;
}

/* The reference server matches exactly. */
static bool request_has_wildcard(const struct trolley_query_key *key)
{
    for (uint32_t i = 0; i < key->values.count; i++)
        if (strpbrk(trolley_span_text(&key->values, i), "*?")) return true;
    return false;
}

bool request_sends(const struct request_style *style, const struct trolley_query_key *key)
{
    enum mint_name name = key->path ? MINT_NAMES : names_of_key(key->name);
    const char *first = trolley_span_text(&key->values, 0);

    if (name == MINT_NAMES || name == NAME_LIMIT || !style->names.wire[name]) return false;
    if (!first || (key->values.count == 1 && !*first)) return false;
    if (style->dialect != MINT_REFERENCE) return true;
    return request_is_date(name) ? style->send_dates : !request_has_wildcard(key);
}

bool request_includes(const struct trolley_query *query, const char *keyword)
{
    for (uint32_t i = 0; i < query->include_fields.count; i++) {
        const struct trolley_query_key *field = trolley_span_at(&query->include_fields, i);

        if (!field->path && strcmp(field->name, keyword) == 0) return true;
    }
    return false;
}

static int request_add_keys(const struct request *request, struct kit_buffer *out)
{
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < request->query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&request->query->keys, i);
        enum mint_name name = names_of_key(key->name);

        if (!request_sends(request->style, key) || request_is_date(name)) continue;
        r = kit_url_query(out, request->style->names.wire[name],
                          trolley_span_text(&key->values, request->choice[i]));
    }
    return r;
}

/* The reference server's upper bound is exclusive. */
static void request_next_day(const char *date, char ret_date[16])
{
    struct tm day = {.tm_isdst = 0};
    time_t at;

    (void)snprintf(ret_date, 16, "%.8s", date);
    if (!strptime(date, "%Y%m%d", &day)) return;
    at = timegm(&day) + 24 * 60 * 60;
    if (gmtime_r(&at, &day)) (void)strftime(ret_date, 16, "%Y%m%d", &day);
}

static int request_add_dates(const struct request *request, struct kit_buffer *out)
{
    const char *min = trolley_query_text(request->query, "min_study_date");
    const char *max = trolley_query_text(request->query, "max_study_date");
    const struct mint_names *names = &request->style->names;
    char next[16];
    int r = 0;

    if (!min && !max) return 0;
    if (request->style->dialect == MINT_REFERENCE) {
        if (!request->style->send_dates) return 0;
        if (max) {
            request_next_day(max, next);
            max = next;
        }
    } else {
        if (!min) min = REQUEST_FIRST_DATE;
        if (!max) max = REQUEST_LAST_DATE;
    }
    if (min) r = kit_url_query(out, names->wire[NAME_MIN_DATE], min);
    if (r == 0 && max) r = kit_url_query(out, names->wire[NAME_MAX_DATE], max);
    return r;
}

static int request_add_field(struct kit_buffer *list, const char *keyword)
{
    return kit_buffer_printf(list, "%s%s", list->length ? "," : "", keyword);
}

/* What an answer is checked by comes along: the attributes of the keys that the level tells, and
 * StudyDate when a range is set. */
static int request_add_checked(const struct request *request, struct kit_buffer *list)
{
    const struct trolley_query *query = request->query;
    bool range = trolley_query_find_key(query, "min_study_date") ||
                 trolley_query_find_key(query, "max_study_date");
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);
        uint32_t level = fields_level(key->name);

        if (level == 0 || level > query->level || strstr(key->name, "InstanceUID")) continue;
        if (!request_includes(query, key->name)) r = request_add_field(list, key->name);
    }
    if (r == 0 && range && !request_includes(query, "StudyDate"))
        r = request_add_field(list, "StudyDate");
    return r;
}

static int request_add_fields(const struct request *request, struct kit_buffer *out)
{
    struct kit_buffer list = {0};
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < request->query->include_fields.count; i++) {
        const struct trolley_query_key *field = trolley_span_at(&request->query->include_fields, i);

        r = request_add_field(&list, field->name);
    }
    if (r == 0) r = request_add_checked(request, &list);
    if (r == 0 && list.length)
        r = kit_url_query(out, request->style->names.wire[NAME_FIELDS], list.data);
    kit_buffer_free(&list);
    return r;
}

static int request_add_number(struct kit_buffer *out, const char *name, uint64_t number)
{
    char text[24];

    if (number == 0) return 0;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return kit_url_query(out, name, text);
}

int request_search(const struct request *request, struct kit_buffer *out)
{
    static const char *const levels[] = {"", "STUDY", "SERIES", "INSTANCE"};
    const struct mint_names *names = &request->style->names;
    int r = kit_url_join(out, request->style->url, "/studies");

    if (r == 0) r = request_add_keys(request, out);
    if (r == 0) r = request_add_dates(request, out);
    if (r == 0 && names->wire[NAME_LEVEL])
        r = kit_url_query(out, names->wire[NAME_LEVEL], levels[request->query->level]);
    if (r == 0 && names->wire[NAME_FIELDS]) r = request_add_fields(request, out);
    if (r == 0) r = request_add_number(out, names->wire[NAME_LIMIT], request->limit);
    if (r == 0 && names->wire[NAME_OFFSET])
        r = request_add_number(out, names->wire[NAME_OFFSET], request->offset);
    return r;
}

int request_study(const struct request_style *style, const char *uuid, const char *document,
                  struct kit_buffer *out)
{
    struct kit_buffer path = {0};
    int r = kit_buffer_text(&path, "/studies/");

    if (r == 0) r = kit_url_encode(&path, uuid, "");
    if (r == 0) r = kit_buffer_printf(&path, "/DICOM/%s", document);
    if (r == 0) r = kit_url_join(out, style->url, path.data);
    kit_buffer_free(&path);
    return r;
}

bool request_uuid_is_safe(const char *uuid)
{
    return *uuid && strlen(uuid) <= 256 && !strchr(uuid, '/') && strcmp(uuid, ".") != 0 &&
           strcmp(uuid, "..") != 0;
}
