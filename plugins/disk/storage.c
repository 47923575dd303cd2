/* SPDX-License-Identifier: MIT */
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "kit/beneath.h"
#include "kit/uid.h"

/* Bytes written to a file between two looks at the free space. */
#define SPACE_CHECK_BYTES ((uint64_t)64 << 20)
#define WRITE_MAX ((uint64_t)1 << 30)

struct disk_writer {
    struct disk_storage *storage;
    int fd;
    uint64_t unchecked;        /* bytes since the last look at the free space */
    struct kit_digest *digest; /* NULL unless books are kept */
    struct disk_job job;
};

static const struct trolley_option options[] = {
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .flags = TROLLEY_OPTION_REQUIRED | TROLLEY_OPTION_ROOT_PATH,
        .key = "path",
        .help = "folder that holds the files; made when its parent exists",
        .metavar = "DIR",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_STRING,
        .key = "suffix",
        .default_text = ".dcm",
        .help = "ending of DICOM files' names",
        .metavar = "SUFFIX",
    },
};
const struct trolley_span disk_options = TROLLEY_SPAN(options);

static int no_memory(const char *type, const char *section, struct trolley_task *task)
{
    return trolley_fail(task, TROLLEY_ERR_NOMEM, "%s \"%s\": out of memory", type, section);
}

/* ---- configuration ---- */

static int read_mode(const struct trolley_config *config, const char *key, mode_t fallback,
                     struct trolley_task *task, mode_t *ret_mode)
{
    const char *text = config->text(config, key);
    unsigned long mode = fallback;
    char *end = NULL;

    if (text) mode = strtoul(text, &end, 8);
    if (text && (end == text || *end || mode > 0777))
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[storage %s] %s: \"%s\" is no octal mode such as 0640",
                            config->section, key, text);
    *ret_mode = (mode_t)mode;
    return 0;
}

static int read_durability(const struct trolley_config *config, struct trolley_task *task,
                           enum disk_durability *ret_durability)
{
    static const char *const words[] = {"none", "batch", "each"};
    const char *text = config->text(config, "durability");
    unsigned i;

    for (i = 0; text && i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_durability = (enum disk_durability)i;
            return 0;
        }
    *ret_durability = DISK_BATCH;
    if (!text) return 0;
    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                        "[storage %s] durability: \"%s\" is none of none, batch, each",
                        config->section, text);
}

static int read_suffix(const struct trolley_config *config, struct trolley_task *task, char *suffix)
{
    static const char allowed[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
    const char *text = config->text(config, "suffix");

    if (!text) text = ".dcm";
    if ((*text && *text != '.') || strlen(text) > DISK_SUFFIX_MAX || text[strspn(text, allowed)])
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[storage %s] suffix: \"%s\" must begin with a dot and have at most %d "
                            "letters, digits, '.', '-' and '_'",
                            config->section, text, DISK_SUFFIX_MAX);
    memcpy(suffix, text, strlen(text) + 1);
    return 0;
}

static int read_config(struct disk_storage *storage, const char *type,
                       const struct trolley_config *config, struct trolley_task *task)
{
    struct disk_root *root = &storage->root;
    const char *path = config->text(config, "path");
    int64_t min_free = config->integer(config, "min_free", INT64_C(1) << 30);
    int r;

    if (!path || path[0] != '/')
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[storage %s] path: an absolute path is needed", config->section);
    root->min_free = min_free > 0 ? (uint64_t)min_free : 0;
    r = read_durability(config, task, &root->durability);
    if (r == 0) r = read_mode(config, "file_mode", 0640, task, &root->file_mode);
    if (r == 0) r = read_mode(config, "dir_mode", 0750, task, &root->dir_mode);
    if (r == 0) r = read_suffix(config, task, storage->suffix);
    if (r < 0) return r;
    root->type = strdup(type);
    root->section = strdup(config->section);
    root->path = strdup(path);
    if (!root->type || !root->section || !root->path) return no_memory(type, config->section, task);
    return 0;
}

static int name_by_layout(struct disk_storage *storage, const struct trolley_meta *meta,
                          struct disk_job *job, struct trolley_task *task)
{
    int r = name_make(storage->layout, storage->suffix, meta, &job->name);

    if (r == 0) return 0;
    return trolley_fail(task, r, "%s \"%s\": the UIDs of instance %s are incomplete or malformed",
                        storage->root.type, storage->root.section,
                        meta->instance ? meta->instance : "(none)");
}

int disk_init(struct disk_storage *storage, const char *type, const struct trolley_config *config,
              struct trolley_task *task)
{
    storage->naming = name_by_layout;
    storage->root.fd = storage->scratch.fd = storage->scratch.lock = -1;
    batch_init(&storage->batch);
    return read_config(storage, type, config, task);
}

int32_t disk_create(const char *type, disk_layout_dir layout, const struct trolley_config *config,
                    struct trolley_task *task, void **self)
{
    struct disk_storage *storage = calloc(1, sizeof *storage);
    int r;

    if (!storage) return no_memory(type, config->section, task);
    storage->layout = layout;
    r = disk_init(storage, type, config, task);
    if (r < 0)
        disk_destroy(storage);
    else
        *self = storage;
    return r;
}

static struct place place_for(const struct disk_storage *storage, struct trolley_task *task)
{
    return (struct place){
        .root = &storage->root,
        .scratch = &storage->scratch,
        .task = task,
        .books = storage->books,
        .sync_dirs = storage->root.durability == DISK_EACH,
    };
}

void disk_close(struct disk_storage *storage)
{
    struct place place;

    if (storage->scratch.fd >= 0) {
        place = place_for(storage, NULL);
        (void)batch_sync(&storage->batch, &place);
        scratch_close(&storage->scratch, &storage->root);
    }
    if (storage->root.fd >= 0) (void)close(storage->root.fd);
    storage->root.fd = -1;
}

void disk_clear(struct disk_storage *storage)
{
    disk_close(storage);
    batch_destroy(&storage->batch);
    free(storage->root.type);
    free(storage->root.section);
    free(storage->root.path);
}

void disk_destroy(void *self)
{
    if (!self) return;
    disk_clear(self);
    free(self);
}

/* ---- writing ---- */

int32_t disk_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                  struct trolley_task *task, void **ret_writer)
{
    struct disk_storage *storage = self;
    struct disk_writer *writer;
    int r = root_open(&storage->root, true, task);

    if (r == 0) r = scratch_open(&storage->scratch, &storage->root, task);
    if (r == 0) r = root_expect_space(&storage->root, meta->size_hint, task);
    if (r < 0) return r;
    writer = calloc(1, sizeof *writer);
    if (!writer) return no_memory(storage->root.type, storage->root.section, task);
    writer->storage = storage;
    (void)atomic_fetch_add(&storage->writers, 1);
    writer->job.number = 1;
    if (flags & TROLLEY_STORE_REPLACE) writer->job.on_exists = DISK_REPLACE;
    writer->fd = scratch_file(&storage->scratch, &storage->root, writer->job.temp, task);
    if (writer->fd < 0) {
        r = writer->fd;
        writer->job.temp[0] = '\0';
        disk_abort(writer);
        return r;
    }
    if (storage->books) {
        writer->digest = kit_digest_new();
        if (!writer->digest) {
            disk_abort(writer);
            return no_memory(storage->root.type, storage->root.section, task);
        }
    }
    *ret_writer = writer;
    return 0;
}

int32_t disk_write(void *self, const void *data, uint64_t length, struct trolley_task *task)
{
    struct disk_writer *writer = self;
    const struct disk_root *root = &writer->storage->root;
    const char *at = data;
    int r;

    while (length) {
        ssize_t n = write(writer->fd, at, length < WRITE_MAX ? length : WRITE_MAX);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return root_fail(root, task, errno, "write a file in", writer->storage->scratch.path);
        kit_digest_update(writer->digest, at, (size_t)n);
        at += n;
        length -= (uint64_t)n;
        writer->job.bytes += (uint64_t)n;
        writer->unchecked += (uint64_t)n;
        if (writer->unchecked < SPACE_CHECK_BYTES) continue;
        writer->unchecked = 0;
        r = root_check_space(root, 0, task);
        if (r < 0) return r;
    }
    return 0;
}

void disk_abort(void *self)
{
    struct disk_writer *writer = self;

    if (!writer) return;
    if (writer->fd >= 0) (void)close(writer->fd);
    kit_digest_free(writer->digest);
    (void)atomic_fetch_sub(&writer->storage->writers, 1);
    if (writer->job.temp[0]) (void)unlinkat(writer->storage->scratch.fd, writer->job.temp, 0);
    free(writer);
}

/* Everything is written: the file's bytes leave the process. */
static int finish_file(struct disk_writer *writer, struct trolley_task *task)
{
    const struct disk_storage *storage = writer->storage;
    int r = 0;

    if (storage->root.durability == DISK_EACH) r = fsync(writer->fd);
    if (r < 0) return root_fail(&storage->root, task, errno, "sync", storage->scratch.path);
    r = close(writer->fd);
    writer->fd = -1;
    /* Network file systems tell of a full disk only here. */
    if (r < 0 && errno != EINTR)
        return root_fail(&storage->root, task, errno, "close a file in", storage->scratch.path);
    return 0;
}

static int store_job(struct disk_storage *storage, struct disk_job *job, struct trolley_task *task)
{
    struct place place = place_for(storage, task);
    int r;

    if (storage->root.durability == DISK_BATCH) return batch_add(&storage->batch, &place, job);
    r = place_alone(&place, job);
    if (r == 0 && storage->root.durability == DISK_EACH) r = place_sync_dir(&place, &job->name);
    return r;
}

int disk_tell(const struct disk_root *root, const char *below, const struct disk_job *job,
              const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct trolley_stored stored = {.size = sizeof stored};
    char *path;
    int r;

    if (asprintf(&path, "%s/%s", root->path, below) < 0)
        return no_memory(root->type, root->section, task);
    stored.flags = job->stored_flags;
    stored.path = path;
    stored.bytes = job->bytes;
    stored.previous_sha256 = job->previous[0] ? job->previous : NULL;
    r = where->where(where->ctx, &stored);
    free(path);
    return r;
}

int32_t disk_commit(void *self, const struct trolley_meta *meta,
                    const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct disk_writer *writer = self;
    struct disk_storage *storage = writer->storage;
    char path[DISK_PATH_MAX];
    int r;

    (void)kit_digest_hex(writer->digest, writer->job.record.sha256);
    r = storage->naming(storage, meta, &writer->job, task);
    if (r == 0) r = finish_file(writer, task);
    if (r == 0) r = store_job(storage, &writer->job, task);
    if (r == 0) {
        name_path(&writer->job.name, writer->job.number, path, sizeof path);
        r = disk_tell(&storage->root, path, &writer->job, where, task);
    }
    disk_abort(writer);
    return r;
}

/* ---- looking ---- */

int disk_look(const struct disk_storage *storage, const char *path, uint64_t *ret_bytes,
              struct trolley_task *task)
{
    struct stat st;
    int r, fd = kit_beneath_open(storage->root.fd, path, O_PATH, 0);

    if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
        return TROLLEY_ERR_NOT_FOUND;
    if (fd < 0) return root_fail(&storage->root, task, errno, "look for", path);
    r = fstat(fd, &st);
    (void)close(fd);
    /* No item is empty: an empty file is what a power cut left of one. */
    if (r < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) return TROLLEY_ERR_NOT_FOUND;
    *ret_bytes = (uint64_t)st.st_size;
    return 0;
}

static int32_t disk_exists(void *self, const struct trolley_meta *meta,
                           const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct disk_storage *storage = self;
    struct disk_job job = {.number = 1};
    char path[DISK_PATH_MAX];
    int r = root_open(&storage->root, false, task);

    if (r == 0) r = storage->naming(storage, meta, &job, task);
    if (r < 0) return r;
    name_path(&job.name, 1, path, sizeof path);
    r = disk_look(storage, path, &job.bytes, task);
    return r < 0 ? r : disk_tell(&storage->root, path, &job, where, task);
}

int32_t disk_lacks(void *self, const char *folder, struct trolley_task *task)
{
    struct disk_storage *storage = self;
    struct stat st;
    int r = root_open(&storage->root, false, task);

    if (r < 0) return r == TROLLEY_ERR_NOT_FOUND ? 0 : r;
    if (!kit_uid_valid(folder)) return TROLLEY_ERR_INVALID_ARG;
    r = fstatat(storage->root.fd, folder, &st, AT_SYMLINK_NOFOLLOW);
    return r < 0 && errno == ENOENT ? 0 : TROLLEY_ERR_NOT_FOUND;
}

int32_t disk_sync(void *self, struct trolley_task *task)
{
    struct disk_storage *storage = self;
    struct place place;

    if (storage->root.durability != DISK_BATCH || storage->scratch.fd < 0) return 0;
    place = place_for(storage, task);
    return batch_sync(&storage->batch, &place);
}

const struct trolley_storage_ops disk_ops = {
    .size = sizeof(struct trolley_storage_ops),
    .open = disk_open,
    .write = disk_write,
    .commit = disk_commit,
    .abort = disk_abort,
    .exists = disk_exists,
    .sync = disk_sync,
};
