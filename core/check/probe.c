/* SPDX-License-Identifier: MIT */
#include "core/check/probe.h"

#include <string.h>

static int32_t probe_record(void *ctx, const struct trolley_record *record)
{
    struct record_probe *probe = ctx;

    (void)record;
    probe->calls++;
    if (probe->returned) probe->after_return = true;
    if (probe->refused) probe->after_refusal = true;
    if (probe->refused || probe->calls == probe->refuse_at) {
        probe->refused = true;
        return probe->refusal;
    }
    return 0;
}

void record_probe_init(struct record_probe *probe, unsigned refuse_at, int32_t refusal)
{
    memset(probe, 0, sizeof *probe);
    probe->sink = (struct trolley_record_sink){probe, probe_record};
    probe->refuse_at = refuse_at;
    probe->refusal = refusal;
}

/* Notes one call of a kind; the answer to give. The lock is held. */
static int32_t probe_answer(struct dataset_probe *probe, enum probe_call call, unsigned number)
{
    if (probe->returned) probe->after_return = true;
    if (probe->refuse != call || number != probe->refuse_at) return 0;
    probe->refused = true;
    return probe->refusal;
}

static int32_t probe_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    struct dataset_probe *probe = ctx;
    int32_t r;

    (void)meta;
    pthread_mutex_lock(&probe->lock);
    if (probe->refused && probe->refusal == TROLLEY_ERR_CANCELLED)
        probe->begun_after_refusal = true;
    r = probe_answer(probe, PROBE_BEGIN, probe->begun + 1);
    if (r == 0 && probe->begun == PROBE_ITEMS) r = TROLLEY_ERR_TOO_LARGE;
    if (r == 0) {
        *item = &probe->items[probe->begun++];
        ((struct probe_item *)*item)->probe = probe;
    }
    pthread_mutex_unlock(&probe->lock);
    return r;
}

static int32_t probe_write(void *item, const void *data, uint64_t length)
{
    struct probe_item *own = item;
    struct dataset_probe *probe = own->probe;
    int32_t r;

    (void)data;
    pthread_mutex_lock(&probe->lock);
    if (own->ends) own->written_after_end = true;
    own->bytes += length;
    r = probe_answer(probe, PROBE_WRITE, ++probe->writes);
    if (r < 0) own->refused = true;
    if (own->refused) r = probe->refusal;
    pthread_mutex_unlock(&probe->lock);
    return r;
}

static int32_t probe_end(void *item, const struct trolley_failure *failure)
{
    struct probe_item *own = item;
    struct dataset_probe *probe = own->probe;
    int32_t r;

    pthread_mutex_lock(&probe->lock);
    (void)probe_answer(probe, PROBE_NONE, 0);
    own->ends++;
    own->ended_well = !failure;
    r = own->refused ? probe->refusal : failure ? failure->status : 0;
    pthread_mutex_unlock(&probe->lock);
    return r;
}

static int32_t probe_failed(void *ctx, const struct trolley_ref *ref,
                            const struct trolley_failure *failure)
{
    struct dataset_probe *probe = ctx;
    int32_t r;

    (void)ref, (void)failure;
    pthread_mutex_lock(&probe->lock);
    r = probe_answer(probe, PROBE_FAILED, ++probe->failed);
    pthread_mutex_unlock(&probe->lock);
    return r;
}

static int32_t probe_expect(void *ctx, const struct trolley_ref *ref, uint64_t instances)
{
    struct dataset_probe *probe = ctx;

    (void)ref, (void)instances;
    pthread_mutex_lock(&probe->lock);
    (void)probe_answer(probe, PROBE_NONE, 0);
    pthread_mutex_unlock(&probe->lock);
    return 0;
}

void dataset_probe_init(struct dataset_probe *probe, enum probe_call refuse, unsigned refuse_at,
                        int32_t refusal)
{
    memset(probe, 0, sizeof *probe);
    pthread_mutex_init(&probe->lock, NULL);
    probe->sink = (struct trolley_dataset_sink){probe,     probe_begin,  probe_write,
                                                probe_end, probe_failed, probe_expect};
    probe->refuse = refuse;
    probe->refuse_at = refuse_at;
    probe->refusal = refusal;
}

void dataset_probe_clear(struct dataset_probe *probe)
{
    pthread_mutex_destroy(&probe->lock);
}
