/*
 * trolley/stored.h: the interface of a storage that keeps an index of what it has written, for
 * verifying and purging.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_STORED_H
#define TROLLEY_STORED_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROLLEY_STORED_INTERFACE "trolley.stored/1"

/* One stored thing. Open; borrowed for the call. Unknown texts are NULL. */
struct trolley_stored_item {
    uint32_t size;
    uint32_t frame;    /* from 1; 0: the whole instance */
    int64_t id;        /* for examine and remove */
    const char *path;  /* where it lies, never NULL */
    const char *study; /* UIDs */
    const char *series;
    const char *instance;
    const char *variant;      /* NULL for the instance itself */
    const char *content_type; /* NULL reads as "application/dicom" */
    const char *sha256;       /* hex digest of what was written */
    uint64_t bytes;
    int64_t stored_ms; /* when: milliseconds since 1970-01-01 UTC */
};

/* Which of them. Open. Texts NULL and times 0: all. */
struct trolley_stored_filter {
    uint32_t size;
    uint32_t reserved;
    const char *study, *series, *instance;
    int64_t before_ms; /* stored before this time */
};

/* Takes what walk finds. Closed. */
struct trolley_stored_sink {
    void *ctx;
    /* On the thread of walk, and within it; examine and remove may be called from it. A non-zero
     * return means: stop and return this value. */
    int32_t (*item)(void *ctx, const struct trolley_stored_item *item);
};

/* What examine finds. */
enum trolley_stored_state {
    TROLLEY_STORED_WHOLE = 1,   /* as it was written */
    TROLLEY_STORED_MISSING = 2, /* not there any more */
    TROLLEY_STORED_RESIZED = 3, /* another length */
    TROLLEY_STORED_CHANGED = 4  /* other content of the same length */
};

/* Open. All are [worker]: not at once with the storage's open, exists and sync. */
struct trolley_stored_interface {
    uint32_t size;
    uint32_t reserved;
    /* Can it be written to now? 0, or the failure (a mount that is gone: UNAVAILABLE). */
    int32_t (*ready)(void *self, struct trolley_task *task);
    /* Shows what the index holds, oldest first. What is stored meanwhile may be missed. filter
     * NULL: all. */
    int32_t (*walk)(void *self, const struct trolley_stored_filter *filter,
                    const struct trolley_stored_sink *sink, struct trolley_task *task);
    /* Compares one with what lies there; *state is an enum trolley_stored_state. */
    int32_t (*examine)(void *self, const struct trolley_stored_item *item, uint32_t *state,
                       struct trolley_task *task);
    /* Removes it from the disk, with folders that are empty then, and from the index. What is gone
     * already is only forgotten. */
    int32_t (*remove)(void *self, const struct trolley_stored_item *item,
                      struct trolley_task *task);
};

#ifdef __cplusplus
}
#endif
#endif
