/*
 * trolley/searcher.h: operations of a searcher.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_SEARCHER_H
#define TROLLEY_SEARCHER_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Open. An instance is used by one thread at a time. */
struct trolley_searcher_ops {
    uint32_t size;
    uint32_t reserved;
    /*
     * [worker] Required. Puts every object of query->level that matches into the sink, in any
     * order, as it comes. Every key must be honoured: one that cannot be is
     * TROLLEY_ERR_UNSUPPORTED_PARAM, never ignored. No match is TROLLEY_OK without a record.
     * When the server breaks off, the status of what broke is returned; records delivered before
     * stay delivered, and the host reports the answer as partial.
     */
    int32_t (*find)(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task);
    /* [worker] Optional. Rules beyond the tables, without I/O: TROLLEY_OK, or UNSUPPORTED_PARAM
     * with the reason in task->fail. query->type is the type in question. */
    int32_t (*check)(void *self, const struct trolley_query *query, struct trolley_task *task);
    /* [worker] Optional. Narrows the component's static table by configuration: span of struct
     * trolley_query_type, borrowed, living as long as self; NULL for the component's own. */
    const struct trolley_span *(*query_types)(void *self);
    /* [worker] Optional. Narrows the component's levels by configuration: TROLLEY_LEVEL_BITs; 0 for
     * the component's own. */
    uint32_t (*levels)(void *self);
};

#ifdef __cplusplus
}
#endif
#endif
