/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "facts.h"
#include "index.h"

enum {
    SPECIFIC_CHARACTER_SET = 0x00080005,
    STUDY_DATE = 0x00080020,
    AVAILABLE_TRANSFER_SYNTAX_UID = 0x00083002,
    TRANSFER_SYNTAX_UID = 0x00020010
};

uint32_t plan_stored_tag(uint32_t tag)
{
    return tag == AVAILABLE_TRANSFER_SYNTAX_UID ? TRANSFER_SYNTAX_UID : tag;
}

/* A key without a value, or with an empty one, selects everything [PS3.4 C.2.2.2.3]. */
static bool selects(const struct trolley_query_key *key)
{
    uint32_t i;

    for (i = 0; i < key->values.count; i++)
        if (!*trolley_span_text(&key->values, i)) return false;
    return key->values.count > 0;
}

/* Sequences and binary data have nothing to match. */
static bool matchable(const char *vr)
{
    static const char *const not [] = {"SQ", "OB", "OW", "OF", "OD", "OL", "OV"};
    size_t i;

    for (i = 0; i < sizeof not / sizeof not [0]; i++)
        if (strncmp(vr, not [i], 2) == 0) return false;
    return true;
}

static int refuse(const struct trolley_query_key *key, const char *section,
                  struct trolley_task *task, const char *why)
{
    return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM, "folder \"%s\": %s %s", section,
                        key->name, why);
}

/* Puts an attribute among those read from files. Returns its place, or -1 when there are too many.
 */
static int want(struct plan *plan, uint32_t tag, const char *path)
{
    size_t i;

    for (i = 0; i < plan->wanted_count; i++) {
        const struct folder_wanted *have = &plan->wanted[i];

        if (have->tag == tag && !have->path == !path && (!path || strcmp(have->path, path) == 0))
            return (int)i;
    }
    if (plan->wanted_count == PLAN_MAX) return -1;
    plan->wanted[plan->wanted_count] = (struct folder_wanted){tag, path};
    return (int)plan->wanted_count++;
}

static int add_key(struct plan *plan, const struct trolley_query_key *key, const char *section,
                   struct trolley_task *task)
{
    struct plan_key *added = &plan->keys[plan->key_count];
    int place;

    if (!selects(key)) return 0;
    if (!matchable(key->vr)) return refuse(key, section, task, "has no text to match");
    if (plan->key_count == PLAN_MAX) return refuse(key, section, task, "is one key too many");
    added->tag = key->tag;
    added->vr = key->vr;
    added->values = key->values;
    added->column = key->path ? -1 : index_find_column(plan_stored_tag(key->tag));
    if (!key->path && facts_is_computed(key->tag)) {
        added->source = PLAN_COMPUTED;
        added->vr = facts_vr(key->tag);
    } else if (added->column >= 0) {
        added->source = PLAN_COLUMN;
        added->vr = index_column(added->column)->vr;
    } else {
        added->source = PLAN_FILE;
        place = want(plan, key->tag, key->path);
        if (place < 0) return refuse(key, section, task, "is one key too many");
        added->which = (size_t)place;
    }
    plan->key_count++;
    return 0;
}

/* min_study_date and max_study_date make a range of Study Date. */
static int add_dates(struct plan *plan, const struct trolley_query *query, const char *section,
                     struct trolley_task *task)
{
    const char *from = trolley_query_text(query, "min_study_date");
    const char *to = trolley_query_text(query, "max_study_date");
    struct trolley_query_key key = {.tag = STUDY_DATE, .name = "StudyDate", .vr = "DA"};

    if (!from && !to) return 0;
    (void)snprintf(plan->dates, sizeof plan->dates, "%.8s-%.8s", from ? from : "", to ? to : "");
    plan->dates_value = plan->dates;
    key.values = (struct trolley_span){&plan->dates_value, 1, sizeof plan->dates_value};
    return add_key(plan, &key, section, task);
}

/* Wants an attribute to be returned: one within sequences with the whole outermost sequence. */
static void want_returned(struct plan *plan, const struct trolley_query_key *key)
{
    uint32_t tag = key->path ? (uint32_t)strtoul(key->path, NULL, 16) : key->tag;

    if (tag == 0 || tag == SPECIFIC_CHARACTER_SET || facts_is_computed(tag) ||
        index_find_column(plan_stored_tag(tag)) >= 0)
        return;
    (void)want(plan, tag, NULL);
}

int plan_make(struct plan *plan, const struct trolley_query *query, const char *section,
              struct trolley_task *task)
{
    uint32_t i;
    int r;

    memset(plan, 0, sizeof *plan);
    plan->query = query;
    plan->level = query->level;
    r = add_dates(plan, query, section, task);
    for (i = 0; i < query->keys.count && r == 0; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        if (key->tag)
            r = add_key(plan, key, section, task);
        else if (strcmp(key->name, "min_study_date") != 0 &&
                 strcmp(key->name, "max_study_date") != 0)
            r = refuse(key, section, task, "is no parameter of this searcher");
    }
    plan->wanted_by_keys = plan->wanted_count;
    for (i = 0; i < query->keys.count; i++)
        want_returned(plan, trolley_span_at(&query->keys, i));
    for (i = 0; i < query->include_fields.count; i++)
        want_returned(plan, trolley_span_at(&query->include_fields, i));
    return r;
}
