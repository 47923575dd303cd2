/* SPDX-License-Identifier: MIT */
#include "core/retrieve/study.h"

#include <stdlib.h>
#include <string.h>

#define FAILURES_KEPT 1024 /* different ones; some 1 MiB */

static const char *study_text(struct study *study, const char *text)
{
    const size_t length = strlen(text) + 1;
    void *copy;

    if (arena_alloc(&study->arena, length, &copy) < 0) return NULL;
    memcpy(copy, text, length);
    return copy;
}

/* Room for one more in a growing array. */
static int room(void *array, uint32_t count, uint32_t *capacity, size_t size)
{
    void **items = array;
    uint32_t wanted = *capacity ? *capacity * 2 : 16;
    void *grown;

    if (count < *capacity) return 0;
    if (wanted > INT32_MAX) return TROLLEY_ERR_TOO_LARGE;
    grown = reallocarray(*items, wanted, size);
    if (!grown) return TROLLEY_ERR_NOMEM;
    *items = grown;
    *capacity = wanted;
    return 0;
}

struct study *study_new(const char *uid)
{
    struct study *study = calloc(1, sizeof *study);

    if (!study) return NULL;
    memcpy(study->uid, uid, strnlen(uid, KIT_UID_MAX));
    study->arena.cap = (size_t)4 << 30;
    hash_key_init(&study->hash_key);
    if (room(&study->failures, 0, &study->failure_room, sizeof *study->failures) < 0 ||
        room(&study->names, 0, &study->name_room, sizeof *study->names) < 0) {
        study_free(study);
        return NULL;
    }
    study->failure_count = study->name_count = 1;
    study->names[0] = NULL;
    return study;
}

void study_free(struct study *study)
{
    if (!study) return;
    arena_free(&study->arena);
    free(study->entries);
    free(study->series);
    free(study->failures);
    free(study->names);
    free(study->slots);
    free(study);
}

uint32_t study_find_series(const struct study *study, const char *uid)
{
    uint32_t i;

    /* From the end: records come series by series. */
    for (i = study->series_count; i > 0; i--)
        if (strcmp(study->series[i - 1].uid, uid) == 0) return i - 1;
    return ENTRY_NONE;
}

int study_series(struct study *study, const char *uid, uint32_t *ret_index)
{
    const uint32_t found = study_find_series(study, uid);
    struct series *series;
    int r;

    if (found != ENTRY_NONE) {
        *ret_index = found;
        return 0;
    }
    r = room(&study->series, study->series_count, &study->series_room, sizeof *study->series);
    if (r < 0) return r;
    series = &study->series[study->series_count];
    memset(series, 0, sizeof *series);
    series->first = series->last = ENTRY_NONE;
    series->uid = study_text(study, uid);
    if (!series->uid) return TROLLEY_ERR_NOMEM;
    *ret_index = study->series_count++;
    return 0;
}

/* SOP classes and transfer syntaxes are few: a linear table of at most 2^16. */
uint16_t study_name(struct study *study, const char *text)
{
    uint32_t i;

    if (!text || !*text) return 0;
    for (i = 1; i < study->name_count; i++)
        if (strcmp(study->names[i], text) == 0) return (uint16_t)i;
    if (study->name_count >= 1024 ||
        room(&study->names, study->name_count, &study->name_room, sizeof *study->names) < 0)
        return 0;
    study->names[i] = study_text(study, text);
    if (!study->names[i]) return 0;
    study->name_count++;
    return (uint16_t)i;
}

/* The slot of a UID: where it is, or where it would go. */
static uint32_t study_slot(const struct study *study, const char *uid)
{
    uint32_t i = (uint32_t)hash_bytes(&study->hash_key, uid, strlen(uid)) & (study->slot_count - 1);

    while (study->slots[i] && strcmp(study->entries[study->slots[i] - 1].uid, uid) != 0)
        i = (i + 1) & (study->slot_count - 1);
    return i;
}

static int study_grow_slots(struct study *study)
{
    uint32_t *old = study->slots, count = study->slot_count, i;
    uint32_t *slots;

    if (study->entry_count + 1 < count / 4 * 3) return 0;
    slots = calloc(count ? (size_t)count * 2 : 64, sizeof *slots);
    if (!slots) return TROLLEY_ERR_NOMEM;
    study->slots = slots;
    study->slot_count = count ? count * 2 : 64;
    for (i = 0; i < count; i++)
        if (old[i]) slots[study_slot(study, study->entries[old[i] - 1].uid)] = old[i];
    free(old);
    return 0;
}

uint32_t study_lookup(const struct study *study, const char *uid)
{
    uint32_t slot;

    if (!study->slot_count || !uid) return ENTRY_NONE;
    slot = study_slot(study, uid);
    return study->slots[slot] ? study->slots[slot] - 1 : ENTRY_NONE;
}

static void study_link(struct study *study, uint32_t index)
{
    struct series *series = &study->series[study->entries[index].series];

    if (series->first == ENTRY_NONE)
        series->first = index;
    else
        study->entries[series->last].next_in_series = index;
    series->last = index;
    series->entries++;
    if (study->entries[index].level == TROLLEY_LEVEL_INSTANCE) series->instances++;
}

int study_add(struct study *study, uint32_t level, const char *series_uid, const char *uid,
              const char *sop_class, const char *transfer_syntax, uint32_t *ret_index)
{
    struct entry entry = {.series = ENTRY_NONE, .next_in_series = ENTRY_NONE};
    uint32_t found = level == TROLLEY_LEVEL_INSTANCE ? study_lookup(study, uid) : ENTRY_NONE;
    int r;

    if (found != ENTRY_NONE) {
        study->entries[found].flags &= (uint8_t)~ENTRY_UNASKED;
        *ret_index = found;
        return 0;
    }
    r = room(&study->entries, study->entry_count, &study->entry_room, sizeof *study->entries);
    if (r == 0) r = study_grow_slots(study);
    if (r == 0 && level >= TROLLEY_LEVEL_SERIES) r = study_series(study, series_uid, &entry.series);
    if (r < 0) return r;
    entry.level = (uint8_t)level;
    entry.sop_class = study_name(study, sop_class);
    entry.transfer_syntax = study_name(study, transfer_syntax);
    if (level == TROLLEY_LEVEL_INSTANCE) {
        entry.uid = study_text(study, uid);
        if (!entry.uid) return TROLLEY_ERR_NOMEM;
    }
    study->entries[study->entry_count] = entry;
    if (entry.uid) study->slots[study_slot(study, uid)] = study->entry_count + 1;
    if (entry.series != ENTRY_NONE) study_link(study, study->entry_count);
    *ret_index = study->entry_count++;
    return 0;
}

/* Is there an entry for this study (series ENTRY_NONE) or series as such? */
static bool study_is_blind(const struct study *study, uint32_t series)
{
    const uint32_t level = series == ENTRY_NONE ? TROLLEY_LEVEL_STUDY : TROLLEY_LEVEL_SERIES;
    uint32_t i;

    for (i = 0; i < study->entry_count; i++) {
        const struct entry *entry = &study->entries[i];

        if (entry->level == level && entry->series == series && entry->state != ENTRY_NAMED &&
            !(entry->flags & ENTRY_HOPELESS))
            return true;
    }
    return false;
}

void study_count(struct study *study, const struct trolley_ref *ref, uint32_t related)
{
    uint32_t *known = &study->related, series = ENTRY_NONE;

    if (ref->level == TROLLEY_LEVEL_INSTANCE) return;
    if (ref->level == TROLLEY_LEVEL_SERIES) {
        series = study_find_series(study, ref->series);
        if (series == ENTRY_NONE) return;
        known = &study->series[series].related;
    }
    if (related > *known && study_is_blind(study, series)) *known = related;
}

/* One counted series, whose entry is `wide`. */
static void study_name_series(struct study *study, struct entry *wide)
{
    struct series *series = &study->series[wide->series];
    uint32_t i;

    for (i = series->first; i != ENTRY_NONE; i = study->entries[i].next_in_series) {
        struct entry *entry = &study->entries[i];

        if (entry->level != TROLLEY_LEVEL_INSTANCE || entry->request) continue;
        entry->attempts = wide->attempts;
        entry->flags |= wide->flags & (ENTRY_FAILED_NOW | ENTRY_TRANSIENT | ENTRY_PERMANENT);
        if (!entry->failure) entry->failure = wide->failure;
    }
    wide->state = ENTRY_NAMED;
    series->entries--;
    series->related = 0;
}

void study_named(struct study *study, uint32_t series)
{
    uint32_t i;

    for (i = 0; i < study->entry_count; i++) {
        struct entry *entry = &study->entries[i];

        if (entry_is_counted(entry) && (series == ENTRY_NONE || entry->series == series))
            study_name_series(study, entry);
    }
}

static uint64_t higher(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

int64_t study_expect(struct study *study)
{
    const uint64_t before = study->expected;
    uint64_t all = 0;
    uint32_t i;

    for (i = 0; i < study->series_count; i++)
        all += higher(study->series[i].instances, study->series[i].related);
    study->expected = higher(all, study->related);
    return (int64_t)(study->expected - before);
}

bool study_is_verified(const struct study *study)
{
    uint32_t i;

    for (i = 0; i < study->entry_count && !study->doubtful; i++) {
        const struct entry *entry = &study->entries[i];

        if (entry->level == TROLLEY_LEVEL_INSTANCE || (entry->flags & ENTRY_HOPELESS)) continue;
        if (entry->state == ENTRY_NAMED) continue;
        if (study->related) continue;
        if (entry->series == ENTRY_NONE || !study->series[entry->series].related) return false;
    }
    return !study->doubtful;
}

static uint64_t study_beyond(uint64_t unasked, uint32_t related)
{
    return unasked > related ? unasked - related : 0;
}

uint64_t study_extra(const struct study *study)
{
    uint64_t all = 0, unasked;
    uint32_t s, i;

    for (s = 0; s < study->series_count; s++) {
        const struct series *series = &study->series[s];

        unasked = 0;
        for (i = series->first; i != ENTRY_NONE; i = study->entries[i].next_in_series)
            if (study->entries[i].flags & ENTRY_UNASKED) unasked++;
        all += study_beyond(unasked, series->related);
    }
    return study_beyond(all, study->related);
}

uint32_t study_delivered(const struct study *study, uint32_t series)
{
    const bool all = series == ENTRY_NONE;
    uint32_t i = all ? 0 : study->series[series].first, count = 0;

    while (all ? i < study->entry_count : i != ENTRY_NONE) {
        const struct entry *entry = &study->entries[i];

        if (entry->level == TROLLEY_LEVEL_INSTANCE && entry->state == ENTRY_DONE) count++;
        i = all ? i + 1 : entry->next_in_series;
    }
    return count;
}

uint32_t study_known(const struct study *study, uint32_t series)
{
    uint32_t i, count = 0;

    if (series != ENTRY_NONE) return study->series[series].instances;
    for (i = 0; i < study->series_count; i++)
        count += study->series[i].instances;
    return count;
}

void study_study_ref(const struct study *study, struct trolley_ref *ret_ref)
{
    memset(ret_ref, 0, sizeof *ret_ref);
    ret_ref->size = sizeof *ret_ref;
    ret_ref->level = TROLLEY_LEVEL_STUDY;
    ret_ref->study = study->uid;
}

/* The SOP class that all known instances of a series have, as a name; 0 for none. */
static uint16_t study_series_class(const struct study *study, const struct series *series)
{
    uint32_t i;
    uint16_t name = series->first == ENTRY_NONE ? 0 : study->entries[series->first].sop_class;

    for (i = series->first; i != ENTRY_NONE && name; i = study->entries[i].next_in_series)
        if (study->entries[i].sop_class != name) name = 0;
    return name;
}

void study_series_ref(const struct study *study, uint32_t series, struct trolley_ref *ret_ref)
{
    study_study_ref(study, ret_ref);
    ret_ref->level = TROLLEY_LEVEL_SERIES;
    ret_ref->series = study->series[series].uid;
    ret_ref->sop_class = study->names[study_series_class(study, &study->series[series])];
}

void study_ref(const struct study *study, const struct entry *entry, struct trolley_ref *ret_ref)
{
    study_study_ref(study, ret_ref);
    ret_ref->level = entry->level;
    if (entry->series != ENTRY_NONE) ret_ref->series = study->series[entry->series].uid;
    ret_ref->instance = entry->uid;
    ret_ref->sop_class = study->names[entry->sop_class];
    ret_ref->transfer_syntax = study->names[entry->transfer_syntax];
}

/* Where a failure is kept: equal ones in a row once, and past what is kept as one of its kind. */
static uint32_t study_keep(struct study *study, const struct task_failure *failure)
{
    const struct task_failure *last = &study->failures[study->failure_count - 1];
    uint32_t i;

    if (study->failure_count > 1 && last->status == failure->status &&
        last->code == failure->code && strcmp(last->message, failure->message) == 0)
        return study->failure_count - 1;
    if (study->failure_count < FAILURES_KEPT &&
        room(&study->failures, study->failure_count, &study->failure_room,
             sizeof *study->failures) == 0) {
        study->failures[study->failure_count] = *failure;
        return study->failure_count++;
    }
    for (i = study->failure_count - 1; i > 0; i--)
        if (study->failures[i].status == failure->status &&
            study->failures[i].code == failure->code)
            break;
    return i;
}

void study_fail(struct study *study, struct entry *entry, const struct task_failure *failure)
{
    entry->failure = study_keep(study, failure);
    if (failure->flags & TROLLEY_FAILURE_TRANSIENT) {
        entry->flags |= ENTRY_TRANSIENT;
        study->backoff = true;
    } else {
        entry->flags = (uint8_t)((entry->flags & ~ENTRY_TRANSIENT) | ENTRY_PERMANENT);
    }
    if (failure->flags & TROLLEY_FAILURE_IGNORE) entry->state = ENTRY_IGNORED;
    if (failure->retry_after_ms > study->retry_after_ms)
        study->retry_after_ms = failure->retry_after_ms;
}

void study_fail_now(struct study *study, struct entry *entry, const struct task_failure *failure,
                    uint8_t flags)
{
    entry->flags |= (uint8_t)(ENTRY_FAILED_NOW | flags);
    study_fail(study, entry, failure);
}

const char *study_failure_text(const struct study *study, const struct entry *entry)
{
    return entry->failure ? study->failures[entry->failure].message : "";
}

int32_t study_failure_status(const struct study *study, const struct entry *entry)
{
    return entry->failure ? study->failures[entry->failure].status : 0;
}
