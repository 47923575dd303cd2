/* template_stored.c: mount, files and index in agreement; the interface trolley.stored/1.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "content.h"
#include "kit/beneath.h"
#include "template.h"

#define INDEX_NAME SCRATCH_DIR "/index.sqlite"
#define PAGE_ROWS 256

/* Rows that outlive the question that found them. */
struct rows {
    struct index_row *items; /* their paths are owned */
    size_t count, room;
};

static void rows_free(struct rows *rows)
{
    size_t i;

    for (i = 0; i < rows->count; i++)
        free((char *)(uintptr_t)rows->items[i].path);
    free(rows->items);
    memset(rows, 0, sizeof *rows);
}

static int rows_add(void *ctx, const struct index_row *row)
{
    struct rows *rows = ctx;

    if (rows->count == rows->room) {
        const size_t room = rows->room ? 2 * rows->room : PAGE_ROWS;
        struct index_row *items = realloc(rows->items, room * sizeof *items);

        if (!items) return TROLLEY_ERR_NOMEM;
        rows->items = items;
        rows->room = room;
    }
    rows->items[rows->count] = *row;
    rows->items[rows->count].path = strdup(row->path);
    if (!rows->items[rows->count].path) return TROLLEY_ERR_NOMEM;
    rows->count++;
    return 0;
}

/* ---- files ---- */

/* The folder of a path, opened beneath the root, and the name in it. Returns -1 with errno. */
static int open_folder(const struct disk_root *root, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char folder[DISK_PATH_MAX];

    *ret_name = slash ? slash + 1 : path;
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    return kit_beneath_open(root->fd, folder, O_RDONLY | O_DIRECTORY, 0);
}

/* Length and digest of a file. NOT_FOUND when there is none. */
static int read_file(const struct template_storage *storage, const char *path, uint64_t *ret_bytes,
                     char hex[KIT_DIGEST_HEX_SIZE], struct trolley_task *task)
{
    const struct disk_root *root = &storage->disk.root;
    const char *name;
    int folder, r = disk_look(&storage->disk, path, ret_bytes, task);

    if (r < 0) return r;
    folder = open_folder(root, path, &name);
    if (folder < 0) return root_fail(root, task, errno, "open the folder of", path);
    if (content_sha256((struct content_file){folder, name}, hex) < 0)
        r = root_fail(root, task, errno, "read", path);
    (void)close(folder);
    return r;
}

/* ---- getting ready ---- */

static int check_mount(struct template_storage *storage, struct trolley_task *task)
{
    struct disk_root *root = &storage->disk.root;
    struct stat there, ours;

    if (!storage->mount_file) return 0;
    if (access(storage->mount_file, F_OK) == 0)
        return trolley_fail(task, TROLLEY_ERR_UNAVAILABLE,
                            "template \"%s\": %s is there: its disk is not mounted", root->section,
                            storage->mount_file);
    /* Mounted anew since it was opened: what is open is the other one. */
    if (root->fd < 0 || stat(root->path, &there) < 0 || fstat(root->fd, &ours) < 0 ||
        (there.st_dev == ours.st_dev && there.st_ino == ours.st_ino))
        return 0;
    if (atomic_load(&storage->disk.writers) > 0)
        return trolley_fail(task, TROLLEY_ERR_UNAVAILABLE,
                            "template \"%s\": %s was mounted anew while files were being written",
                            root->section, root->path);
    disk_close(&storage->disk);
    index_close(&storage->index);
    return 0;
}

/* The database is made with the section's mode: it names patients. */
static int open_index(struct template_storage *storage, bool make, struct trolley_task *task)
{
    struct disk_root *root = &storage->disk.root;
    const int flags = make ? O_RDWR | O_CREAT : O_RDONLY;
    char *real, *path;
    int r, fd;

    if (storage->index.db) return 0;
    fd = kit_beneath_open(root->fd, INDEX_NAME, flags, root->file_mode | 0600);
    if (fd < 0 && errno == ENOENT && !make) return TROLLEY_ERR_NOT_FOUND;
    if (fd < 0) return root_fail(root, task, errno, "open", INDEX_NAME);
    (void)close(fd);
    real = realpath(root->path, NULL);
    if (!real) return root_fail(root, task, errno, "find", "");
    r = asprintf(&path, "%s/%s", real, INDEX_NAME);
    free(real);
    if (r < 0) return root_fail(root, task, ENOMEM, "open", INDEX_NAME);
    r = index_open(&storage->index, path, task);
    free(path);
    return r;
}

/* A row that a process did not finish: what does the disk say? */
static int settle(struct template_storage *storage, const struct index_row *row,
                  struct trolley_task *task)
{
    char owner[DISK_PATH_MAX], hex[KIT_DIGEST_HEX_SIZE];
    uint64_t bytes;
    int r, fd;

    (void)snprintf(owner, sizeof owner, SCRATCH_DIR "/%s", row->record.content_type);
    fd = kit_beneath_open(storage->disk.root.fd, owner, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0) { /* it lives */
        (void)close(fd);
        return 0;
    }
    r = read_file(storage, row->path, &bytes, hex, task);
    if (r == TROLLEY_ERR_NOT_FOUND) return index_drop(&storage->index, row->id, task);
    return r < 0 ? r : index_finish(&storage->index, row->id, bytes, hex, task);
}

static int recover(struct template_storage *storage, struct trolley_task *task)
{
    struct rows rows = {0};
    size_t i;
    int r = index_unfinished(&storage->index, rows_add, &rows, task);

    for (i = 0; r == 0 && i < rows.count; i++)
        r = settle(storage, &rows.items[i], task);
    rows_free(&rows);
    return r;
}

int template_ready(struct template_storage *storage, bool make, struct trolley_task *task)
{
    struct disk_storage *disk = &storage->disk;
    int r = check_mount(storage, task);

    if (r == 0) r = root_open(&disk->root, make, task);
    if (r == 0 && make) r = scratch_open(&disk->scratch, &disk->root, task);
    if (r == 0) r = open_index(storage, make, task);
    if (r < 0 || !make || storage->index.mark) return r;
    storage->index.mark = strchr(disk->scratch.path, '/') + 1;
    r = recover(storage, task);
    if (r < 0) storage->index.mark = NULL;
    return r;
}

/* ---- trolley.stored/1 ---- */

static int32_t stored_ready(void *self, struct trolley_task *task)
{
    struct template_storage *storage = self;
    int r = template_ready(storage, true, task);

    return r < 0 ? r : root_check_space(&storage->disk.root, 0, task);
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static int show(const struct template_storage *storage, const struct index_row *row,
                const struct trolley_stored_sink *sink, struct trolley_task *task)
{
    const struct disk_root *root = &storage->disk.root;
    struct trolley_stored_item item = {
        .size = sizeof item,
        .frame = row->record.frame,
        .id = row->id,
        .study = or_null(row->record.study),
        .series = or_null(row->record.series),
        .instance = or_null(row->record.instance),
        .variant = or_null(row->record.variant),
        .content_type = or_null(row->record.content_type),
        .sha256 = or_null(row->record.sha256),
        .bytes = row->bytes,
        .stored_ms = row->stored_ms,
    };
    char *path;
    int r;

    if (asprintf(&path, "%s/%s", root->path, row->path) < 0)
        return root_fail(root, task, ENOMEM, "show", row->path);
    item.path = path;
    r = sink->item(sink->ctx, &item);
    free(path);
    return r;
}

static int32_t stored_walk(void *self, const struct trolley_stored_filter *theirs,
                           const struct trolley_stored_sink *sink, struct trolley_task *task)
{
    struct template_storage *storage = self;
    struct trolley_stored_filter filter = {0};
    struct rows rows = {0};
    int64_t after = 0;
    size_t i, count;
    int r = template_ready(storage, false, task);

    if (r == TROLLEY_ERR_NOT_FOUND) return 0; /* nothing was ever stored */
    if (r == 0 && theirs) r = trolley_read_open(&filter, sizeof filter, theirs, 8);
    do {
        if (r == 0)
            r = index_page(&storage->index, after, PAGE_ROWS, &filter, rows_add, &rows, task);
        count = rows.count;
        for (i = 0; r == 0 && i < count; i++) {
            after = rows.items[i].id;
            r = task->cancelled(task) ? TROLLEY_ERR_CANCELLED
                                      : show(storage, &rows.items[i], sink, task);
        }
        rows_free(&rows);
    } while (r == 0 && count == PAGE_ROWS);
    return r;
}

/* The item's path below the root; NULL when it is none of this storage's. */
static const char *below_root(const struct template_storage *storage,
                              const struct trolley_stored_item *item, struct trolley_task *task)
{
    const struct disk_root *root = &storage->disk.root;
    const size_t length = strlen(root->path);

    if (strncmp(item->path, root->path, length) == 0 && item->path[length] == '/')
        return item->path + length + 1;
    (void)trolley_fail(task, TROLLEY_ERR_INVALID_ARG, "template \"%s\": %s is not below %s",
                       root->section, item->path, root->path);
    return NULL;
}

static int32_t stored_examine(void *self, const struct trolley_stored_item *item, uint32_t *state,
                              struct trolley_task *task)
{
    struct template_storage *storage = self;
    const char *path = below_root(storage, item, task);
    char hex[KIT_DIGEST_HEX_SIZE];
    uint64_t bytes;
    int r = path ? template_ready(storage, false, task) : TROLLEY_ERR_INVALID_ARG;

    if (r == 0) r = disk_look(&storage->disk, path, &bytes, task);
    if (r == 0 && bytes != item->bytes) {
        *state = TROLLEY_STORED_RESIZED;
        return 0;
    }
    if (r == 0) r = read_file(storage, path, &bytes, hex, task);
    if (r < 0 && r != TROLLEY_ERR_NOT_FOUND) return r;
    if (r < 0)
        *state = TROLLEY_STORED_MISSING;
    else if (item->sha256 && strcmp(item->sha256, hex) != 0)
        *state = TROLLEY_STORED_CHANGED;
    else
        *state = TROLLEY_STORED_WHOLE;
    return 0;
}

/* Removes the folders of a path that are empty now, the deepest first, never the root. */
static void remove_folders(const struct disk_root *root, const char *path)
{
    char folder[DISK_PATH_MAX];
    const char *name;
    char *slash;
    int fd, r;

    (void)snprintf(folder, sizeof folder, "%s", path);
    while ((slash = strrchr(folder, '/'))) {
        *slash = '\0';
        fd = open_folder(root, folder, &name);
        if (fd < 0) return;
        r = unlinkat(fd, name, AT_REMOVEDIR);
        (void)close(fd);
        if (r < 0) return;
    }
}

static int remove_file(const struct template_storage *storage, const char *path,
                       struct trolley_task *task)
{
    const struct disk_root *root = &storage->disk.root;
    const char *name;
    int r = 0, folder = open_folder(root, path, &name);

    if (folder < 0 && errno == ENOENT) return 0;
    if (folder < 0) return root_fail(root, task, errno, "open the folder of", path);
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        r = root_fail(root, task, errno, "remove", path);
    (void)close(folder);
    if (r == 0) remove_folders(root, path);
    return r;
}

static int32_t stored_remove(void *self, const struct trolley_stored_item *item,
                             struct trolley_task *task)
{
    struct template_storage *storage = self;
    const char *path = below_root(storage, item, task);
    uint64_t rows = 0;
    int r = path ? template_ready(storage, false, task) : TROLLEY_ERR_INVALID_ARG;

    if (r == 0) r = index_count(&storage->index, path, &rows, task);
    /* Other objects with the same content may lie in the same file. */
    if (r == 0 && rows <= 1) r = remove_file(storage, path, task);
    return r < 0 ? r : index_drop(&storage->index, item->id, task);
}

const struct trolley_stored_interface template_stored = {
    .size = sizeof(struct trolley_stored_interface),
    .ready = stored_ready,
    .walk = stored_walk,
    .examine = stored_examine,
    .remove = stored_remove,
};
