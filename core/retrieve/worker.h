/*
 * worker.h: one thread's part of a run: its instances of the downloaders, and the fetching of one
 * request with them. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_WORKER_H
#define CORE_RETRIEVE_WORKER_H

#include "core/retrieve/run.h"

struct worker {
    struct run *run;
    int number;                  /* from 1 */
    struct instance **instances; /* one a downloader, made at first use */
    struct task task;
};

/* NULL when memory is out. Freed on the thread that used it. */
struct worker *worker_new(struct run *run);
void worker_free(struct worker *worker);

/* Fetches one chunk with downloader `d` and settles what it leaves undone. Called and returns with
 * the run's lock held; it is open in between. */
void worker_fetch(struct worker *worker, size_t d, struct chunk *chunk);

#endif
