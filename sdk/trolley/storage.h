/*
 * trolley/storage.h: operations of a storage.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_STORAGE_H
#define TROLLEY_STORAGE_H

#include "downloader.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROLLEY_STORE_REPLACE UINT32_C(1) /* open: take the place of what is there */
/* open: other content is kept beside what is there (the default). */
#define TROLLEY_STORE_KEEP_BOTH UINT32_C(2)

/* It was there already with the same content; nothing was written. */
#define TROLLEY_STORED_SAME UINT32_C(1)
/* Other content was there; this one got a name of its own. */
#define TROLLEY_STORED_BESIDE UINT32_C(2)
#define TROLLEY_STORED_REPLACED UINT32_C(4) /* it took the place of what was there */

/* What became of one item. Open; borrowed for the call of `where`. */
struct trolley_stored {
    uint32_t size;
    uint32_t flags;   /* TROLLEY_STORED_* */
    const char *path; /* where it lies: a path or another name a person can follow; never NULL */
    uint64_t bytes;   /* its length there */
    /* REPLACED, BESIDE: hex digest of what was there; NULL when not known. SAME: NULL, or the digest
     * of other content that was there and stays. */
    const char *previous_sha256;
};

/* Told where something lies. Closed. */
struct trolley_where_sink {
    void *ctx;
    /* On the thread of the call that was given the sink, and within it. A negative return (NOMEM,
     * INVALID_ARG) is what that call returns then. */
    int32_t (*where)(void *ctx, const struct trolley_stored *stored);
};

/*
 * Open. One instance serves all workers: open, exists and sync are serialised by the host [worker];
 * writers are independent of each other, each used by one thread. The host always calls commit or
 * abort, once.
 */
struct trolley_storage_ops {
    uint32_t size;
    uint32_t reserved;
    /* [worker] Optional. Tags whose values paths need: span of uint32_t (0xGGGGEEEE), borrowed,
     * living as long as self. The host collects the head of the stream up to the last of them (1
     * MiB at most) and hands their elements to commit. */
    const struct trolley_span *(*needs)(void *self);
    /* [worker] Required. A place for one item; flags are TROLLEY_STORE_*. meta holds what is known
     * so far. *writer belongs to the plugin, which frees it in commit or abort. Fails with
     * NO_SPACE, IO, NOMEM. */
    int32_t (*open)(void *self, const struct trolley_meta *meta, uint32_t flags,
                    struct trolley_task *task, void **writer);
    /* [the writer's thread] Required. The next `length` bytes, all of them or an error
     * (TROLLEY_ERR_NO_SPACE, TROLLEY_ERR_IO); after an error the host calls abort. */
    int32_t (*write)(void *writer, const void *data, uint64_t length, struct trolley_task *task);
    /* [the writer's thread] Required. Whole and final: frees the writer, whatever it returns. meta
     * has checked UIDs and the needed elements. Calls `where` once on success. What it names is
     * visible and durable at the latest when sync has returned. On failure nothing of the item is
     * left. */
    int32_t (*commit)(void *writer, const struct trolley_meta *meta,
                      const struct trolley_where_sink *where, struct trolley_task *task);
    /* [the writer's thread] Required. Leaves nothing behind and frees the writer. */
    void (*abort)(void *writer);
    /* [worker] Required. TROLLEY_OK and one call of `where` when the storage holds it whole;
     * NOT_FOUND if not, or when it cannot know. Any other failure counts as not found. */
    int32_t (*exists)(void *self, const struct trolley_meta *meta,
                      const struct trolley_where_sink *where, struct trolley_task *task);
    /* [worker] Optional. Everything committed before this call is visible under its name and, as
     * far as the section's durability promises, safe from a power cut. On failure the host asks
     * exists for each. */
    int32_t (*sync)(void *self, struct trolley_task *task);
};

/*
 * Interface "trolley.lacks/1" of a storage that can say cheaply that it holds nothing of a study.
 * Open. Such a study the host may begin when its instances are only counted, not yet named; of one
 * that the storage may hold in part it asks for what is missing alone.
 */
#define TROLLEY_LACKS_INTERFACE "trolley.lacks/1"
struct trolley_lacks_interface {
    uint32_t size;
    uint32_t reserved;
    /* [worker] Serialised like exists. TROLLEY_OK when nothing of the study is there; any other
     * return when something may be. */
    int32_t (*lacks)(void *self, const char *study, struct trolley_task *task);
};

#ifdef __cplusplus
}
#endif
#endif
