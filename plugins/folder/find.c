/* SPDX-License-Identifier: MIT */
#include "find.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "facts.h"
#include "kit/match.h"
#include "plan.h"
#include "plugins/dataset/record.h"
#include "shared.h"

/* What one file said about plan.wanted. */
struct file_value {
    char vr[4];
    bool json;
    char *creator, *text; /* text NULL: absent */
};

struct find {
    struct folder_shared *shared;
    const struct index *index;
    const struct trolley_record_sink *sink;
    struct trolley_task *task;
    struct plan plan;
    struct facts facts;
    struct record record;
    struct file_value values[PLAN_MAX];
    size_t loaded; /* instance that `values` are of, SIZE_MAX for none */
    bool readable; /* and whether it could be read */
};

/* ---- attributes from the file ---- */

static void forget_values(struct find *find)
{
    size_t i;

    for (i = 0; i < PLAN_MAX; i++) {
        free(find->values[i].text);
        free(find->values[i].creator);
        memset(&find->values[i], 0, sizeof find->values[i]);
    }
    find->loaded = SIZE_MAX;
}

static int take_value(void *ctx, size_t which, const struct folder_value *value)
{
    struct file_value *taken = &((struct find *)ctx)->values[which];

    memcpy(taken->vr, value->vr, sizeof taken->vr);
    taken->json = value->json;
    taken->text = strdup(value->text);
    if (value->private_creator) taken->creator = strdup(value->private_creator);
    return taken->text ? 0 : TROLLEY_ERR_NOMEM;
}

/* Reads what the plan wants of instance `at` into find->values. A file that is gone or has changed
 * counts as not there, with a note. */
static int load_values(struct find *find, size_t at)
{
    const struct index_instance *instance = &find->index->instances[at];
    struct folder_reader reader = {find->plan.wanted, find->plan.wanted_count,
                                   find->shared->charset, find, take_value};
    char problem[1024] = "";
    int fd, r;

    if (find->loaded == at) return 0;
    forget_values(find);
    find->loaded = at;
    fd = folder_open_instance(find->shared, instance, problem, sizeof problem);
    r = fd < 0 ? fd : folder_dcmtk_read(fd, &reader, problem, sizeof problem);
    if (fd >= 0) (void)close(fd);
    find->readable = r == 0;
    if (r == 0 || r == TROLLEY_ERR_NOMEM) return r;
    trolley_note(find->task, TROLLEY_LOG_WARNING, 0, NULL, "%s; it is left out", problem);
    return 0;
}

struct one_text {
    char *text;
};

static int take_text(void *ctx, size_t which, const struct folder_value *value)
{
    struct one_text *taken = ctx;

    (void)which;
    taken->text = strdup(value->text);
    return taken->text ? 0 : TROLLEY_ERR_NOMEM;
}

/* A column too long for the index, from the file; free() it. NULL when it is not there. */
static char *read_column(struct find *find, size_t at, int column)
{
    const struct folder_wanted wanted = {index_column(column)->tag, NULL};
    struct one_text taken = {NULL};
    struct folder_reader reader = {&wanted, 1, find->shared->charset, &taken, take_text};
    char problem[1024];
    int fd =
        folder_open_instance(find->shared, &find->index->instances[at], problem, sizeof problem);

    if (fd < 0) return NULL;
    (void)folder_dcmtk_read(fd, &reader, problem, sizeof problem);
    (void)close(fd);
    return taken.text;
}

/* ---- matching ---- */

static int match_text(const struct plan_key *key, const char *vr, const char *text)
{
    struct value_list list;
    struct trolley_span values;
    int r = value_list_set(&list, vr, text);

    if (r < 0) return r;
    values = value_list_span(&list);
    r = kit_match(vr, &key->values, &values) ? 1 : 0;
    value_list_free(&list);
    return r;
}

static int match_column(struct find *find, size_t at, const struct plan_key *key)
{
    const char *text = "";
    char *read = NULL;
    int r;

    if (index_value(&find->index->instances[at], key->column, &text) < 0) {
        read = read_column(find, at, key->column);
        if (read) text = read;
    }
    r = match_text(key, key->vr, text);
    free(read);
    return r;
}

static int match_computed(struct find *find, size_t at, const struct plan_key *key)
{
    struct kit_buffer text = {0};
    int r = facts_gather(&find->facts, find->index, at);

    if (r == 0) r = facts_text(&find->facts, find->index, at, key->tag, &text);
    if (r == 0) r = match_text(key, key->vr, text.data ? text.data : "");
    kit_buffer_free(&text);
    return r;
}

static int match_file(struct find *find, size_t at, const struct plan_key *key)
{
    const struct file_value *value = &find->values[key->which];
    int r = load_values(find, at);
    const char *vr = key->vr;

    if (r < 0) return r;
    if (!find->readable) return 0;
    /* What the dictionary does not know, the file may. */
    if ((!*vr || strcmp(vr, "UN") == 0) && value->vr[0]) vr = value->vr;
    return match_text(key, vr, value->text ? value->text : "");
}

/* 1 when the instance has everything that the keys ask for, 0 when not, or a status. The keys that
 * need no file come first. */
static int matches(struct find *find, size_t at)
{
    static const enum plan_source order[] = {PLAN_COLUMN, PLAN_COMPUTED, PLAN_FILE};
    int (*const match[])(struct find *, size_t, const struct plan_key *) = {
        [PLAN_COLUMN] = match_column, [PLAN_COMPUTED] = match_computed, [PLAN_FILE] = match_file};
    size_t i, k;

    for (i = 0; i < 3; i++)
        for (k = 0; k < find->plan.key_count; k++) {
            const struct plan_key *key = &find->plan.keys[k];
            int r = key->source == order[i] ? match[key->source](find, at, key) : 1;

            if (r <= 0) return r;
        }
    return 1;
}

/* ---- answers ---- */

static int add_column(struct find *find, size_t at, int column, uint32_t tag)
{
    const char *text = "";
    char *read = NULL;
    int r = index_value(&find->index->instances[at], column, &text);

    if (r < 0) {
        read = read_column(find, at, column);
        text = read;
    }
    r = r == 0 || !text
            ? 0
            : record_add(&find->record, tag, index_column(column)->vr, text, false, NULL);
    free(read);
    return r;
}

static int add_computed(struct find *find, size_t at, uint32_t tag)
{
    struct kit_buffer text = {0};
    int r = facts_gather(&find->facts, find->index, at);

    if (r == 0) r = facts_text(&find->facts, find->index, at, tag, &text);
    if (r == 0)
        r = record_add(&find->record, tag, facts_vr(tag), text.data ? text.data : "", false, NULL);
    kit_buffer_free(&text);
    return r;
}

/* Everything the index has for the level and those above. */
static int add_defaults(struct find *find, size_t at)
{
    static const uint32_t of_study[] = {0x00080061, 0x00080062, 0x00201206, 0x00201208};
    int rows = (int)find->plan.level - TROLLEY_LEVEL_STUDY, column, r = 0;
    size_t i;

    for (column = 0; index_column(column) && r == 0; column++) {
        uint32_t tag = index_column(column)->tag;

        if (index_column(column)->row <= rows)
            r = add_column(find, at, column, tag == 0x00020010 ? 0x00083002 : tag);
    }
    for (i = 0; i < 4 && r == 0 && find->plan.level == TROLLEY_LEVEL_STUDY; i++)
        r = add_computed(find, at, of_study[i]);
    if (r == 0 && find->plan.level == TROLLEY_LEVEL_SERIES) r = add_computed(find, at, 0x00201209);
    return r;
}

/* The attributes of `keys` that the index or the facts have. */
static int add_named(struct find *find, size_t at, const struct trolley_span *keys)
{
    uint32_t i;
    int r = 0;

    for (i = 0; i < keys->count && r == 0; i++) {
        const struct trolley_query_key *key = trolley_span_at(keys, i);
        int column = key->path ? -1 : index_find_column(plan_stored_tag(key->tag));

        if (column >= 0)
            r = add_column(find, at, column, key->tag);
        else if (!key->path && facts_is_computed(key->tag))
            r = add_computed(find, at, key->tag);
    }
    return r;
}

static int add_from_file(struct find *find, size_t at)
{
    size_t i;
    int r = find->plan.wanted_count ? load_values(find, at) : 0;

    for (i = 0; i < find->plan.wanted_count && r == 0; i++) {
        const struct file_value *value = &find->values[i];

        if (value->text && !find->plan.wanted[i].path)
            r = record_add(&find->record, find->plan.wanted[i].tag, value->vr, value->text,
                           value->json, value->creator);
    }
    return r;
}

static int answer(struct find *find, size_t at)
{
    struct trolley_record record = {.size = sizeof record, .level = find->plan.level};
    int r = add_defaults(find, at);

    if (r == 0) r = add_named(find, at, &find->plan.query->keys);
    if (r == 0) r = add_named(find, at, &find->plan.query->include_fields);
    if (r == 0) r = add_from_file(find, at);
    record.elements = (struct trolley_span){find->record.elements, find->record.count,
                                            sizeof find->record.elements[0]};
    if (r == 0) r = find->sink->record(find->sink->ctx, &record);
    record_reset(&find->record);
    return r;
}

/* The part of the index that the query's UIDs leave. */
static struct index_range query_range(const struct find *find)
{
    const struct trolley_query_key *key =
        trolley_query_find_key(find->plan.query, "StudyInstanceUID");
    const char *study = key && key->values.count == 1 ? trolley_span_text(&key->values, 0) : NULL;

    if (study && (!*study || strpbrk(study, "*?"))) study = NULL;
    return index_below(find->index, study, NULL, NULL);
}

/* An object matches when one of its instances does; that one speaks for it. */
static int find_in(struct find *find, size_t first, size_t end)
{
    size_t i;

    for (i = first; i < end; i++) {
        int r = find->task->cancelled(find->task) ? TROLLEY_ERR_CANCELLED : matches(find, i);

        if (r > 0) return answer(find, i);
        if (r < 0) return r;
    }
    return 0;
}

static int find_all(struct find *find)
{
    struct index_range range = query_range(find);
    size_t at, end;
    int r = 0;

    for (at = range.first; at < range.end && r == 0; at = end) {
        end = index_group_end(find->index, at, find->plan.level);
        r = find_in(find, at, end);
    }
    return r;
}

int32_t folder_find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct find *find = calloc(1, sizeof *find);
    int r;

    if (!find) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    find->shared = self;
    find->sink = sink;
    find->task = task;
    find->loaded = SIZE_MAX;
    r = plan_make(&find->plan, query, find->shared->section, task);
    if (r == 0) r = folder_index(find->shared, task, &find->index);
    if (r == 0) r = find_all(find);
    record_reset(&find->record);
    forget_values(find);
    facts_free(&find->facts);
    free(find);
    return r;
}

int32_t folder_check(void *self, const struct trolley_query *query, struct trolley_task *task)
{
    struct folder_shared *shared = self;
    struct plan *plan = malloc(sizeof *plan);
    int r;

    if (!plan) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    r = plan_make(plan, query, shared->section, task);
    free(plan);
    return r;
}
