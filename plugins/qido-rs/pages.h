/* pages.h: all answers to one request, page by page. SPDX-License-Identifier: MIT */
#ifndef QIDO_RS_PAGES_H
#define QIDO_RS_PAGES_H

#include "page.h"
#include "request.h"
#include <kit/uid_set.h>

struct pages {
    const struct page_source *source;
    const struct request *request;
    struct trolley_task *task;
    struct kit_uid_set
        *seen;             /* UIDs of the request's level; objects that came before are dropped */
    uint64_t page_size;    /* 0: the server's */
    uint64_t offset;       /* where to begin */
    uint64_t most;         /* objects wanted, UINT64_MAX for all */
    page_object_fn object; /* as page.h; a positive return ends the pages without an error */
    int (*page_end)(void *ctx); /* optional: behind each page, when no request is running */
    void *ctx;
    /* Out: */
    int32_t code;       /* HTTP status of the last answer */
    uint64_t delivered; /* objects handed on */
    /* Its own, for a loose request: */
    struct kit_uid_set dropped; /* answers that do not match */
    uint64_t skip;              /* matching ones still to be left out */
};

/*
 * Asks with limit and offset until nothing comes, a page is short and no Warning speaks of more, or
 * a page brings no new UID: a server that ignores offset ends the loop, with a note. A server that
 * says nothing of limits but stops at a number that is a usual limit is asked for more. An empty
 * answer to a request that can be loosened (request.h) is not believed: the loose one is asked too.
 * Returns 0 or a negative status, or the positive one that a callback returned.
 */
int pages_run(struct pages *pages);

#endif
