/* cached: a searcher that remembers for a while what another one answered. SPDX-License-Identifier:
 * MIT */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "answer.h"
#include "file.h"
#include "key.h"
#include "store.h"

static const struct trolley_option cached_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_COMPONENT,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "searcher",
     .choices = "searcher",
     .help = "The searcher to ask, and to remember the answers of"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .key = "expiry_seconds",
     .default_text = "600",
     .min = 1,
     .max = 31622400,
     .help = "How long an answer is good",
     .metavar = "N"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_PATH,
     .key = "file",
     .help = "Where answers are kept for the next run; they hold names of patients",
     .metavar = "cache.bin"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_SIZE,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "max_size",
     .default_text = "64MiB",
     .min = 65536,
     .max = 1 << 30,
     .help = "Memory and disk for answers; the oldest go first"},
};
static const struct trolley_span cached_options = TROLLEY_SPAN(cached_option_table);

/* What the instances of a section share. */
struct cached_shared {
    const struct trolley_host *host;
    struct store *store;
    const char *file, *searcher, *section; /* file NULL: nothing is kept for the next run */
    size_t max_bytes;
    atomic_bool changed; /* since the file was read */
};

struct cached {
    struct cached_shared *shared;
    struct trolley_peer *peer;
};

static int64_t cached_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void cached_warn(const struct cached_shared *shared, const char *what, const char *reason)
{
    char line[FILE_REASON_MAX + 128];

    if (!*reason || !shared->host->log) return;
    (void)snprintf(line, sizeof line, "[searcher %s]: %s: %s", shared->section, what, reason);
    shared->host->log(shared->host, TROLLEY_LOG_WARNING, "cached", line);
}

/* ---- lives ---- */

static void cached_close(void *opened)
{
    struct cached_shared *shared = opened;
    char reason[FILE_REASON_MAX];

    if (!shared) return;
    if (shared->file && atomic_load(&shared->changed) &&
        file_save(shared->store, shared->file, shared->searcher, cached_now_ms(), reason) < 0)
        cached_warn(shared, "the cache was not kept", reason);
    store_free(shared->store);
    free(shared);
}

static int32_t cached_open(const struct trolley_host *host, const struct trolley_config *config,
                           struct trolley_task *task, void **ret_shared)
{
    struct cached_shared *shared = calloc(1, sizeof *shared);
    char reason[FILE_REASON_MAX];
    int r;

    (void)task;
    if (!shared) return TROLLEY_ERR_NOMEM;
    shared->host = host;
    shared->section = config->section;
    shared->file = config->text(config, "file");
    shared->searcher = config->text(config, "searcher");
    shared->max_bytes = (size_t)config->integer(config, "max_size", INT64_C(64) << 20);
    r = store_new(config->integer(config, "expiry_seconds", 600) * 1000, shared->max_bytes,
                  &shared->store);
    if (r < 0) {
        free(shared);
        return r;
    }
    if (shared->file) {
        file_load(shared->store, shared->file, shared->searcher, 2 * (uint64_t)shared->max_bytes,
                  reason);
        cached_warn(shared, "the cache is not used", reason);
    }
    *ret_shared = shared;
    return 0;
}

static int32_t cached_create(const struct trolley_host *host, const struct trolley_config *config,
                             void *shared, struct trolley_task *task, void **self)
{
    struct cached *cached = calloc(1, sizeof *cached);
    int32_t r;

    (void)host;
    if (!cached) return TROLLEY_ERR_NOMEM;
    cached->shared = shared;
    r = config->peer(config, "searcher", task, &cached->peer);
    if (r < 0) {
        free(cached);
        return r;
    }
    *self = cached;
    return 0;
}

static void cached_destroy(void *self)
{
    free(self);
}

/* ---- asking the other, and listening ---- */

/* Stands between the other searcher and who asked: keeps records, and notices warnings. */
struct listener {
    struct trolley_task task;
    struct trolley_task *outer;
    const struct trolley_record_sink *sink;
    struct kit_buffer answer;
    bool whole; /* everything that came is in `answer`, and nothing made it doubtful */
};

static int32_t listener_cancelled(struct trolley_task *task)
{
    struct trolley_task *outer = ((struct listener *)task->impl)->outer;

    return outer->cancelled(outer);
}

static int64_t listener_remaining_ms(struct trolley_task *task)
{
    struct trolley_task *outer = ((struct listener *)task->impl)->outer;

    return outer->remaining_ms(outer);
}

static void listener_progress(struct trolley_task *task, uint64_t done, uint64_t total,
                              const char *unit, const char *message)
{
    struct trolley_task *outer = ((struct listener *)task->impl)->outer;

    outer->progress(outer, done, total, unit, message);
}

static void listener_fail(struct trolley_task *task, const struct trolley_failure *failure)
{
    struct trolley_task *outer = ((struct listener *)task->impl)->outer;

    outer->fail(outer, failure);
}

/* An answer with a warning may be only part of one; asked again, the warning is heard again. */
static void listener_note(struct trolley_task *task, uint32_t severity, int32_t code,
                          const struct trolley_ref *ref, const char *message)
{
    struct listener *listener = task->impl;

    if (severity == TROLLEY_LOG_WARNING || severity == TROLLEY_LOG_ERROR) listener->whole = false;
    listener->outer->note(listener->outer, severity, code, ref, message);
}

static int32_t listener_record(void *ctx, const struct trolley_record *record)
{
    struct listener *listener = ctx;

    if (listener->whole && answer_add(&listener->answer, record) < 0) {
        listener->whole = false;
        kit_buffer_free(&listener->answer);
    }
    return listener->sink->record(listener->sink->ctx, record);
}

static void listener_init(struct listener *listener, const struct trolley_record_sink *sink,
                          struct trolley_task *outer, size_t max_bytes)
{
    *listener = (struct listener){.outer = outer, .sink = sink, .whole = true};
    listener->answer.cap = max_bytes;
    listener->task.size = sizeof listener->task;
    listener->task.impl = listener;
    listener->task.cancelled = listener_cancelled;
    listener->task.remaining_ms = listener_remaining_ms;
    listener->task.progress = listener_progress;
    listener->task.fail = listener_fail;
    listener->task.note = listener_note;
}

/* Keeps what came whole. What was not there may come, so that "nothing" is not kept. */
static int32_t cached_ask(struct cached *cached, const char *key, size_t length,
                          const struct trolley_query *query, const struct trolley_record_sink *sink,
                          struct trolley_task *task)
{
    struct cached_shared *shared = cached->shared;
    struct listener listener;
    struct trolley_record_sink through = {&listener, listener_record};
    int64_t asked_ms = cached_now_ms();
    int32_t r;

    listener_init(&listener, sink, task, shared->max_bytes);
    r = cached->peer->find(cached->peer, query, &through, &listener.task);
    if (r == 0 && listener.whole && listener.answer.length) {
        r = store_add(shared->store, key, length, listener.answer.data, listener.answer.length,
                      asked_ms);
        atomic_store(&shared->changed, true);
    }
    kit_buffer_free(&listener.answer);
    return r;
}

/* ---- answering ---- */

/* From the answer to the same question about the object or about one it belongs to, whose UIDs are
 * known down to level `widest`. *ret_found: there was one. */
static int32_t cached_answer(struct cached *cached, const struct trolley_query *query,
                             uint32_t widest, const struct trolley_record_sink *sink,
                             bool *ret_found)
{
    struct store *store = cached->shared->store;
    struct answer_object object = {{NULL}};
    struct kit_buffer key = {0};
    struct store_entry *entry = NULL;
    int32_t r = key_text(&key, query, widest);

    if (r == 0) entry = store_find(store, key.data, key.length, cached_now_ms());
    kit_buffer_free(&key);
    if (!entry) return r;
    for (uint32_t level = widest + 1; level <= TROLLEY_LEVEL_INSTANCE; level++)
        object.uids[level] = key_uid(query, level);
    *ret_found = true;
    r = answer_deliver(entry->answer, entry->answer_length, &object, sink);
    store_release(store, entry);
    return r;
}

static int32_t cached_find(void *self, const struct trolley_query *query,
                           const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct cached *cached = self;
    uint32_t widest = TROLLEY_LEVEL_INSTANCE, last;
    struct kit_buffer key = {0};
    bool found = false;
    int32_t r = 0;

    if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
    last = key_names_object(query) ? TROLLEY_LEVEL_STUDY : TROLLEY_LEVEL_INSTANCE;
    for (; r == 0 && !found && widest >= last; widest--)
        r = cached_answer(cached, query, widest, sink, &found);
    if (r < 0 || found) return r;
    r = key_text(&key, query, TROLLEY_LEVEL_INSTANCE);
    if (r == 0) r = cached_ask(cached, key.data, key.length, query, sink, task);
    kit_buffer_free(&key);
    return r;
}

static const struct trolley_span *cached_query_types(void *self)
{
    struct trolley_peer *peer = ((struct cached *)self)->peer;

    return peer->query_types(peer);
}

static uint32_t cached_levels(void *self)
{
    struct trolley_peer *peer = ((struct cached *)self)->peer;

    return peer->levels(peer);
}

/* Until an instance knows those of the searcher it asks. */
static const struct trolley_query_type cached_type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span cached_types = TROLLEY_SPAN(cached_type_table);

static const struct trolley_searcher_ops cached_ops = {
    .size = sizeof cached_ops,
    .find = cached_find,
    .query_types = cached_query_types,
    .levels = cached_levels,
};

static const struct trolley_component cached_component = {
    .size = sizeof cached_component,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "Another searcher's answers, remembered for a while",
    .options = &cached_options,
    .query_types = &cached_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .open = cached_open,
    .close = cached_close,
    .create = cached_create,
    .destroy = cached_destroy,
    .ops = &cached_ops,
};

static const struct trolley_component *const cached_components[] = {&cached_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "cached",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "A searcher that remembers another one's answers",
        .components = cached_components,
    };

    return &plugin;
}
