/*
 * command.c: the storage that hands each instance to a program. The bytes wait in a file without a
 * name until they are whole and checked: the program never sees a broken instance, and a program
 * that does not read them breaks nothing. SPDX-License-Identifier: MIT
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <kit/digest.h>
#include <kit/run.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#define WRITE_MAX ((uint64_t)1 << 30)

static const struct trolley_option option_table[] = {
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .flags = TROLLEY_OPTION_REQUIRED,
        .key = "command",
        .help = "program that reads one instance from its standard input",
        .metavar = "FILE",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_LIST,
        .key = "argument",
        .help = "one argument of it, with placeholders such as {PatientID}",
        .metavar = "TEXT",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_LIST,
        .key = "environment",
        .help = "a variable it gets besides PATH, HOME and the language: NAME, or NAME=VALUE",
        .metavar = "NAME",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_DURATION,
        .key = "timeout",
        .default_text = "60s",
        .min = 1,
        .max = 86400000,
        .help = "how long it may take for one instance",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .key = "spool",
        .default_text = "/var/tmp",
        .help = "folder where the bytes wait until they are whole",
        .metavar = "DIR",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .key = "index",
        .help = "file that remembers what was handed over, so that it is not again",
        .metavar = "FILE",
    },
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

struct command_writer {
    struct command_storage *storage;
    int fd; /* without a name: gone with its last descriptor */
    uint64_t bytes;
    struct kit_digest *digest; /* NULL unless there is an index */
};

static int say(const struct command_storage *storage, struct trolley_task *task, int status,
               const char *what, const char *why)
{
    return trolley_fail(task, status, "command \"%s\": %s: %s", storage->section, what, why);
}

static int io_fail(const struct command_storage *storage, struct trolley_task *task)
{
    const bool full = errno == ENOSPC || errno == EDQUOT;

    return say(storage, task, full ? TROLLEY_ERR_NO_SPACE : TROLLEY_ERR_IO, storage->spool,
               strerror(errno));
}

/* ---- what was handed over ---- */

/* The database may be reached through links but not be one. */
static int open_index(struct command_storage *storage, struct trolley_task *task)
{
    const char *name = strrchr(storage->index_path, '/');
    char *folder, *real, *path;
    int r;

    if (storage->index.db) return 0;
    folder = strndup(storage->index_path, (size_t)(name - storage->index_path) + 1);
    real = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    if (!real) return say(storage, task, TROLLEY_ERR_IO, storage->index_path, strerror(errno));
    r = asprintf(&path, "%s%s", real, name);
    free(real);
    if (r < 0) return say(storage, task, TROLLEY_ERR_NOMEM, storage->index_path, "out of memory");
    r = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (r < 0) {
        r = say(storage, task, TROLLEY_ERR_IO, path, strerror(errno));
    } else {
        (void)close(r);
        r = index_open(&storage->index, path, task);
    }
    free(path);
    return r;
}

static int remember(struct command_writer *writer, const struct trolley_meta *meta,
                    const char *path, struct trolley_task *task)
{
    struct command_storage *storage = writer->storage;
    struct disk_record record;

    if (!writer->digest) return 0;
    record_of_meta(meta, &record);
    (void)kit_digest_hex(writer->digest, record.sha256);
    return index_put(&storage->index, &record, path, writer->bytes, task);
}

/* ---- one item ---- */

static void command_abort(void *self)
{
    struct command_writer *writer = self;

    if (!writer) return;
    if (writer->fd >= 0) (void)close(writer->fd);
    kit_digest_free(writer->digest);
    free(writer);
}

static int spool_file(const char *folder)
{
    char path[PATH_MAX];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
    if (snprintf(path, sizeof path, "%s/trolley-XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) (void)unlink(path);
    return fd;
}

static int32_t command_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                            struct trolley_task *task, void **ret_writer)
{
    struct command_storage *storage = self;
    struct command_writer *writer;
    int r = storage->index_path ? open_index(storage, task) : 0;

    (void)meta;
    (void)flags; /* the program alone knows what it holds */
    if (r < 0) return r;
    writer = calloc(1, sizeof *writer);
    if (!writer) return say(storage, task, TROLLEY_ERR_NOMEM, "writer", "out of memory");
    writer->storage = storage;
    writer->fd = spool_file(storage->spool);
    if (writer->fd < 0) {
        r = io_fail(storage, task);
    } else if (storage->index_path) {
        writer->digest = kit_digest_new();
        if (!writer->digest) r = say(storage, task, TROLLEY_ERR_NOMEM, "digest", "out of memory");
    }
    if (r < 0)
        command_abort(writer);
    else
        *ret_writer = writer;
    return r;
}

static int32_t command_write(void *self, const void *data, uint64_t length,
                             struct trolley_task *task)
{
    struct command_writer *writer = self;
    const char *at = data;

    while (length) {
        ssize_t n = write(writer->fd, at, length < WRITE_MAX ? length : WRITE_MAX);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_fail(writer->storage, task);
        kit_digest_update(writer->digest, at, (size_t)n);
        at += n;
        length -= (uint64_t)n;
        writer->bytes += (uint64_t)n;
    }
    return TROLLEY_OK;
}

static int hand_over(struct command_writer *writer, const struct trolley_meta *meta,
                     struct trolley_task *task)
{
    const struct command_storage *storage = writer->storage;
    struct kit_buffer how = {0};
    struct kit_run_end end = {0};
    struct kit_run run = {.environment = storage->environment,
                          .input = writer->fd,
                          .timeout_ms = storage->timeout_ms};
    char **line;
    int r = line_make(storage, meta, task, &line);

    if (r < 0) return r;
    run.argv = line;
    r = kit_run(&run, task, &end);
    if (r == 0 && end.status != 0) {
        r = kit_run_describe(&end, &how);
        r = say(storage, task, r < 0 ? r : TROLLEY_ERR_IO, storage->program,
                r < 0 ? "out of memory" : how.data);
    }
    kit_buffer_free(&how);
    kit_buffer_free(&end.said);
    line_free(line);
    return r;
}

/* What the program was given, in words: which program, what of which object. */
static int name_item(const struct command_storage *storage, const struct trolley_meta *meta,
                     struct kit_buffer *out)
{
    const char *object = meta->instance ? meta->instance
                         : meta->series ? meta->series
                                        : meta->study;
    int r = kit_buffer_printf(out, "command:%s %s", storage->program, object ? object : "");

    if (r == 0 && meta->frame) r = kit_buffer_printf(out, " frame %u", meta->frame);
    if (r == 0 && meta->variant) r = kit_buffer_printf(out, " %s", meta->variant);
    return r;
}

static int32_t command_commit(void *self, const struct trolley_meta *meta,
                              const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct command_writer *writer = self;
    struct trolley_stored stored = {.size = sizeof stored, .bytes = writer->bytes};
    struct kit_buffer path = {0};
    int r = hand_over(writer, meta, task);

    if (r == 0) {
        r = name_item(writer->storage, meta, &path);
        if (r < 0) r = say(writer->storage, task, r, "name", "out of memory");
    }
    if (r == 0) r = remember(writer, meta, path.data, task);
    stored.path = path.data;
    if (r == 0) r = where->where(where->ctx, &stored);
    kit_buffer_free(&path);
    command_abort(writer);
    return r;
}

/* ---- looking ---- */

struct told {
    const struct trolley_where_sink *where;
    int status; /* 1 until it was called */
};

static int tell_row(void *ctx, const struct index_row *row)
{
    struct told *told = ctx;
    const struct trolley_stored stored = {
        .size = sizeof stored, .path = row->path, .bytes = row->bytes};

    told->status = told->where->where(told->where->ctx, &stored);
    return told->status < 0 ? told->status : 1;
}

/* Without an index it cannot be known what the program keeps: everything is handed over again. */
static int32_t command_exists(void *self, const struct trolley_meta *meta,
                              const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct command_storage *storage = self;
    struct told told = {where, 1};
    struct disk_record record;
    int r;

    if (!storage->index_path || (!storage->index.db && access(storage->index_path, F_OK) < 0))
        return TROLLEY_ERR_NOT_FOUND;
    r = open_index(storage, task);
    record_of_meta(meta, &record);
    if (r == 0) r = index_find(&storage->index, &record, tell_row, &told, task);
    if (r < 0) return r;
    return told.status == 0 ? 0 : TROLLEY_ERR_NOT_FOUND;
}

static const struct trolley_span *command_needs(void *self)
{
    const struct command_storage *storage = self;

    return &storage->needs_span;
}

/* ---- lives ---- */

static void command_destroy(void *self)
{
    struct command_storage *storage = self;

    if (!storage) return;
    index_destroy(&storage->index);
    words_free(storage);
    free(storage->section);
    free(storage->program);
    free(storage->spool);
    free(storage->index_path);
    free(storage);
}

static int check_program(const struct command_storage *storage, struct trolley_task *task)
{
    struct stat st;

    if (stat(storage->program, &st) == 0 && S_ISREG(st.st_mode) &&
        access(storage->program, X_OK) == 0)
        return 0;
    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                        "[storage %s] command: %s is no program that can be run", storage->section,
                        storage->program);
}

static int read_config(struct command_storage *storage, const struct trolley_host *host,
                       const struct trolley_config *config, struct trolley_task *task)
{
    const char *program = config->text(config, "command"), *spool = config->text(config, "spool");
    const char *index = config->text(config, "index");
    int r;

    storage->section = strdup(config->section);
    storage->program = strdup(program ? program : "");
    storage->spool = strdup(spool ? spool : "/var/tmp");
    if (index) storage->index_path = strdup(index);
    storage->timeout_ms = config->integer(config, "timeout", 60000);
    if (!storage->section || !storage->program || !storage->spool ||
        (index && !storage->index_path))
        return trolley_fail(task, TROLLEY_ERR_NOMEM, "command: out of memory");
    index_init(&storage->index, "command", storage->section);
    if (index && index[0] != '/')
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[storage %s] index: an absolute path is needed", storage->section);
    r = check_program(storage, task);
    return r < 0 ? r : words_read(storage, host, config, task);
}

static int32_t command_create(const struct trolley_host *host, const struct trolley_config *config,
                              void *shared, struct trolley_task *task, void **self)
{
    struct command_storage *storage = calloc(1, sizeof *storage);
    int r;

    (void)shared;
    if (!storage) return trolley_fail(task, TROLLEY_ERR_NOMEM, "command: out of memory");
    r = read_config(storage, host, config, task);
    if (r < 0)
        command_destroy(storage);
    else
        *self = storage;
    return r;
}

static const struct trolley_storage_ops ops = {
    .size = sizeof(struct trolley_storage_ops),
    .needs = command_needs,
    .open = command_open,
    .write = command_write,
    .commit = command_commit,
    .abort = command_abort,
    .exists = command_exists,
};

static const struct trolley_component component = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "each instance to the standard input of a program",
    .options = &options,
    .create = command_create,
    .destroy = command_destroy,
    .ops = &ops,
};
static const struct trolley_component *const components[] = {&component, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "command",
    .version = TROLLEY_VERSION,
    .license = "MIT",
    .summary = "storage that hands each instance to a program",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
