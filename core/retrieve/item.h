/*
 * item.h: the dataset sink of one request: bytes of one instance on their way from a downloader to
 * the storage, with the head of the stream read on the way to check that it is what was asked for.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_ITEM_H
#define CORE_RETRIEVE_ITEM_H

#include "core/retrieve/plan.h"
#include "core/retrieve/store.h"

/* Bytes of one item that are drained at most, where max_instance says nothing. */
#define ITEM_DRAIN_MOST (UINT64_C(256) << 20)

/* A request being fetched: the context of its sink. */
struct fetch {
    struct study *study;
    const struct chunk *chunk;
    const char *downloader; /* section name */
    const char *title;      /* "wado-rs pacs", for messages */
    int64_t max_instance;   /* bytes, 0 none */
    struct store *store;
    struct report *report;
    pthread_mutex_t *run_lock; /* guards the study */
    const atomic_int *cancel;
    int worker;       /* whose it is, from 1 */
    uint32_t request; /* its number within the study, from 1 */

    /* Under run_lock. status set: what ended the request from this side, and what the plugin said
     * is true of all requests. */
    struct task_failure gave_up, stop_all;
};

/* The sink to hand to fetch(); valid as long as `fetch`. Its functions are [any]. */
struct trolley_dataset_sink item_sink(struct fetch *fetch);

#endif
