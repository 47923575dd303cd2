/* expand.h: from the scope of a task to its requests, one after the other, by asking the searcher.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_EXPAND_H
#define CORE_PREFETCH_EXPAND_H

#include "core/prefetch/export.h"
#include "core/retrieve/expand.h"

struct expansion {
    const struct prefetch_exporter *exporter;
    const struct prefetch_scope *scope;
    struct expander expander; /* searcher NULL: nobody names anything */
    struct instance
        *metadata; /* a downloader of data sets, asked where no Rows come back; or NULL */
    const atomic_int *cancel; /* may be NULL */
    void *ctx;
    /* Takes the next request, whose texts live for the call. Negative ends. */
    int (*emit)(void *ctx, const struct prefetch_request *request);
    struct trolley_error *error;

    /* What was seen. */
    uint64_t emitted;
    uint64_t instances, pictureless; /* pictureless: no frames were asked for, by their SOP class */
    uint64_t rowless;                /* the same, since the server returned no Rows for them */
    bool rows_seen;                  /* the server does return Rows */
};

/*
 * Expands every URL of the exporter over the scope: one request for [] and [0]; for [1] the scope's
 * series, or each of the study; for [2] each instance below the scope; for [3] each frame of those.
 * Series and instances come in the searcher's order, each once; for each object its URLs in theirs.
 *
 * Frames: NumberOfFrames, 1 where an image does not say. None for objects without Pixel Data: by
 * SOP class, or where the server returned Rows for others of the scope and not for them. A series
 * of which it returned no Rows at all waits for the others; does nobody have Rows, each instance
 * counts as one frame, with the note `frames unknown`.
 *
 * The instances of one series are in memory, frames are not. Asks again as often as the searcher's
 * section says. Errors: the searcher's; UNSUPPORTED where none can name what is asked for; what
 * `emit` returned; CANCELLED.
 */
int expansion_run(struct expansion *expansion);

#endif
