/*
 * prefetch_fixture.h: settings made by hand, a task store in a folder of its own, a clock that is
 * set, and an exporter that records. SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PREFETCH_FIXTURE_H
#define TESTS_PREFETCH_FIXTURE_H

#include <pthread.h>

#include "core/prefetch/arrival.h"
#include "core/prefetch/scheduler.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define START INT64_C(1700000000000)

#define MAX_CALLS 64

/* One run of a task, as the exporter saw it. */
struct call {
    char exporter[32], study[72], series[72], instance[72];
    int64_t at_ms;
    bool again;        /* only what failed was asked for */
    uint32_t repeated; /* how many requests that was */
};

struct fixture {
    char folder[64];
    struct prefetch_settings settings;
    struct prefetch_rule rules[4];
    struct prefetch_exporter exporters[2];
    struct prefetch_queue queues[2];
    struct prefetch_url url;
    const struct prefetch_exporter *named[2]; /* by the rules */
    struct prefetch_clock clock;
    struct prefetch_time now;
    struct prefetch_store *store;
    struct prefetch_scheduler *scheduler;

    /* The recording exporter. */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    struct call calls[MAX_CALLS];
    uint32_t call_count, in_hand, most_in_hand;
    struct prefetch_result answer; /* what it says */
    uint32_t fails;                /* of so many requests first */
    bool hold;                     /* runs wait until it is false, or they are canceled, */
    bool deaf;                     /* unless they do not hear of that */
};

/* Two exporters, E (queue "one") and F (queue "two"); rule 0 is a Study's for E, without delay. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Opens the store and the scheduler again, as after a kill -9 (the store is closed, no more). */
void fixture_restart(struct fixture *fixture);

/* Sets the clock to so many milliseconds after START. */
void fixture_at(struct fixture *fixture, int64_t ms);

/* An arrival now. */
void fixture_arrive(struct fixture *fixture, const char *study, const char *series,
                    const char *instance);

/* Steps until nothing is due and nothing runs. */
void fixture_run(struct fixture *fixture);

/* One step; what was started. */
int fixture_step(struct fixture *fixture);

/* Waits until so many runs are in the exporter's hands. */
void fixture_in_hand(struct fixture *fixture, uint32_t count);

/* Lets runs end (or not). */
void fixture_hold(struct fixture *fixture, bool hold);

/* All tasks, one a line: "STATE exporter study/series/instance due-START retries". Static. */
const char *fixture_tasks(struct fixture *fixture);

/* How many tasks are in that state. */
uint64_t fixture_count(struct fixture *fixture, uint32_t state);

#endif
