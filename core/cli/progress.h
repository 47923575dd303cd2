/* progress.h: how far a download is. SPDX-License-Identifier: MIT */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <kit/buffer.h>

#include "core/cli/console.h"
#include "core/trolley.h"

#define PROGRESS_WORKERS 16
#define PROGRESS_WORKER_MAX 240

struct progress {
    struct console *console;
    bool per_worker;                                     /* a line a worker, too */
    char workers[PROGRESS_WORKERS][PROGRESS_WORKER_MAX]; /* empty: has not worked yet */
    double shown;                    /* seconds at which something was printed last */
    double seconds;                  /* of the last sample of the rates */
    uint64_t bytes, done;            /* then */
    double byte_rate, instance_rate; /* per second, smoothed */
    struct kit_buffer text;
};

/* Shows the counts: a bar on a terminal, a line every few seconds elsewhere, nothing when quiet. */
void progress_show(struct progress *progress, const struct trolley_counts *counts);

/* Takes note of what a worker does: a line of the bar on a terminal, a log line elsewhere. */
void progress_worker(struct progress *progress, const struct trolley_worker *worker);

/* Takes the bar away. */
void progress_end(struct progress *progress);

/* Updates the smoothed rates. */
void progress_sample(struct progress *progress, const struct trolley_counts *counts);

/* Appends what a worker does: "wado-rs pacs: series 1.2.3" or "waits". */
int progress_worker_text(struct kit_buffer *out, const struct trolley_worker *worker);

/* Appends "[####----] 500 of 1000 instances, 250 MiB, 120 MiB/s, 2.1 s left"; without the bar when
 * `width` is 0 or the number of instances is unknown, and at most `width` columns. */
int progress_text(struct kit_buffer *out, const struct progress *progress,
                  const struct trolley_counts *counts, unsigned width);

#endif
