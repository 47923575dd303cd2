/* SPDX-License-Identifier: MIT */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "kit/beneath.h"
#include "scan.h"

#define MAX_FILES_DEFAULT 1000000
/* The texts of an index, at most. */
#define TEXTS_MAX ((size_t)512 << 20)

static const struct trolley_option options[] = {
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .flags = TROLLEY_OPTION_REQUIRED,
        .key = "path",
        .help = "folder with DICOM files, read with all its subfolders",
        .metavar = "DIR",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_BOOL,
        .key = "bare",
        .default_text = "no",
        .help = "try files without the DICM preamble too",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_STRING,
        .key = "charset",
        .help = "Specific Character Set of files that name none, such as ISO_IR 100",
        .metavar = "TERM",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_INT,
        .flags = TROLLEY_OPTION_ADVANCED,
        .key = "max_files",
        .default_text = "1000000",
        .min = 1,
        .max = 100000000,
        .help = "most DICOM files the folder may hold",
    },
};
const struct trolley_span folder_options = TROLLEY_SPAN(options);

int32_t folder_open(const struct trolley_host *host, const struct trolley_config *config,
                    struct trolley_task *task, void **ret_shared)
{
    const char *charset = config->text(config, "charset");
    const char *path = config->text(config, "path");
    struct folder_shared *shared;

    (void)host;
    if (!folder_dcmtk_ready())
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "folder \"%s\": DCMTK finds no data dictionary: install DCMTK's "
                            "dicom.dic or set DCMDICTPATH to where it lies",
                            config->section);
    if (!path || path[0] != '/')
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "folder \"%s\": path: an absolute path is needed", config->section);
    shared = calloc(1, sizeof *shared);
    if (!shared) return TROLLEY_ERR_NOMEM;
    shared->root = -1;
    shared->bare = config->integer(config, "bare", 0) != 0;
    shared->index.texts.cap = TEXTS_MAX;
    shared->index.cap = (size_t)config->integer(config, "max_files", MAX_FILES_DEFAULT);
    shared->section = strdup(config->section);
    shared->path = strdup(path);
    shared->charset = strdup(charset ? charset : "");
    (void)pthread_mutex_init(&shared->lock, NULL);
    if (!shared->section || !shared->path || !shared->charset) {
        folder_close(shared);
        return TROLLEY_ERR_NOMEM;
    }
    *ret_shared = shared;
    return 0;
}

void folder_close(void *self)
{
    struct folder_shared *shared = self;

    if (!shared) return;
    if (shared->root >= 0) (void)close(shared->root);
    index_free(&shared->index);
    (void)pthread_mutex_destroy(&shared->lock);
    free(shared->section);
    free(shared->path);
    free(shared->charset);
    free(shared);
}

static int fail_folder(const struct folder_shared *shared, struct trolley_task *task, int status,
                       const char *reason)
{
    return trolley_fail(task, status, "folder \"%s\": cannot read %s: %s", shared->section,
                        shared->path, reason);
}

/* Waits for the lock, but not past the task's end. */
static int lock_index(struct folder_shared *shared, struct trolley_task *task)
{
    for (;;) {
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_mutex_timedlock(&shared->lock, &until) == 0) return 0;
        if (task && task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
    }
}

/* Tells what the scan passed over. */
static void note_problems(const struct folder_shared *shared, struct trolley_task *task)
{
    const struct index *index = &shared->index;

    if (index->unreadable)
        trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL,
                     "folder \"%s\": %zu files below %s are left out, the first: %s",
                     shared->section, index->unreadable, shared->path, index->problem);
    if (index->duplicates)
        trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL,
                     "folder \"%s\": %zu files below %s hold instances that other files hold too; "
                     "the first by name counts",
                     shared->section, index->duplicates, shared->path);
}

static int build(struct folder_shared *shared, struct trolley_task *task)
{
    struct scan_settings settings = {.charset = shared->charset, .bare = shared->bare};
    size_t texts_cap = shared->index.texts.cap, cap = shared->index.cap;
    int r;

    if (shared->root < 0) shared->root = open(shared->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (shared->root < 0) return fail_folder(shared, task, TROLLEY_ERR_IO, strerror(errno));
    settings.root = shared->root;
    r = scan_folder(&settings, &shared->index, task);
    if (r == 0) {
        shared->built = true;
        note_problems(shared, task);
        return 0;
    }
    if (r == TROLLEY_ERR_IO) (void)fail_folder(shared, task, r, strerror(errno));
    if (r == TROLLEY_ERR_NOMEM) (void)fail_folder(shared, task, r, "out of memory");
    if (r == TROLLEY_ERR_TOO_LARGE)
        (void)fail_folder(shared, task, r, "it holds more than max_files allows");
    index_free(&shared->index);
    shared->index.texts.cap = texts_cap;
    shared->index.cap = cap;
    return r;
}

int folder_index(struct folder_shared *shared, struct trolley_task *task,
                 const struct index **ret_index)
{
    int r = lock_index(shared, task);

    if (r < 0) return r;
    if (!shared->built) r = build(shared, task);
    (void)pthread_mutex_unlock(&shared->lock);
    if (r == 0) *ret_index = &shared->index;
    return r;
}

bool folder_unchanged(int fd, const struct index_instance *instance)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == instance->bytes &&
           st.st_mtim.tv_sec == instance->changed.tv_sec &&
           st.st_mtim.tv_nsec == instance->changed.tv_nsec;
}

int folder_open_instance(const struct folder_shared *shared, const struct index_instance *instance,
                         char *problem, size_t size)
{
    char path[4096];
    int fd = -1, length;

    if (strcmp(instance->dir, ".") == 0)
        length = snprintf(path, sizeof path, "%s", instance->file);
    else
        length = snprintf(path, sizeof path, "%s/%s", instance->dir, instance->file);
    if (length > 0 && (size_t)length < sizeof path)
        fd = kit_beneath_open(shared->root, path, O_RDONLY | O_NONBLOCK, 0);
    else
        errno = ENAMETOOLONG;
    if (fd < 0) {
        int error = errno;

        (void)snprintf(problem, size, "folder \"%s\": cannot open %s/%s: %s", shared->section,
                       shared->path, path, strerror(error));
        return error == ENOENT ? TROLLEY_ERR_NOT_FOUND : TROLLEY_ERR_IO;
    }
    if (folder_unchanged(fd, instance)) return fd;
    (void)close(fd);
    (void)snprintf(problem, size, "folder \"%s\": %s/%s was changed after the folder was read",
                   shared->section, shared->path, path);
    return TROLLEY_ERR_IO;
}

int folder_reach(const struct folder_shared *shared, struct trolley_task *task)
{
    int fd = open(shared->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) return fail_folder(shared, task, TROLLEY_ERR_IO, strerror(errno));
    (void)close(fd);
    return 0;
}
