/* job.h: one export under way, and what its files share of it. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_JOB_H
#define CORE_PREFETCH_JOB_H

#include "core/prefetch/engine.h"
#include "kit/uid.h"

#define JOB_QUEUE 64 /* requests made out and not begun */
#define JOB_ERRORS 3 /* told in the message */

/* A request on its way to a worker: prefetch_request with texts of its own, "" for none. */
struct job_item {
    uint32_t url, frame;
    char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
};

struct unique;

struct job {
    struct prefetch_engine *engine;
    const struct prefetch_exporter *exporter;
    const struct prefetch_export_callbacks *callbacks;
    const atomic_int *cancel;         /* may be NULL: ends between requests */
    struct engine_storage **storages; /* one a URL, NULL where it stores nothing */
    struct unique *unique;            /* NULL unless asked for */
    char *title;                      /* "exporter WADO-JPEG" */

    pthread_mutex_t lock; /* all below, and the callbacks */
    pthread_cond_t changed;
    struct job_item queue[JOB_QUEUE];
    uint32_t first, count;
    bool closed; /* no more requests will come */
    bool ended;  /* nothing more is to be requested */
    int told;    /* what a callback returned, negative */
    char fatal[768];
    char errors[JOB_ERRORS][200];
    struct prefetch_result result;
};

/* Ends the job: why is told in its message, the first time. [any] */
__attribute__((format(printf, 2, 3))) void job_end(struct job *job, const char *format, ...);

/* Counts a request that failed, and tells whoever keeps it. [any] */
void job_failed(struct job *job, const struct job_item *item, const char *message);

/* Whether requests go on. [any] */
bool job_goes_on(struct job *job);

/* A trolley_remark_sink; ctx is the job. [any] */
void job_remark(void *ctx, const struct trolley_remark *remark);

/* The public view of an item, which borrows its texts. */
struct prefetch_request job_request(const struct job_item *item);
void job_item_set(struct job_item *item, const struct prefetch_request *request);

/* The URL of a request, into `out`. Errors: NOMEM, TOO_LARGE. */
struct kit_buffer;
int job_url(const struct prefetch_exporter *exporter, const struct prefetch_request *request,
            struct kit_buffer *out);

/* Makes one request and stores what comes. [the worker whose door and task these are] */
void job_perform(struct job *job, const struct job_item *item, struct engine_door *door,
                 struct task *task);

/* Everything that was stored becomes final; what a failed sync loses fails. */
void job_sync(struct job *job, struct task *task);

/* Fills outcome and message from the counts. `expected`: images were expected, and there was
 * nothing to request. */
void job_conclude(struct job *job, bool expected);

/*
 * Bodies that should differ: of one instance, by frame or by URL. A table of fixed size, so that
 * some pairs go unseen in a task of very many.
 */
int unique_new(struct unique **ret_unique);
void unique_free(struct unique *unique);

/* Notes a body by its digest. True when another frame or URL of that instance had the same, and
 * *ret_url and *ret_frame tell which. Under the job's lock. */
bool unique_note(struct unique *unique, const struct job_item *item, const unsigned char digest[32],
                 uint32_t *ret_url, uint32_t *ret_frame);

#endif
