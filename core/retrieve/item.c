/* SPDX-License-Identifier: MIT */
#include "core/retrieve/item.h"

#include <kit/digest.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/part10.h"
#include "core/retrieve/claim.h"
#include "core/retrieve/tell.h"

#define META_SIZE_1_0 (offsetof(struct trolley_meta, elements) + sizeof(struct trolley_span))

enum item_state {
    ITEM_HEAD,     /* UIDs not known yet */
    ITEM_ACCEPTED, /* it is what was asked for */
    ITEM_DISCARDED /* unexpected, duplicate or failed: drained */
};

struct item {
    struct fetch *fetch;
    struct task task;
    struct part10 *head;       /* NULL for variants */
    struct kit_digest *digest; /* NULL when nobody wants it */
    void *writer;
    uint64_t bytes;
    uint32_t entry; /* index while ACCEPTED */
    enum item_state state;
    struct task_failure failure; /* status set: why it cannot be stored */
    struct trolley_meta meta;    /* as the downloader told, texts copied */
    char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
    char sop_class[KIT_UID_MAX + 1], transfer_syntax[KIT_UID_MAX + 1];
    char content_type[128], variant[64];
};

/* Leaves nothing behind of what was written. */
static void item_drop(struct item *item)
{
    if (item->writer) item->fetch->store->ops->abort(item->writer);
    item->writer = NULL;
}

static void item_free(struct item *item)
{
    item_drop(item);
    part10_free(item->head);
    kit_digest_free(item->digest);
    task_clear(&item->task);
    free(item);
}

/* Copies a text of the meta; one too long for what it is reads as absent. */
static const char *meta_text(char *own, size_t size, const char *theirs)
{
    if (!theirs || !*theirs || strlen(theirs) >= size) return NULL;
    memcpy(own, theirs, strlen(theirs) + 1);
    return own;
}

static const char *meta_uid(char own[KIT_UID_MAX + 1], const char *theirs)
{
    return theirs && kit_uid_valid(theirs) ? meta_text(own, KIT_UID_MAX + 1, theirs) : NULL;
}

static void item_read_meta(struct item *item, const struct trolley_meta *theirs)
{
    struct trolley_meta read = {0};

    (void)trolley_read_open(&read, sizeof read, theirs, META_SIZE_1_0);
    item->meta.size = sizeof item->meta;
    item->meta.frame = read.frame;
    item->meta.size_hint = read.size_hint;
    item->meta.study = meta_uid(item->study, read.study);
    item->meta.series = meta_uid(item->series, read.series);
    item->meta.instance = meta_uid(item->instance, read.instance);
    item->meta.sop_class = meta_uid(item->sop_class, read.sop_class);
    item->meta.transfer_syntax = meta_uid(item->transfer_syntax, read.transfer_syntax);
    item->meta.content_type =
        meta_text(item->content_type, sizeof item->content_type, read.content_type);
    item->meta.variant = meta_text(item->variant, sizeof item->variant, read.variant);
}

static bool item_is_dicom(const struct item *item)
{
    return !item->meta.content_type || strcmp(item->meta.content_type, "application/dicom") == 0;
}

/* Tells an item that is not stored. */
static void item_report(struct item *item, uint32_t kind, const char *message)
{
    struct trolley_outcome outcome = {.kind = kind, .frame = item->meta.frame};

    outcome.study = item->meta.study;
    outcome.series = item->meta.series;
    outcome.instance = item->meta.instance;
    outcome.variant = item->meta.variant;
    outcome.downloader = item->fetch->downloader;
    outcome.transfer_syntax = item->meta.transfer_syntax;
    outcome.message = message;
    report_outcome(item->fetch->report, &outcome, NULL);
}

__attribute__((format(printf, 3, 4))) static void item_fail(struct item *item, int status,
                                                            const char *format, ...)
{
    va_list args;

    if (item->failure.status) return;
    item->failure.status = status;
    item->failure.flags = trolley_status_flags(status);
    va_start(args, format);
    (void)vsnprintf(item->failure.message, sizeof item->failure.message, format, args);
    va_end(args);
}

/* Checks who the item is, once its UIDs are known. */
static void item_judge(struct item *item)
{
    const struct study *study = item->fetch->study;
    uint32_t against = TROLLEY_OUTCOME_UNEXPECTED;

    if (item->meta.study && strcmp(item->meta.study, study->uid) == 0 && item->meta.instance) {
        pthread_mutex_lock(item->fetch->run_lock);
        against = claim_entry(item->fetch, &item->meta, &item->entry);
        pthread_mutex_unlock(item->fetch->run_lock);
    }
    if (!against) {
        item->state = ITEM_ACCEPTED;
        return;
    }
    item->state = ITEM_DISCARDED;
    if (against == TROLLEY_OUTCOME_UNEXPECTED)
        item_report(item, against, "the server sent it unasked; it was not stored");
    else if (against == TROLLEY_OUTCOME_FAILED)
        item_fail(item, TROLLEY_ERR_NOMEM, "out of memory");
    else if (against == TROLLEY_OUTCOME_DUPLICATE)
        item_report(item, against, "it came twice; the second was not stored");
    item_drop(item);
}

/* The UIDs that the stream itself tells take the place of what the downloader said. */
static void item_take_head(struct item *item)
{
    const char *instance = part10_text(item->head, 0x00080018);

    item->meta.study = meta_uid(item->study, part10_text(item->head, 0x0020000d));
    item->meta.series = meta_uid(item->series, part10_text(item->head, 0x0020000e));
    item->meta.instance = meta_uid(item->instance, instance);
    item->meta.sop_class = meta_uid(item->sop_class, part10_text(item->head, 0x00080016));
    if (part10_transfer_syntax(item->head))
        item->meta.transfer_syntax =
            meta_uid(item->transfer_syntax, part10_transfer_syntax(item->head));
    item_judge(item);
}

/* What the storage said; where it can take nothing any more the run ends. */
static void item_storage_failed(struct item *item, int status)
{
    task_failure_of(&item->task, status, &item->failure);
    if (item->failure.flags & TROLLEY_FAILURE_STOP_ALL)
        store_died(item->fetch->store, item->fetch->worker, &item->failure);
}

static int item_prepare(struct item *item)
{
    struct store *store = item->fetch->store;
    int r;

    if (!(item->fetch->report->options->flags & TROLLEY_DOWNLOAD_NO_HASHES)) {
        item->digest = kit_digest_new();
        if (!item->digest) return TROLLEY_ERR_NOMEM;
    }
    if (item_is_dicom(item)) {
        r = part10_new(&store->needs, &item->head);
        if (r < 0) return r;
    }
    r = store_open(store, &item->meta, &item->task, &item->writer);
    if (r < 0) {
        item_storage_failed(item, r);
        item->writer = NULL;
    }
    return 0;
}

static int32_t item_begin(void *ctx, const struct trolley_meta *meta, void **ret_item)
{
    struct fetch *fetch = ctx;
    struct item *item;
    int r;

    if (atomic_load(&fetch->store->dead_by) || atomic_load(fetch->cancel))
        return TROLLEY_ERR_CANCELLED;
    item = calloc(1, sizeof *item);
    if (!item) return TROLLEY_ERR_NOMEM;
    item->fetch = fetch;
    task_init(&item->task, fetch->store->instance->component->title, fetch->cancel, report_remark,
              fetch->report);
    item_read_meta(item, meta);
    r = item_prepare(item);
    if (r < 0) {
        item_free(item);
        return r;
    }
    if (!item->head) item_judge(item);
    *ret_item = item;
    return 0;
}

/* An item without end would be drained without end: the request is given up, and the rest of it
 * asked for anew. */
static int item_give_up(struct item *item)
{
    struct fetch *fetch = item->fetch;
    struct task_failure *why = &fetch->gave_up;

    if (item->writer)
        item_fail(item, TROLLEY_ERR_TOO_LARGE, "larger than max_instance (%lld bytes)",
                  (long long)fetch->max_instance);
    item_drop(item);
    pthread_mutex_lock(fetch->run_lock);
    why->status = TROLLEY_ERR_TRUNCATED;
    why->flags = TROLLEY_FAILURE_TRANSIENT;
    (void)snprintf(why->message, sizeof why->message,
                   "the answer was given up within an object of more than %llu bytes",
                   (unsigned long long)item->bytes);
    pthread_mutex_unlock(fetch->run_lock);
    return TROLLEY_ERR_CANCELLED;
}

static bool item_too_large(const struct item *item)
{
    const uint64_t most = (uint64_t)item->fetch->max_instance;

    if (most && item->bytes > most) return true;
    return !most && !item->writer && item->bytes > ITEM_DRAIN_MOST;
}

static void item_read_head(struct item *item, const void *data, uint64_t length)
{
    enum part10_state state;

    if (!item->head) return;
    state = part10_feed(item->head, data, length);
    if (item->state != ITEM_HEAD) return;
    if (state == PART10_DONE) item_take_head(item);
    if (state != PART10_BAD) return;
    item_fail(item, TROLLEY_ERR_PROTOCOL, "what came is no readable DICOM: %s",
              part10_problem(item->head));
    item->state = ITEM_DISCARDED;
    item_drop(item);
}

static int32_t item_write(void *handle, const void *data, uint64_t length)
{
    struct item *item = handle;
    struct fetch *fetch = item->fetch;
    int r;

    if (atomic_load(fetch->cancel) || atomic_load(&fetch->store->dead_by))
        return TROLLEY_ERR_CANCELLED;
    item->bytes += length;
    report_bytes(fetch->report, length);
    item_read_head(item, data, length);
    if (item_too_large(item)) return item_give_up(item);
    if (!item->writer) return 0;
    kit_digest_update(item->digest, data, length);
    task_reset(&item->task);
    r = fetch->store->ops->write(item->writer, data, length, &item->task.abi);
    if (r < 0 && !item->failure.status) item_storage_failed(item, r);
    return r;
}

static int item_commit(struct item *item)
{
    struct trolley_outcome outcome = {.kind = TROLLEY_OUTCOME_STORED, .frame = item->meta.frame};
    struct trolley_meta meta = item->meta;
    void *writer = item->writer;
    char hex[KIT_DIGEST_HEX_SIZE];
    int r;

    meta.size_hint = item->bytes;
    if (item->head) meta.elements = part10_elements(item->head);
    outcome.study = meta.study;
    outcome.series = meta.series;
    outcome.instance = meta.instance;
    outcome.variant = meta.variant;
    outcome.transfer_syntax = meta.transfer_syntax;
    outcome.downloader = item->fetch->downloader;
    outcome.bytes = item->bytes;
    outcome.sha256 = kit_digest_hex(item->digest, hex);
    item->writer = NULL; /* commit frees it, whatever it returns */
    task_reset(&item->task);
    r = store_commit(item->fetch->store, writer, item->fetch->study, &meta, &outcome, &item->task);
    if (r < 0) item_storage_failed(item, r);
    return r;
}

/* Everything came: is it whole DICOM, and the one it claims to be? */
static void item_complete(struct item *item)
{
    if (item->head && part10_finish(item->head) == PART10_DONE && item->state == ITEM_HEAD)
        item_take_head(item);
    if (item->head && part10_is_cut(item->head))
        item_fail(item, TROLLEY_ERR_TRUNCATED,
                  "what came (%llu bytes, well delimited) ends within an element of its data set",
                  (unsigned long long)item->bytes);
    if (item->head && part10_problem(item->head))
        item_fail(item, TROLLEY_ERR_PROTOCOL, "what came is no readable DICOM: %s",
                  part10_problem(item->head));
    if (item->state == ITEM_ACCEPTED && !item->failure.status) (void)item_commit(item);
}

/* Which entry a broken item was meant to fill: the one it claimed, or the one its downloader named.
 */
static struct entry *item_entry(struct item *item)
{
    struct study *study = item->fetch->study;
    uint32_t index =
        item->state == ITEM_ACCEPTED ? item->entry : study_lookup(study, item->meta.instance);

    return index == ENTRY_NONE ? NULL : &study->entries[index];
}

/* Lets go of the entry. It is there when all its items are closed and none of them has failed. */
static void item_release(struct item *item, struct entry *entry)
{
    entry->arriving--;
    if (item->failure.status)
        entry->state = ENTRY_PENDING;
    else if (!entry->arriving && !(item->meta.frame && (entry->flags & ENTRY_FAILED_NOW)))
        entry->state = ENTRY_DONE;
}

/* What was thrown away though nothing was wrong with it is acknowledged only where it is there. */
static int32_t item_answer(const struct item *item, const struct entry *entry, int32_t status)
{
    if (status || item->state != ITEM_DISCARDED) return status;
    return entry && entry->state == ENTRY_DONE ? 0 : TROLLEY_ERR_PROTOCOL;
}

static int32_t item_end(void *handle, const struct trolley_failure *failure)
{
    struct item *item = handle;
    struct entry *entry;
    int32_t status, answer;
    bool nameless;

    if (failure && !item->failure.status) task_failure_read(&item->failure, failure);
    if (!item->failure.status) item_complete(item);
    status = item->failure.status;
    pthread_mutex_lock(item->fetch->run_lock);
    entry = item_entry(item);
    if (entry && item->state == ITEM_ACCEPTED) item_release(item, entry);
    if (entry && status && status != TROLLEY_ERR_CANCELLED && entry->state != ENTRY_DONE)
        study_fail_now(item->fetch->study, entry, &item->failure, ENTRY_BROKEN);
    nameless = status && status != TROLLEY_ERR_CANCELLED && !entry;
    if (nameless && !item->meta.instance) tell_nameless(item->fetch, &item->failure, ENTRY_BROKEN);
    answer = item_answer(item, entry, status);
    pthread_mutex_unlock(item->fetch->run_lock);
    if (nameless)
        trolley_note(&item->task.abi, TROLLEY_LOG_WARNING, 0, NULL,
                     "an object that could not be told apart was broken: %s",
                     item->failure.message);
    item_free(item);
    return answer;
}

struct trolley_dataset_sink item_sink(struct fetch *fetch)
{
    struct trolley_dataset_sink sink = {fetch,    item_begin,  item_write,
                                        item_end, tell_failed, tell_expect};

    return sink;
}
