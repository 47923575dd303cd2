/* Matching answers again. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <kit/match.h>
#include <trolley/helpers.h>

#include "core/model/query.h"
#include "core/model/query_builder.h"

/* The record's element of that tag whose values can be compared; NULL when there is none. */
static const struct trolley_element *match_element(const struct trolley_record *record,
                                                   uint32_t tag)
{
    uint32_t i;

    for (i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        if (element->tag != tag) continue;
        if (element->flags & (TROLLEY_ELEMENT_BULK_URI | TROLLEY_ELEMENT_JSON)) return NULL;
        return element;
    }
    return NULL;
}

static bool match_values(const char *vr, const struct trolley_span *keys,
                         const struct trolley_element *element)
{
    const struct trolley_span none = {NULL, 0, sizeof(const char *)};

    return kit_match(vr, keys, element->flags & TROLLEY_ELEMENT_NULL ? &none : &element->values);
}

static bool match_attribute(const struct trolley_query_key *key,
                            const struct trolley_element *element)
{
    char vr[3] = "";

    memcpy(vr, *key->vr ? key->vr : element->vr, 2);
    return match_values(*vr ? vr : trolley_vr(key->tag), &key->values, element);
}

/* min_study_date and max_study_date against the study's date. */
static bool match_study_date(const struct trolley_query_key *key,
                             const struct trolley_element *element)
{
    const char *date = trolley_span_text(&key->values, 0);
    bool is_min = strcmp(key->name, QUERY_MIN_STUDY_DATE) == 0;
    char range[16];
    const char *const values[] = {range};
    const struct trolley_span keys = TROLLEY_SPAN(values);

    (void)snprintf(range, sizeof range, is_min ? "%.8s-" : "-%.8s", date ? date : "");
    return match_values("DA", &keys, element);
}

/* The tag whose attribute a key is compared with; 0 when it cannot be compared. */
static uint32_t match_tag(const struct trolley_query_key *key, bool fuzzy)
{
    if (key->path) return 0;
    if (key->tag == 0 && (strcmp(key->name, QUERY_MIN_STUDY_DATE) == 0 ||
                          strcmp(key->name, QUERY_MAX_STUDY_DATE) == 0))
        return QUERY_TAG_STUDY_DATE;
    if (fuzzy && strncmp(key->vr, "PN", 2) == 0) return 0;
    return key->tag;
}

enum query_match query_match_record(const struct trolley_query *query,
                                    const struct trolley_record *record, bool fuzzy, uint8_t *seen)
{
    const char *asked = trolley_query_text(query, QUERY_FUZZY_MATCHING);
    enum query_match answer = QUERY_MATCH_YES;
    uint32_t i;

    if (asked) fuzzy = strcmp(asked, "1") == 0;
    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);
        uint32_t tag = match_tag(key, fuzzy);
        const struct trolley_element *element = tag ? match_element(record, tag) : NULL;

        if (!element) continue;
        seen[i] = 1;
        if (!(key->tag ? match_attribute(key, element) : match_study_date(key, element)))
            answer = QUERY_MATCH_NO;
    }
    return answer;
}
