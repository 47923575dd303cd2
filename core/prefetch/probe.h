/* probe.h: whether a caching proxy keeps what is requested through it.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_PROBE_H
#define CORE_PREFETCH_PROBE_H

#include "core/prefetch/export.h"

#define PROBE_REASONS 12

/* What became of one URL. Borrowed for the call. */
struct prefetch_probe_result {
    uint32_t number;                  /* 0 the main URL, else url.N */
    const char *url;                  /* as requested */
    int32_t first, second, anonymous; /* HTTP status of each request, 0 when there was no answer */
    /* X-Cache-Status of each answer; "" when it had none. */
    const char *first_cache, *second_cache, *anonymous_cache;
    bool kept; /* the second one was a HIT */
    /* What prevents or endangers it, and what to do, each one line that is safe for a terminal.
     * Some may be there although it is kept. */
    const char *reasons[PROBE_REASONS];
    uint32_t reason_count;
};

/*
 * For `prefetch check --probe`: takes the first object of the scope for each URL of the exporter
 * and requests it as the exporter does, then as a viewer does (without Cache-Control): that one
 * must be a HIT. Where the exporter logs in, it is asked for once more without: a HIT then means
 * that anybody gets it. Bodies are read and dropped, nothing is stored.
 *
 * Explained from the answers' header fields [RFC 9111]: Set-Cookie; Cache-Control private,
 * no-store, no-cache or no time to live; Expires in the past; Vary; no validity at all; a status
 * that is not kept; Authorization in the request; a proxy that does not tell (X-Cache-Status).
 *
 * `probed` gets each result; non-zero ends and is returned. Returns 0 when every URL is kept;
 * PARTIAL when one is not; NOT_FOUND when the scope has nothing to request; what the search says;
 * CANCELLED. [any]
 */
int prefetch_probe(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                   const struct prefetch_scope *scope,
                   int (*probed)(void *ctx, const struct prefetch_probe_result *result), void *ctx,
                   const atomic_int *cancel, struct trolley_error *error);

#endif
