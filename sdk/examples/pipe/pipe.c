/*
 * pipe.c: a storage that hands each instance to a command. The bytes are kept in a file without a
 * name until they are whole and checked: the command never sees a broken instance.
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <kit/buffer.h>
#include <kit/run.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>
#include <unistd.h>

#define WORDS_MAX 64 /* the command and its arguments */
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
        .help = "one argument of the command; {study}, {series} and {instance} stand for the UIDs",
        .metavar = "TEXT",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_DURATION,
        .key = "timeout",
        .default_text = "60s",
        .min = 1,
        .max = 86400000,
        .help = "how long the command may take for one instance",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_PATH,
        .key = "spool",
        .default_text = "/var/tmp",
        .help = "folder for the bytes until they are whole",
        .metavar = "DIR",
    },
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

struct pipe_writer {
    const struct trolley_config *config;
    int fd; /* without a name: gone with its last descriptor */
    uint64_t bytes;
};

static int pipe_fail(const struct trolley_config *config, struct trolley_task *task, int status,
                     const char *what, const char *why)
{
    return trolley_fail(task, status, "pipe \"%s\": %s: %s", config->section, what, why);
}

static int io_fail(const struct trolley_config *config, struct trolley_task *task)
{
    const bool full = errno == ENOSPC || errno == EDQUOT;

    return pipe_fail(config, task, full ? TROLLEY_ERR_NO_SPACE : TROLLEY_ERR_IO,
                     config->text(config, "spool"), strerror(errno));
}

/* ---- arguments ---- */

static const char *placeholder(const struct trolley_meta *meta, const char *name, size_t length)
{
    const struct {
        const char *name, *text;
    } known[] = {{"study", meta->study}, {"series", meta->series}, {"instance", meta->instance}};
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return known[i].text ? known[i].text : "";
    return NULL;
}

/* Appends the argument with its placeholders replaced. INVALID_CONFIG for an unknown one. */
static int expand(const char *text, const struct trolley_meta *meta, struct kit_buffer *out)
{
    int r = kit_buffer_text(out, "");

    while (r == 0 && *text) {
        const size_t plain = strcspn(text, "{");
        const char *end = text[plain] ? strchr(text + plain, '}') : NULL;
        const char *value;

        r = kit_buffer_append(out, text, plain);
        text += plain;
        if (r < 0 || !*text) break;
        value = end ? placeholder(meta, text + 1, (size_t)(end - text - 1)) : NULL;
        if (!value) return TROLLEY_ERR_INVALID_CONFIG;
        r = kit_buffer_text(out, value);
        text = end + 1;
    }
    return r;
}

static void words_free(char **words)
{
    size_t i;

    for (i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

/* The command line for one instance, NULL-terminated. */
static int words_make(const struct trolley_config *config, const struct trolley_meta *meta,
                      struct trolley_task *task, char ***ret_words)
{
    const struct trolley_span list = config->list(config, "argument");
    char **words = NULL;
    uint32_t i;
    int r = 0;

    if (list.count > WORDS_MAX - 1)
        return pipe_fail(config, task, TROLLEY_ERR_INVALID_CONFIG, "argument", "too many");
    words = calloc((size_t)list.count + 2, sizeof *words);
    if (words) words[0] = strdup(config->text(config, "command"));
    if (!words || !words[0]) r = TROLLEY_ERR_NOMEM;
    for (i = 0; r == 0 && i < list.count; i++) {
        struct kit_buffer word = {.cap = 4096};

        r = expand(trolley_span_text(&list, i), meta, &word);
        if (r == 0) words[i + 1] = kit_buffer_take(&word);
        if (r == 0 && !words[i + 1]) r = TROLLEY_ERR_NOMEM;
        kit_buffer_free(&word);
    }
    if (r < 0) {
        words_free(words);
        return pipe_fail(config, task, r, "argument",
                         r == TROLLEY_ERR_INVALID_CONFIG
                             ? "between { and } stands study, series or instance"
                             : "too long, or out of memory");
    }
    *ret_words = words;
    return 0;
}

/* ---- one instance ---- */

static void pipe_abort(void *self)
{
    struct pipe_writer *writer = self;

    if (!writer) return;
    if (writer->fd >= 0) (void)close(writer->fd);
    free(writer);
}

static int spool_file(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
    if (snprintf(path, sizeof path, "%s/trolley-XXXXXX", folder) >= (int)sizeof path) return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) (void)unlink(path);
    return fd;
}

static int32_t pipe_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                         struct trolley_task *task, void **ret_writer)
{
    const struct trolley_config *config = self;
    struct pipe_writer *writer = calloc(1, sizeof *writer);
    int r;

    (void)meta;
    (void)flags; /* the command alone knows what it holds */
    if (!writer) return pipe_fail(config, task, TROLLEY_ERR_NOMEM, "open", "out of memory");
    writer->config = config;
    writer->fd = spool_file(config->text(config, "spool"));
    if (writer->fd < 0) {
        r = io_fail(config, task);
        pipe_abort(writer);
        return r;
    }
    *ret_writer = writer;
    return TROLLEY_OK;
}

static int32_t pipe_write(void *self, const void *data, uint64_t length, struct trolley_task *task)
{
    struct pipe_writer *writer = self;
    const char *at = data;

    while (length) {
        ssize_t n = write(writer->fd, at, length < WRITE_MAX ? length : WRITE_MAX);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_fail(writer->config, task);
        at += n;
        length -= (uint64_t)n;
        writer->bytes += (uint64_t)n;
    }
    return TROLLEY_OK;
}

static int hand_over(struct pipe_writer *writer, const struct trolley_meta *meta,
                     struct trolley_task *task)
{
    const struct trolley_config *config = writer->config;
    const int64_t timeout = config->integer(config, "timeout", 60000);
    struct kit_buffer how = {0};
    struct kit_run_end end = {0};
    struct kit_run run;
    char **words;
    int r = words_make(config, meta, task, &words);

    if (r < 0) return r;
    run = (struct kit_run){.argv = words, .input = writer->fd, .timeout_ms = timeout};
    r = kit_run(&run, task, &end);
    if (r == 0 && end.status != 0) {
        r = kit_run_describe(&end, &how);
        r = pipe_fail(config, task, r < 0 ? r : TROLLEY_ERR_IO, words[0],
                      how.data ? how.data : "out of memory");
    }
    kit_buffer_free(&how);
    kit_buffer_free(&end.said);
    words_free(words);
    return r;
}

static int32_t pipe_commit(void *self, const struct trolley_meta *meta,
                           const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct pipe_writer *writer = self;
    struct trolley_stored stored = {.size = sizeof stored, .bytes = writer->bytes};
    struct kit_buffer path = {0};
    int r = hand_over(writer, meta, task);

    if (r == 0)
        r = kit_buffer_printf(&path, "pipe:%s %s", writer->config->text(writer->config, "command"),
                              meta->instance);
    stored.path = path.data;
    if (r == 0) r = where->where(where->ctx, &stored);
    kit_buffer_free(&path);
    pipe_abort(writer);
    return r;
}

/* What the command keeps is not known here: everything is handed over again. */
static int32_t pipe_exists(void *self, const struct trolley_meta *meta,
                           const struct trolley_where_sink *where, struct trolley_task *task)
{
    (void)self;
    (void)meta;
    (void)where;
    (void)task;
    return TROLLEY_ERR_NOT_FOUND;
}

/* ---- lives ---- */

static int32_t pipe_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    static const struct trolley_meta sample = {.size = sizeof sample};
    const char *command = config->text(config, "command");
    struct stat st;
    char **words;
    int r;

    (void)host;
    (void)shared;
    if (stat(command, &st) != 0 || access(command, X_OK) != 0)
        return pipe_fail(config, task, TROLLEY_ERR_INVALID_CONFIG, command, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return pipe_fail(config, task, TROLLEY_ERR_INVALID_CONFIG, command, "not a program");
    r = words_make(config, &sample, task, &words);
    if (r < 0) return r;
    words_free(words);
    *self = (void *)(uintptr_t)config;
    return TROLLEY_OK;
}

static void pipe_destroy(void *self)
{
    (void)self;
}

static const struct trolley_storage_ops ops = {
    .size = sizeof(struct trolley_storage_ops),
    .open = pipe_open,
    .write = pipe_write,
    .commit = pipe_commit,
    .abort = pipe_abort,
    .exists = pipe_exists,
};

static const struct trolley_component storage = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "each instance to the standard input of a command",
    .options = &options,
    .create = pipe_create,
    .destroy = pipe_destroy,
    .ops = &ops,
};
static const struct trolley_component *const components[] = {&storage, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "pipe",
    .version = "1.0",
    .license = "MIT",
    .summary = "storage that hands each instance to a command",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
