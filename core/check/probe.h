/* probe.h: sinks that watch what a plugin does with them. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_PROBE_H
#define CORE_CHECK_PROBE_H

#include <pthread.h>

#include "core/check/check.h"

/* Which call of a dataset sink is counted by fail_at. */
enum probe_call { PROBE_NONE, PROBE_BEGIN, PROBE_WRITE, PROBE_FAILED };

/* Watches a find. */
struct record_probe {
    struct trolley_record_sink sink;
    unsigned calls;
    unsigned refuse_at; /* from 1; 0: never */
    int32_t refusal;    /* what it then returns */
    bool refused, after_refusal, after_return, returned;
};
void record_probe_init(struct record_probe *probe, unsigned refuse_at, int32_t refusal);

#define PROBE_ITEMS 64

struct dataset_probe;

/* One begun item; kept after its end, so that a second end is seen and not a crash. */
struct probe_item {
    struct dataset_probe *probe;
    uint64_t bytes;
    unsigned ends;
    bool refused; /* a write of it was */
    bool written_after_end;
    bool ended_well;
};

/* Watches a fetch. Its calls may come from several threads. */
struct dataset_probe {
    struct trolley_dataset_sink sink;
    pthread_mutex_t lock;
    struct probe_item items[PROBE_ITEMS];
    unsigned begun, writes, failed;
    enum probe_call refuse; /* refuses call number refuse_at of this kind, from 1 */
    unsigned refuse_at;
    int32_t refusal;
    bool refused, begun_after_refusal, after_return, returned;
};
void dataset_probe_init(struct dataset_probe *probe, enum probe_call refuse, unsigned refuse_at,
                        int32_t refusal);
void dataset_probe_clear(struct dataset_probe *probe);

#endif
