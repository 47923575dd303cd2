/* SPDX-License-Identifier: MIT */
#include "disk_fixture.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct section {
    const struct disk_options *options;
    const char *root;
};

static const char *option_text(const struct trolley_config *config, const char *key)
{
    const struct section *section = config->impl;

    if (strcmp(key, "path") == 0) return section->root;
    if (strcmp(key, "durability") == 0) return section->options->durability;
    if (strcmp(key, "suffix") == 0) return section->options->suffix;
    if (strcmp(key, "file_mode") == 0) return section->options->file_mode;
    if (strcmp(key, "dir_mode") == 0) return section->options->dir_mode;
    if (strcmp(key, "path_format") == 0) return section->options->path_format;
    if (strcmp(key, "check_mount_file") == 0) return section->options->check_mount_file;
    if (strcmp(key, "on_exists") == 0) return section->options->on_exists;
    return NULL;
}

static int64_t option_integer(const struct trolley_config *config, const char *key,
                              int64_t fallback)
{
    const struct section *section = config->impl;

    return strcmp(key, "min_free") == 0 ? section->options->min_free : fallback;
}

static void take_failure(struct trolley_task *task, const struct trolley_failure *failure)
{
    struct disk_fixture *f = task->impl;

    (void)snprintf(f->message, sizeof f->message, "%s", failure->message);
}

static void take_note(struct trolley_task *task, uint32_t severity, int32_t code,
                      const struct trolley_ref *ref, const char *message)
{
    struct disk_fixture *f = task->impl;

    (void)severity;
    (void)code;
    (void)ref;
    (void)message;
    f->notes++;
}

static int32_t not_cancelled(struct trolley_task *task)
{
    (void)task;
    return 0;
}

static int32_t take_where(void *ctx, const struct trolley_stored *stored)
{
    struct disk_fixture *f = ctx;

    f->told++;
    f->flags = stored->flags;
    f->bytes = stored->bytes;
    (void)snprintf(f->path, sizeof f->path, "%s", stored->path);
    (void)snprintf(f->previous, sizeof f->previous, "%s",
                   stored->previous_sha256 ? stored->previous_sha256 : "");
    return 0;
}

const struct trolley_component *disk_component(const char *type)
{
    const struct trolley_plugin *(*entry)(void);
    char path[512];
    void *handle;

    (void)snprintf(path, sizeof path, "%s/%s.so", PLUGINS_BUILT, type);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail_msg("%s", dlerror());
    *(void **)&entry = dlsym(handle, "trolley_plugin_v1");
    assert_non_null(entry);
    assert_string_equal(entry()->name, type);
    return entry()->components[0];
}

int disk_attach(struct disk_fixture *f, const char *type, const char *root,
                const struct disk_options *options)
{
    static const struct disk_options defaults;
    struct section section = {options ? options : &defaults, f->root};
    struct trolley_config config = {.size = sizeof config,
                                    .impl = &section,
                                    .section = "test",
                                    .text = option_text,
                                    .integer = option_integer};

    memset(f, 0, sizeof *f);
    (void)snprintf(f->root, sizeof f->root, "%s", root);
    f->component = disk_component(type);
    f->ops = f->component->ops;
    f->task = (struct trolley_task){
        .size = sizeof f->task, .impl = f, .fail = take_failure, .note = take_note};
    f->task.cancelled = not_cancelled;
    f->where = (struct trolley_where_sink){f, take_where};
    return f->component->create(NULL, &config, NULL, &f->task, &f->storage);
}

void disk_setup(struct disk_fixture *f, const char *type, const struct disk_options *options)
{
    char root[] = "/tmp/trolley-disk-XXXXXX";

    assert_non_null(mkdtemp(root));
    assert_int_equal(disk_attach(f, type, root, options), 0);
}

void disk_detach(struct disk_fixture *f)
{
    f->component->destroy(f->storage);
    f->storage = NULL;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void disk_teardown(struct disk_fixture *f)
{
    disk_detach(f);
    (void)nftw(f->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct trolley_meta disk_meta(const char *instance)
{
    return (struct trolley_meta){.size = sizeof(struct trolley_meta),
                                 .study = "1.2",
                                 .series = "1.2.3",
                                 .instance = instance};
}

int disk_store(struct disk_fixture *f, const struct trolley_meta *meta, const void *data,
               size_t size, uint32_t flags)
{
    const char *at = data;
    void *writer;
    int r = f->ops->open(f->storage, meta, flags, &f->task, &writer);

    if (r < 0) return r;
    while (size) {
        size_t n = size < 1000 ? size : 1000;

        r = f->ops->write(writer, at, n, &f->task);
        if (r < 0) {
            f->ops->abort(writer);
            return r;
        }
        at += n;
        size -= n;
    }
    return f->ops->commit(writer, meta, &f->where, &f->task);
}

int disk_store_text(struct disk_fixture *f, const char *instance, const char *text, uint32_t flags)
{
    struct trolley_meta meta = disk_meta(instance);

    return disk_store(f, &meta, text, strlen(text), flags);
}

bool disk_holds(const struct disk_fixture *f, const char *path, const char *text)
{
    char full[512], data[4096];
    size_t length = strlen(text);
    ssize_t n;
    int fd;

    (void)snprintf(full, sizeof full, "%s/%s", f->root, path);
    fd = open(full, O_RDONLY | O_NOFOLLOW);
    if (fd < 0) return false;
    n = read(fd, data, sizeof data);
    (void)close(fd);
    return n >= 0 && (size_t)n == length && memcmp(data, text, length) == 0;
}

const struct trolley_stored_interface *disk_stored(struct disk_fixture *f)
{
    if (!f->component->get_interface) return NULL;
    return f->component->get_interface(f->storage, TROLLEY_STORED_INTERFACE);
}

static int files, scratch_files;

static int count_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    if (type != FTW_F) return 0;
    if (!strstr(path, "/.trolley/"))
        files++;
    else if (strcmp(path + ftw->base, "lock") != 0 && !strstr(path, "/index.sqlite"))
        scratch_files++;
    return 0;
}

int disk_count(const struct disk_fixture *f, bool scratch)
{
    files = scratch_files = 0;
    assert_int_equal(nftw(f->root, count_entry, 16, FTW_PHYS), 0);
    return scratch ? scratch_files : files;
}
