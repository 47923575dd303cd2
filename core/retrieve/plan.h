/*
 * plan.h: which requests a study still needs of a downloader. Chunks are made one by one as workers
 * ask, so that a study of 100,000 single requests is never a list. Under the run's lock.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_PLAN_H
#define CORE_RETRIEVE_PLAN_H

#include "core/retrieve/study.h"

#define CHUNK_REFS_MAX 1000

/* How a downloader likes to be asked. */
struct ask {
    uint32_t levels;    /* accepted, bit set */
    uint32_t preferred; /* one of them */
    uint32_t batch;     /* most instance references a request */
    uint32_t max_retries;
    uint32_t group; /* TROLLEY_LEVEL_STUDY: a request may hold instances of several series */
};

/* Does it like to be asked for series, or studies, as a whole? */
static inline bool ask_is_wide(const struct ask *ask)
{
    return ask->preferred <= TROLLEY_LEVEL_SERIES &&
           (ask->levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES));
}

/* One request: references of one level. */
struct chunk {
    struct study *study;
    uint32_t level;
    uint32_t *items; /* STUDY: none; SERIES: series indexes; INSTANCE: entry indexes */
    uint32_t count;
};

/* Begins a round: marks what is due. Returns how many entries are. */
uint32_t plan_round(struct study *study, const struct ask *ask);

/* The next request of the round: 1, or 0 when it has given out all, or NOMEM. Clear it with
 * chunk_clear. */
int plan_next(struct study *study, const struct ask *ask, struct chunk *ret_chunk);
void chunk_clear(struct chunk *chunk);

/* The next downloader's turn: what the last one could not do says nothing about this one. */
void plan_next_downloader(struct study *study);

/* The entries a chunk asks for: *i from 0; ENTRY_NONE at the end. */
uint32_t chunk_entry(const struct chunk *chunk, uint64_t *cursor);

#endif
