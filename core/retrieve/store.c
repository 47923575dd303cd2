/* SPDX-License-Identifier: MIT */
#include "core/retrieve/store.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#define GROUP_COUNT 256
#define GROUP_AGE_MS 1000

/* Committed, not yet known to be final. Texts lie behind the struct. */
struct committed {
    struct committed *next;
    struct study *study;
    const char *content_type;
    struct trolley_outcome outcome;
};

void store_init(struct store *store, struct instance *instance, struct report *report,
                uint32_t download_flags)
{
    const struct trolley_span *needs;

    memset(store, 0, sizeof *store);
    store->instance = instance;
    store->ops = &instance->ops.storage;
    store->report = report;
    store->last = &store->first;
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->group, NULL);
    store->flags = download_flags & TROLLEY_DOWNLOAD_OVERWRITE ? TROLLEY_STORE_REPLACE
                                                               : TROLLEY_STORE_KEEP_BOTH;
    store->verify = (download_flags & TROLLEY_DOWNLOAD_VERIFY) != 0;
    needs = store->ops->needs ? store->ops->needs(instance->self) : NULL;
    if (needs) store->needs = *needs;
}

void store_clear(struct store *store)
{
    while (store->first) {
        struct committed *next = store->first->next;

        free(store->first);
        store->first = next;
    }
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->group);
}

void store_died(struct store *store, int worker, const struct task_failure *failure)
{
    pthread_mutex_lock(&store->group);
    if (!store->dead.status) {
        store->dead = *failure;
        atomic_store(&store->dead_by, worker);
    }
    pthread_mutex_unlock(&store->group);
}

bool store_is_dead(struct store *store, struct task_failure *ret_failure)
{
    pthread_mutex_lock(&store->group);
    *ret_failure = store->dead;
    pthread_mutex_unlock(&store->group);
    return ret_failure->status != 0;
}

int store_open(struct store *store, const struct trolley_meta *meta, struct task *task,
               void **ret_writer)
{
    int r;

    pthread_mutex_lock(&store->lock);
    r = store->ops->open(store->instance->self, meta, store->flags, &task->abi, ret_writer);
    pthread_mutex_unlock(&store->lock);
    return r;
}

static void meta_of_ref(const struct trolley_ref *ref, const struct trolley_meta *delivers,
                        struct trolley_meta *ret_meta)
{
    memset(ret_meta, 0, sizeof *ret_meta);
    ret_meta->size = sizeof *ret_meta;
    ret_meta->frame = ref->frame;
    ret_meta->study = ref->study;
    ret_meta->series = ref->series;
    ret_meta->instance = ref->instance;
    if (!delivers) return;
    ret_meta->content_type = delivers->content_type;
    ret_meta->variant = delivers->variant;
    if (delivers->frame) ret_meta->frame = delivers->frame;
}

/* Where exists says it lies: reported at once, while the plugin's text lives. */
struct skipping {
    struct store *store;
    const struct trolley_meta *meta;
};

static int32_t store_skipped(void *ctx, const struct trolley_stored *theirs)
{
    const struct skipping *skipping = ctx;
    struct trolley_outcome outcome = {.kind = TROLLEY_OUTCOME_SKIPPED};
    struct trolley_stored stored;

    if (trolley_read_open(&stored, sizeof stored, theirs, 0) < 0) return 0;
    outcome.study = skipping->meta->study;
    outcome.series = skipping->meta->series;
    outcome.instance = skipping->meta->instance;
    outcome.variant = skipping->meta->variant;
    outcome.frame = skipping->meta->frame;
    outcome.bytes = stored.bytes;
    outcome.path = stored.path;
    outcome.message = "the storage holds it";
    report_outcome(skipping->store->report, &outcome, NULL);
    return 0;
}

bool store_skip(struct store *store, const struct trolley_ref *ref,
                const struct trolley_meta *delivers, struct task *task)
{
    struct trolley_meta meta;
    struct skipping skipping = {store, &meta};
    const struct trolley_where_sink where = {&skipping, store_skipped};
    int r;

    meta_of_ref(ref, delivers, &meta);
    pthread_mutex_lock(&store->lock);
    r = store->ops->exists(store->instance->self, &meta, &where, &task->abi);
    pthread_mutex_unlock(&store->lock);
    return r == 0;
}

bool store_lacks(struct store *store, const char *study, struct task *task)
{
    const struct trolley_lacks_interface *theirs =
        instance_interface(store->instance, TROLLEY_LACKS_INTERFACE);
    int r;

    if (!theirs || !theirs->lacks) return false;
    pthread_mutex_lock(&store->lock);
    r = theirs->lacks(store->instance->self, study, &task->abi);
    pthread_mutex_unlock(&store->lock);
    return r == 0;
}

static const char *put_text(char **at, const char *text)
{
    size_t length;
    char *put = *at;

    if (!text) return NULL;
    length = strlen(text) + 1;
    memcpy(put, text, length);
    *at += length;
    return put;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* A copy of an outcome with all its texts, one allocation. */
static struct committed *committed_new(const struct trolley_outcome *outcome,
                                       const char *content_type)
{
    const char *const texts[] = {
        outcome->study,           outcome->series,     outcome->instance,
        outcome->variant,         outcome->downloader, outcome->sha256,
        outcome->previous_sha256, outcome->path,       outcome->transfer_syntax,
        outcome->message,         content_type};
    size_t i, size = sizeof(struct committed);
    struct committed *made;
    char *at;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        size += text_size(texts[i]);
    made = malloc(size);
    if (!made) return NULL;
    at = (char *)(made + 1);
    made->next = NULL;
    made->content_type = put_text(&at, content_type);
    made->outcome = *outcome;
    made->outcome.study = put_text(&at, outcome->study);
    made->outcome.series = put_text(&at, outcome->series);
    made->outcome.instance = put_text(&at, outcome->instance);
    made->outcome.variant = put_text(&at, outcome->variant);
    made->outcome.downloader = put_text(&at, outcome->downloader);
    made->outcome.sha256 = put_text(&at, outcome->sha256);
    made->outcome.previous_sha256 = put_text(&at, outcome->previous_sha256);
    made->outcome.path = put_text(&at, outcome->path);
    made->outcome.transfer_syntax = put_text(&at, outcome->transfer_syntax);
    made->outcome.message = put_text(&at, outcome->message);
    return made;
}

struct committing {
    struct store *store;
    const struct trolley_outcome *outcome;
    const char *content_type;
    struct committed *made;
};

/* What the storage's flags mean in words and in the report. */
static void store_judge(const struct store *store, const struct trolley_stored *stored,
                        struct trolley_outcome *outcome)
{
    outcome->path = stored->path;
    outcome->previous_sha256 = stored->previous_sha256;
    if ((stored->flags & TROLLEY_STORED_SAME) && stored->previous_sha256) {
        outcome->kind = store->verify ? TROLLEY_OUTCOME_FAILED : TROLLEY_OUTCOME_SKIPPED;
        outcome->message = "the storage holds other content under this name and keeps it";
    } else if (stored->flags & TROLLEY_STORED_SAME) {
        outcome->kind = TROLLEY_OUTCOME_SKIPPED;
        outcome->message = store->verify ? "verified: the server sends the same content"
                                         : "the storage held the same content";
    } else if (stored->flags & TROLLEY_STORED_REPLACED) {
        outcome->kind = TROLLEY_OUTCOME_REPLACED;
    } else if (stored->flags & TROLLEY_STORED_BESIDE) {
        outcome->kind = store->verify ? TROLLEY_OUTCOME_FAILED : TROLLEY_OUTCOME_STORED;
        outcome->message = "the storage held other content under this name: kept beside it";
    }
}

static int32_t store_committed(void *ctx, const struct trolley_stored *theirs)
{
    struct committing *committing = ctx;
    struct trolley_outcome outcome = *committing->outcome;
    struct trolley_stored stored;

    if (committing->made || trolley_read_open(&stored, sizeof stored, theirs, 0) < 0)
        return TROLLEY_ERR_INVALID_ARG;
    store_judge(committing->store, &stored, &outcome);
    committing->made = committed_new(&outcome, committing->content_type);
    return committing->made ? 0 : TROLLEY_ERR_NOMEM;
}

int store_commit(struct store *store, void *writer, struct study *study,
                 const struct trolley_meta *meta, const struct trolley_outcome *outcome,
                 struct task *task)
{
    struct committing committing = {store, outcome, meta->content_type, NULL};
    const struct trolley_where_sink where = {&committing, store_committed};
    int r = store->ops->commit(writer, meta, &where, &task->abi);

    if (r < 0) {
        free(committing.made);
        return r;
    }
    /* A storage that does not say where is still a storage. */
    if (!committing.made) committing.made = committed_new(outcome, meta->content_type);
    if (!committing.made) return TROLLEY_ERR_NOMEM;
    committing.made->study = study;
    pthread_mutex_lock(&store->group);
    if (!store->count) store->oldest_ms = task_clock_ms();
    *store->last = committing.made;
    store->last = &committing.made->next;
    store->count++;
    pthread_mutex_unlock(&store->group);
    return 0;
}

/* Takes the group when it is due. */
static struct committed *store_take(struct store *store, bool force)
{
    struct committed *group = NULL;

    pthread_mutex_lock(&store->group);
    if (store->count && (force || store->count >= GROUP_COUNT ||
                         task_clock_ms() - store->oldest_ms >= GROUP_AGE_MS)) {
        group = store->first;
        store->first = NULL;
        store->last = &store->first;
        store->count = 0;
    }
    pthread_mutex_unlock(&store->group);
    return group;
}

static int32_t store_found(void *ctx, const struct trolley_stored *stored)
{
    (void)ctx;
    (void)stored;
    return 0;
}

/* After a failed sync: is this one there all the same? */
static bool store_survived(struct store *store, const struct committed *member, struct task *task)
{
    const struct trolley_outcome *outcome = &member->outcome;
    const struct trolley_where_sink where = {NULL, store_found};
    /* Beside or in place of another, that other is what exists would find. */
    const bool had_other = outcome->previous_sha256 || outcome->kind == TROLLEY_OUTCOME_REPLACED ||
                           outcome->kind == TROLLEY_OUTCOME_FAILED;
    struct trolley_meta meta = {.size = sizeof meta,
                                .frame = outcome->frame,
                                .study = outcome->study,
                                .series = outcome->series,
                                .instance = outcome->instance,
                                .content_type = member->content_type,
                                .variant = outcome->variant};

    return !had_other && store->ops->exists(store->instance->self, &meta, &where, &task->abi) == 0;
}

int store_sync(struct store *store, bool force, struct task *task, store_lost_sink lost, void *ctx)
{
    struct committed *group, *next;
    struct task_failure failure = {0};
    int r = 0;

    pthread_mutex_lock(&store->lock);
    group = store_take(store, force);
    if (group && store->ops->sync) {
        task_reset(task);
        r = store->ops->sync(store->instance->self, &task->abi);
        if (r < 0) task_failure_of(task, r, &failure);
    }
    for (; group; group = next) {
        next = group->next;
        if (r == 0 || store_survived(store, group, task)) {
            const bool differs = group->outcome.kind == TROLLEY_OUTCOME_FAILED;
            struct task_failure told = {.status = differs ? TROLLEY_ERR_PARTIAL : 0};

            report_outcome(store->report, &group->outcome, &told);
        } else {
            lost(ctx, group->study, &group->outcome, &failure);
        }
        free(group);
    }
    pthread_mutex_unlock(&store->lock);
    if (r < 0 && (failure.flags & TROLLEY_FAILURE_STOP_ALL)) store_died(store, -1, &failure);
    return r;
}
