/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "shared.h"

#define PIECE ((size_t)256 << 10)

struct fetch {
    struct folder_shared *shared;
    const struct trolley_dataset_sink *sink;
    struct trolley_task *task;
    char *space; /* PIECE bytes */
};

static struct trolley_failure failure_of(int status, const char *message)
{
    struct trolley_failure failure = {.size = sizeof failure,
                                      .status = status,
                                      .flags = trolley_status_flags(status),
                                      .message = message};

    return failure;
}

/* Streams the open file into a begun item. Returns 0 or a status, with `problem` set when it is
 * the file's. */
static int stream_file(const struct fetch *fetch, const struct index_instance *instance, int fd,
                       void *item, char *problem, size_t size)
{
    uint64_t done = 0;

    for (;;) {
        ssize_t n = read(fd, fetch->space, PIECE);
        int r;

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            (void)snprintf(problem, size, "folder \"%s\": cannot read %s: %s",
                           fetch->shared->section, instance->file, strerror(errno));
            return TROLLEY_ERR_IO;
        }
        if (n == 0) break;
        if (fetch->task->cancelled(fetch->task)) return TROLLEY_ERR_CANCELLED;
        r = fetch->sink->write(item, fetch->space, (uint64_t)n);
        if (r < 0) return r;
        done += (uint64_t)n;
    }
    if (done == instance->bytes && folder_unchanged(fd, instance)) return 0;
    (void)snprintf(problem, size, "folder \"%s\": %s was changed while it was read",
                   fetch->shared->section, instance->file);
    return TROLLEY_ERR_IO;
}

static struct trolley_meta meta_of(const struct index_instance *instance)
{
    struct trolley_meta meta = {.size = sizeof meta,
                                .study = instance->study,
                                .series = instance->series,
                                .instance = instance->uid,
                                .content_type = "application/dicom",
                                .size_hint = instance->bytes};
    const char *text;

    if (index_value(instance, index_find_column(0x00080016), &text) > 0) meta.sop_class = text;
    if (index_value(instance, index_find_column(0x00020010), &text) > 0)
        meta.transfer_syntax = text;
    return meta;
}

/* Tells the sink that an instance will not come. */
static int report_failed(const struct fetch *fetch, const struct index_instance *instance,
                         int status, const char *problem)
{
    struct trolley_failure failure = failure_of(status, problem);
    struct trolley_ref ref = {.size = sizeof ref,
                              .level = TROLLEY_LEVEL_INSTANCE,
                              .study = instance->study,
                              .series = instance->series,
                              .instance = instance->uid};

    return fetch->sink->failed(fetch->sink->ctx, &ref, &failure);
}

static int fetch_instance(const struct fetch *fetch, const struct index_instance *instance)
{
    struct trolley_meta meta = meta_of(instance);
    struct trolley_failure failure;
    char problem[1024] = "";
    void *item = NULL;
    int r, fd = folder_open_instance(fetch->shared, instance, problem, sizeof problem);

    if (fd < 0) return report_failed(fetch, instance, fd, problem);
    r = fetch->sink->begin(fetch->sink->ctx, &meta, &item);
    if (r == 0) {
        r = stream_file(fetch, instance, fd, item, problem, sizeof problem);
        failure = failure_of(r, problem[0] ? problem : NULL);
        (void)fetch->sink->end(item, r < 0 ? &failure : NULL);
    }
    (void)close(fd);
    /* An item's trouble is its own: only a wish to stop ends the call. */
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

static int fetch_ref(const struct fetch *fetch, const struct index *index,
                     const struct trolley_ref *ref)
{
    struct index_range range = index_below(index, ref->study, ref->series, ref->instance);
    struct trolley_failure failure;
    size_t i;
    int r = 0;

    if (range.first == range.end) {
        failure = failure_of(TROLLEY_ERR_NOT_FOUND, "the folder holds no such object");
        return fetch->sink->failed(fetch->sink->ctx, ref, &failure);
    }
    if (ref->level < TROLLEY_LEVEL_INSTANCE)
        r = fetch->sink->expect(fetch->sink->ctx, ref, range.end - range.first);
    for (i = range.first; i < range.end && r == 0; i++) {
        if (fetch->task->cancelled(fetch->task)) return TROLLEY_ERR_CANCELLED;
        r = fetch_instance(fetch, &index->instances[i]);
    }
    return r;
}

int32_t folder_fetch(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct fetch fetch = {.shared = self, .sink = sink, .task = task};
    const struct index *index;
    uint32_t i;
    int r = folder_index(self, task, &index);

    if (r < 0) return r;
    fetch.space = malloc(PIECE);
    if (!fetch.space) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    for (i = 0; i < refs->count && r == 0; i++)
        r = fetch_ref(&fetch, index, trolley_span_at(refs, i));
    free(fetch.space);
    return r;
}
