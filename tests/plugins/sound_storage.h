/*
 * sound_storage.h: a storage without faults, ROOT/INSTANCE.dcm, for those that have one: they
 * replace commit or abort. SPDX-License-Identifier: MIT
 */
#ifndef TESTS_PLUGINS_SOUND_STORAGE_H
#define TESTS_PLUGINS_SOUND_STORAGE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sound.h"

struct sound_writer {
    const struct sound *sound;
    uint32_t flags;
    int fd;
    char path[512]; /* of what is being written */
};

static const struct trolley_option sound_path_table[] = {
    {SOUND_OPTION(PATH, "path"), .flags = TROLLEY_OPTION_REQUIRED | TROLLEY_OPTION_ROOT_PATH,
     .help = "where files go"},
};
SOUND const struct trolley_span sound_path = TROLLEY_SPAN(sound_path_table);

SOUND const char *sound_root(const struct sound *sound)
{
    return sound->config->text(sound->config, "path");
}

SOUND int32_t sound_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                         struct trolley_task *task, void **writer)
{
    struct sound_writer *made = calloc(1, sizeof *made);

    (void)meta;
    if (!made) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    made->sound = self;
    made->flags = flags;
    (void)snprintf(made->path, sizeof made->path, "%s/.XXXXXX", sound_root(self));
    (void)mkdir(sound_root(self), 0700);
    made->fd = mkostemp(made->path, O_CLOEXEC);
    if (made->fd < 0) {
        free(made);
        return trolley_fail(task, TROLLEY_ERR_IO, "cannot write below %s", sound_root(self));
    }
    *writer = made;
    return 0;
}

SOUND int32_t sound_write(void *writer, const void *data, uint64_t length,
                          struct trolley_task *task)
{
    const struct sound_writer *own = writer;

    if (write(own->fd, data, length) == (ssize_t)length) return 0;
    return trolley_fail(task, TROLLEY_ERR_IO, "cannot write");
}

SOUND void sound_abort(void *writer)
{
    struct sound_writer *own = writer;

    (void)unlink(own->path);
    (void)close(own->fd);
    free(own);
}

SOUND int sound_same(const char *a, const char *b)
{
    char command[2048];

    (void)snprintf(command, sizeof command, "cmp -s '%s' '%s'", a, b);
    return system(command) == 0;
}

SOUND int32_t sound_commit(void *writer, const struct trolley_meta *meta,
                           const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct sound_writer *own = writer;
    char path[700];
    struct trolley_stored stored = {.size = sizeof stored, .path = path};

    (void)snprintf(path, sizeof path, "%s/%s.dcm", sound_root(own->sound), meta->instance);
    if (access(path, F_OK) == 0) {
        stored.flags = TROLLEY_STORED_REPLACED;
        if (sound_same(path, own->path)) {
            stored.flags = TROLLEY_STORED_SAME;
        } else if (!(own->flags & TROLLEY_STORE_REPLACE)) {
            (void)snprintf(path, sizeof path, "%s/%s.2.dcm", sound_root(own->sound),
                           meta->instance);
            stored.flags = TROLLEY_STORED_BESIDE;
        }
    }
    (void)close(own->fd);
    if (rename(own->path, path) < 0) {
        free(own);
        return trolley_fail(task, TROLLEY_ERR_IO, "cannot rename to %s", path);
    }
    free(own);
    return where->where(where->ctx, &stored);
}

SOUND int32_t sound_exists(void *self, const struct trolley_meta *meta,
                           const struct trolley_where_sink *where, struct trolley_task *task)
{
    char path[700];
    const struct trolley_stored stored = {.size = sizeof stored, .path = path};

    (void)task;
    (void)snprintf(path, sizeof path, "%s/%s.dcm", sound_root(self), meta->instance);
    if (access(path, F_OK) != 0) return TROLLEY_ERR_NOT_FOUND;
    return where->where(where->ctx, &stored);
}

#define SOUND_STORAGE(name_, commit_, abort_)         \
    static const struct trolley_storage_ops ops = {   \
        .size = sizeof ops,                           \
        .open = sound_open,                           \
        .write = sound_write,                         \
        .commit = commit_,                            \
        .abort = abort_,                              \
        .exists = sound_exists,                       \
    };                                                \
    static const struct trolley_component storage = { \
        .size = sizeof storage,                       \
        .kind = TROLLEY_KIND_STORAGE,                 \
        .summary = "for the tests",                   \
        .options = &sound_path,                       \
        .create = sound_create,                       \
        .destroy = sound_destroy,                     \
        .ops = &ops,                                  \
    };                                                \
    SOUND_ENTRY(name_, &storage)

#endif
