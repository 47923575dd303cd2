/* SPDX-License-Identifier: MIT */
#include "core/retrieve/plan.h"

#include <stdlib.h>
#include <string.h>

static bool entry_due(const struct entry *entry, const struct ask *ask)
{
    return entry->state == ENTRY_PENDING && !(entry->flags & (ENTRY_PERMANENT | ENTRY_HOPELESS)) &&
           entry->attempts <= ask->max_retries;
}

static bool accepts(const struct ask *ask, uint32_t level)
{
    return (ask->levels & TROLLEY_LEVEL_BIT(level)) != 0;
}

/* A study or series whose instances nobody could name, for a downloader that wants them named. */
static bool entry_too_wide(struct study *study, struct entry *entry, const struct ask *ask)
{
    static const struct task_failure failure = {
        .status = TROLLEY_ERR_NEED_DEEPER_REF,
        .flags = TROLLEY_FAILURE_PERMANENT,
        .message = "the downloader needs instance references, and no searcher names them (set "
                   "`searcher` or `expander` in [trolley])",
    };

    if (entry->level == TROLLEY_LEVEL_INSTANCE || accepts(ask, entry->level)) return false;
    /* What another downloader met with says more. */
    if (entry->failure)
        entry->flags |= ENTRY_PERMANENT;
    else
        study_fail(study, entry, &failure);
    return true;
}

uint32_t plan_round(struct study *study, const struct ask *ask)
{
    bool untouched = true, blind = false;
    uint32_t i, due = 0;

    for (i = 0; i < study->series_count; i++) {
        struct series *series = &study->series[i];

        series->due = 0;
        series->blind = series->singly = series->arrived = false;
    }
    for (i = 0; i < study->entry_count; i++) {
        struct entry *entry = &study->entries[i];
        struct series *series = entry->series == ENTRY_NONE ? NULL : &study->series[entry->series];

        if (entry->state != ENTRY_PENDING && entry->state != ENTRY_NAMED) {
            untouched = false;
            if (series) series->arrived = true;
        }
        if (!entry_due(entry, ask) || entry_too_wide(study, entry, ask)) continue;
        due++;
        if (series) series->due++;
        if (entry->level == TROLLEY_LEVEL_STUDY) blind = true;
        if (entry->level == TROLLEY_LEVEL_SERIES) series->blind = true;
        if (entry->flags & ENTRY_SINGLY) {
            untouched = false;
            if (series) series->singly = true;
        }
    }
    study->cursor_series = 0;
    study->cursor_entry = ENTRY_NONE;
    study->cursor_study = blind || (due && accepts(ask, TROLLEY_LEVEL_STUDY) && study->whole &&
                                    untouched && ask->preferred == TROLLEY_LEVEL_STUDY);
    study->planned = true;
    study->retry_after_ms = 0;
    study->backoff = false;
    return due;
}

void plan_next_downloader(struct study *study)
{
    uint32_t i;

    for (i = 0; i < study->entry_count; i++) {
        study->entries[i].attempts = 0;
        study->entries[i].flags &= (uint8_t) ~(ENTRY_PERMANENT | ENTRY_SINGLY | ENTRY_TRANSIENT);
    }
    study->downloader++;
    study->round = 0;
}

/* May the series be asked for as a whole? Only where all of it is wanted and none of it is there.
 */
static bool series_wide(const struct study *study, const struct series *series,
                        const struct ask *ask)
{
    if (!accepts(ask, TROLLEY_LEVEL_SERIES)) return false;
    if (series->blind) return true;
    if (!accepts(ask, TROLLEY_LEVEL_INSTANCE)) return true;
    return ask->preferred <= TROLLEY_LEVEL_SERIES && (study->whole || series->whole) &&
           series->due == series->entries && !series->singly && !series->arrived;
}

static int chunk_add(struct chunk *chunk, uint32_t item)
{
    uint32_t *items;

    /* Powers of two, so that a batch of n costs log n reallocations. */
    if ((chunk->count & (chunk->count - 1)) == 0) {
        items =
            reallocarray(chunk->items, chunk->count ? (size_t)chunk->count * 2 : 1, sizeof *items);
        if (!items) return TROLLEY_ERR_NOMEM;
        chunk->items = items;
    }
    chunk->items[chunk->count++] = item;
    return 0;
}

void chunk_clear(struct chunk *chunk)
{
    free(chunk->items);
    memset(chunk, 0, sizeof *chunk);
}

/* Most instance references a request. */
static uint32_t plan_batch(const struct ask *ask)
{
    if (!ask->batch) return 1;
    return ask->batch < CHUNK_REFS_MAX ? ask->batch : CHUNK_REFS_MAX;
}

/* Adds instances of one series from the cursor on, as many as a request takes. 1: the request is
 * ready; 0: it may hold more, of another series. */
static int plan_instances(struct study *study, const struct ask *ask, struct chunk *chunk)
{
    uint32_t batch = plan_batch(ask);
    int r;

    chunk->level = TROLLEY_LEVEL_INSTANCE;
    while (study->cursor_entry != ENTRY_NONE && chunk->count < batch) {
        const struct entry *entry = &study->entries[study->cursor_entry];

        if (entry_due(entry, ask)) {
            r = chunk_add(chunk, study->cursor_entry);
            if (r < 0) return r;
        }
        study->cursor_entry = entry->next_in_series;
    }
    if (chunk->count < batch && ask->group == TROLLEY_LEVEL_STUDY) return 0;
    return chunk->count ? 1 : 0;
}

int plan_next(struct study *study, const struct ask *ask, struct chunk *ret_chunk)
{
    struct chunk chunk = {.study = study};
    int r;

    if (study->cursor_study) {
        study->cursor_study = false;
        study->cursor_series = study->series_count;
        chunk.level = TROLLEY_LEVEL_STUDY;
        *ret_chunk = chunk;
        return 1;
    }
    for (;;) {
        struct series *series;

        if (study->cursor_entry != ENTRY_NONE) {
            r = plan_instances(study, ask, &chunk);
            if (r) break;
        }
        if (study->cursor_series >= study->series_count) {
            r = chunk.count ? 1 : 0;
            break;
        }
        series = &study->series[study->cursor_series];
        if (series->due && chunk.count && series_wide(study, series, ask)) {
            r = 1;
            break;
        }
        study->cursor_series++;
        if (!series->due) continue;
        if (series_wide(study, series, ask)) {
            chunk.level = TROLLEY_LEVEL_SERIES;
            r = chunk_add(&chunk, study->cursor_series - 1);
            if (r == 0) r = 1;
            break;
        }
        if (accepts(ask, TROLLEY_LEVEL_INSTANCE)) {
            study->cursor_entry = series->first;
            continue;
        }
        /* Only whole studies can be asked for, and some of it is there: ask for it all once more.
         */
        study->cursor_series = study->series_count;
        chunk.level = TROLLEY_LEVEL_STUDY;
        r = 1;
        break;
    }
    if (r > 0)
        *ret_chunk = chunk;
    else
        chunk_clear(&chunk);
    return r;
}

uint32_t chunk_entry(const struct chunk *chunk, uint64_t *cursor)
{
    const struct study *study = chunk->study;
    uint32_t i, next;

    if (chunk->level == TROLLEY_LEVEL_STUDY)
        return *cursor < study->entry_count ? (uint32_t)(*cursor)++ : ENTRY_NONE;
    if (chunk->level == TROLLEY_LEVEL_INSTANCE)
        return *cursor < chunk->count ? chunk->items[(*cursor)++] : ENTRY_NONE;
    /* SERIES: the cursor holds 1 + the entry last given; one series a chunk. */
    if (!chunk->count) return ENTRY_NONE;
    i = *cursor ? study->entries[*cursor - 1].next_in_series : study->series[chunk->items[0]].first;
    next = i;
    if (next != ENTRY_NONE) *cursor = (uint64_t)next + 1;
    return next;
}
