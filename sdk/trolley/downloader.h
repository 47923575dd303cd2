/*
 * trolley/downloader.h: operations of a downloader, and the sink that takes what it brings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_DOWNLOADER_H
#define TROLLEY_DOWNLOADER_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is known of one item before its bytes, or of one stored thing. Open; borrowed for the call.
 * Unknown texts are NULL. */
struct trolley_meta {
    uint32_t size;
    uint32_t frame;    /* from 1; 0 means the whole instance */
    const char *study; /* UIDs, trimmed; the host checks them again */
    const char *series;
    const char *instance;
    const char *sop_class;
    const char *transfer_syntax; /* UID */
    /* Media type without parameters; NULL reads as "application/dicom". */
    const char *content_type;
    /* What is told apart from the instance itself: "rendered", "metadata"; NULL for the instance.
     */
    const char *variant;
    uint64_t size_hint; /* bytes, 0 when unknown */
    /* Storages only: of struct trolley_element, the tags that `needs` named. */
    struct trolley_span elements;
};

/*
 * Takes what a downloader brings. Closed. Several items may be open at once; items may belong to
 * threads that the plugin owns during fetch, one item one thread. Every begun item gets exactly one
 * end. Nothing is called after fetch has returned. A negative return of begin or write concerns
 * this item alone: the plugin ends it with that status (or drains it) and goes on, unless the
 * status is TROLLEY_ERR_CANCELLED: then it returns. All functions are [any]; those of one item are
 * called by one thread after the other, never by two at once.
 */
struct trolley_dataset_sink {
    void *ctx;
    /* An item begins. *item is the handle for write and end; after a failure there is none, and no
     * end. Only content_type application/dicom is read as PS3.10, verified and counted as the
     * instance; everything else is a variant of it. */
    int32_t (*begin)(void *ctx, const struct trolley_meta *meta, void **item);
    /* The next bytes, exactly as the server sent them. */
    int32_t (*write)(void *item, const void *data, uint64_t length);
    /* Whole (failure NULL) or broken. Returns the status of the commit: 0 only when the bytes are
     * stored, so a C-STORE is acknowledged with the truth. Frees the item, whatever it returns. */
    int32_t (*end)(void *item, const struct trolley_failure *failure);
    /* An object asked for that will not come, with the reason. ref is one of fetch's, or an object
     * below it: an instance that nobody had named is expected from then on. */
    int32_t (*failed)(void *ctx, const struct trolley_ref *ref,
                      const struct trolley_failure *failure);
    /* The server said how many instances `ref` (a study or series) has. */
    int32_t (*expect)(void *ctx, const struct trolley_ref *ref, uint64_t instances);
};

/* Open. An instance is used by one thread at a time; the host makes as many as it has workers. */
struct trolley_downloader_ops {
    uint32_t size;
    uint32_t reserved;
    /*
     * [worker] Required. Brings the objects of `refs` (span of struct trolley_ref, of one accepted
     * level) into the sink. One object's failure goes to sink->failed (or its item's end) and does
     * not stop the others. Returns TROLLEY_OK when every ref was worked on, whatever became of it.
     * A negative return means that the call as a whole broke off; what was neither ended nor failed
     * is asked again by the host. Plugins never retry by themselves.
     */
    int32_t (*fetch)(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task);
    /* [worker] Optional. The enum trolley_level it likes best of those it accepts; default the
     * widest accepted. */
    uint32_t (*preferred_level)(void *self);
    /* [worker] Optional. Most refs a fetch; default 1. */
    uint32_t (*batch)(void *self);
    /* [worker] Optional. Keep refs of one study (TROLLEY_LEVEL_STUDY) or series together in a
     * fetch; 0 for no wish. */
    uint32_t (*group_level)(void *self);
};

/*
 * Interface "trolley.delivers/1" of a downloader whose items are not the instances themselves but
 * variants of them: one frame rendered, metadata alone. Open. By it the host knows under which name
 * the storage may hold an instance's item already, and does not fetch it again.
 */
#define TROLLEY_DELIVERS_INTERFACE "trolley.delivers/1"
struct trolley_delivers_interface {
    uint32_t size;
    uint32_t reserved;
    /* [worker] content_type, variant and frame as every item of this instance will have them, by
     * its configuration; no UIDs. NULL: the instances themselves. Lives as long as self. */
    const struct trolley_meta *(*delivers)(void *self);
};

#ifdef __cplusplus
}
#endif
#endif
