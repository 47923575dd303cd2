/* template.c: the storage whose paths are made from attributes. SPDX-License-Identifier: MIT */
#include "template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "kit/uid.h"

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
        .flags = TROLLEY_OPTION_REQUIRED,
        .key = "path_format",
        .aliases = "pathFormat",
        .help = "names of files: text and {attribute[,type[,argument]]}",
        .metavar = "{PatientID}/{StudyDate}/{SOPInstanceUID}{suffix}",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_STRING,
        .key = "check_mount_file",
        .aliases = "checkMountFile",
        .help = "a file below `path` that is seen only while its disk is not mounted",
        .metavar = "NO_MOUNT",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_CHOICE,
        .key = "on_exists",
        .aliases = "onExists",
        .choices = "replace,random_path,noop,failure",
        .help = "what to do when other content has the name; unset: a number is added to it",
    },
};
static const struct trolley_span option_span = TROLLEY_SPAN(options);

static const char *const words[] = {"suffix", "variant", "contentType", NULL};

/* ---- names ---- */

/* Parts a path into folder, stem and suffix; `suffix` is where that begins. */
static void split_path(const char *path, size_t suffix, struct disk_name *name)
{
    const char *slash = strrchr(path, '/');
    const size_t file = slash ? (size_t)(slash + 1 - path) : 0;

    if (suffix < file || strlen(path + suffix) > DISK_SUFFIX_MAX) suffix = strlen(path);
    (void)snprintf(name->dir, sizeof name->dir, "%.*s", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    (void)snprintf(name->stem, sizeof name->stem, "%.*s", (int)(suffix - file), path + file);
    (void)snprintf(name->suffix, sizeof name->suffix, "%s", path + suffix);
}

static bool reserved(const char *path)
{
    const size_t length = strlen(SCRATCH_DIR);

    return strncmp(path, SCRATCH_DIR, length) == 0 && (path[length] == '/' || !path[length]);
}

static int render(const struct template_storage *storage, const struct trolley_meta *meta,
                  struct disk_name *name, struct trolley_task *task)
{
    const struct disk_root *root = &storage->disk.root;
    struct path_values values;
    struct kit_buffer path = {0};
    size_t tail = 0;
    const char *dot;
    int r;

    path_values_init(&values, meta, name_suffix(meta->content_type, ".dcm"));
    r = kit_path_render(storage->format, &values.values, &path, &tail);
    path_values_clear(&values);
    if (r < 0) {
        r = trolley_fail(task, r,
                         "%s \"%s\": the path of instance %s is longer than %d bytes, or "
                         "there is no memory",
                         root->type, root->section, meta->instance ? meta->instance : "(none)",
                         KIT_PATH_RENDERED_MAX);
    } else if (reserved(path.data)) {
        r = trolley_fail(task, TROLLEY_ERR_INVALID_ARG,
                         "%s \"%s\": path_format makes \"%s\", which "
                         "is the storage's own folder",
                         root->type, root->section, path.data);
    } else {
        dot = strchr(path.data + tail, '.');
        split_path(path.data, dot ? (size_t)(dot - path.data) : path.length, name);
    }
    kit_buffer_free(&path);
    return r;
}

/* An object's own file, which is to be replaced where it lies. */
struct own_file {
    const struct template_storage *storage;
    struct disk_job *job;
};

static int take_own(void *ctx, const struct index_row *row)
{
    const struct own_file *own = ctx;
    char path[DISK_PATH_MAX];

    if (own->storage->fickle) {
        split_path(row->path, strlen(row->path) - row->suffix, &own->job->name);
        own->job->number = 1;
        return 1;
    }
    name_path(&own->job->name, row->number, path, sizeof path);
    if (strcmp(path, row->path) != 0) return 0;
    own->job->number = row->number;
    return 1;
}

/* disk_naming. */
static int name_item(struct disk_storage *disk, const struct trolley_meta *meta,
                     struct disk_job *job, struct trolley_task *task)
{
    struct template_storage *storage = (struct template_storage *)disk;
    struct own_file own = {storage, job};
    char digest[KIT_DIGEST_HEX_SIZE];
    int r;

    if ((meta->study && !kit_uid_valid(meta->study)) ||
        (meta->series && !kit_uid_valid(meta->series)) ||
        (meta->instance && !kit_uid_valid(meta->instance)))
        return trolley_fail(task, TROLLEY_ERR_INVALID_ARG, "%s \"%s\": malformed UIDs",
                            disk->root.type, disk->root.section);
    r = render(storage, meta, &job->name, task);
    if (r < 0) return r;
    memcpy(digest, job->record.sha256, sizeof digest);
    record_of_meta(meta, &job->record);
    memcpy(job->record.sha256, digest, sizeof digest);
    if (storage->strict) job->on_exists = storage->on_exists;
    if (job->on_exists != DISK_REPLACE) return 0;
    return index_find(&storage->index, &job->record, take_own, &own, task);
}

/* ---- books ---- */

static int books_begin(void *ctx, struct disk_job *const *jobs, size_t count,
                       struct trolley_task *task)
{
    return index_begin_jobs(ctx, jobs, count, task);
}

static int books_end(void *ctx, struct disk_job *const *jobs, size_t count,
                     struct trolley_task *task)
{
    return index_end_jobs(ctx, jobs, count, task);
}

static bool books_others(void *ctx, const struct disk_job *job, const char *path)
{
    return index_belongs_to_other(ctx, &job->record, path);
}

/* ---- operations ---- */

static const struct trolley_span *template_needs(void *self)
{
    const struct template_storage *storage = self;

    return &storage->needs_span;
}

static int32_t template_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                             struct trolley_task *task, void **ret_writer)
{
    int r = template_ready(self, true, task);

    return r < 0 ? r : disk_open(self, meta, flags, task, ret_writer);
}

/* The first file of an object that is there with its length. */
struct existing {
    struct template_storage *storage;
    const struct trolley_where_sink *where;
    struct trolley_task *task;
    int told;     /* what `where` returned; 1 until it was called */
    int64_t gone; /* a row whose file was taken away, 0 for none */
};

static int try_row(void *ctx, const struct index_row *row)
{
    struct existing *existing = ctx;
    struct disk_job job = {.number = 1};
    int r = disk_look(&existing->storage->disk, row->path, &job.bytes, existing->task);

    if (r < 0 && r != TROLLEY_ERR_NOT_FOUND) return r;
    if (r < 0 && !row->unfinished) existing->gone = row->id;
    if (r < 0 || job.bytes != row->bytes) return 0;
    existing->told =
        disk_tell(&existing->storage->disk.root, row->path, &job, existing->where, existing->task);
    return existing->told < 0 ? existing->told : 1;
}

static int32_t template_exists(void *self, const struct trolley_meta *meta,
                               const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct template_storage *storage = self;
    struct existing existing = {storage, where, task, 1, 0};
    struct disk_record record;
    int r = template_ready(storage, false, task);

    if (r < 0) return r;
    record_of_meta(meta, &record);
    r = index_find(&storage->index, &record, try_row, &existing, task);
    if (r == 0 && existing.gone) r = index_drop(&storage->index, existing.gone, task);
    if (r < 0) return r;
    return existing.told == 0 ? 0 : TROLLEY_ERR_NOT_FOUND;
}

static const void *template_interface(void *self, const char *id)
{
    (void)self;
    return strcmp(id, TROLLEY_STORED_INTERFACE) == 0 ? &template_stored : NULL;
}

/* ---- lives ---- */

static int read_on_exists(struct template_storage *storage, const struct trolley_config *config,
                          struct trolley_task *task)
{
    static const struct {
        const char *word;
        enum disk_on_exists mode;
    } known[] = {{"replace", DISK_REPLACE},
                 {"random_path", DISK_RANDOM_PATH},
                 {"noop", DISK_NOOP},
                 {"failure", DISK_FAILURE}};
    const char *text = config->text(config, "on_exists");
    size_t i;

    if (!text) return 0;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(text, known[i].word) == 0) {
            storage->on_exists = known[i].mode;
            storage->strict = true;
            return 0;
        }
    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                        "[storage %s] on_exists: \"%s\" is none of replace, random_path, noop, "
                        "failure",
                        config->section, text);
}

static int read_mount_file(struct template_storage *storage, const struct trolley_config *config,
                           struct trolley_task *task)
{
    const char *text = config->text(config, "check_mount_file");

    if (!text || !*text) return 0;
    if (text[0] == '/' || strstr(text, ".."))
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[storage %s] check_mount_file: \"%s\" is no name below `path`",
                            config->section, text);
    if (asprintf(&storage->mount_file, "%s/%s", storage->disk.root.path, text) < 0) {
        storage->mount_file = NULL;
        return trolley_fail(task, TROLLEY_ERR_NOMEM, "template \"%s\": out of memory",
                            config->section);
    }
    return 0;
}

static int read_format(struct template_storage *storage, const struct trolley_host *host,
                       const struct trolley_config *config, struct trolley_task *task)
{
    const struct path_option option = {"template", config->section, "path_format",
                                       host,       words,           true};
    const char *text = config->text(config, "path_format");
    int r;

    if (!text || reserved(text))
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "[storage %s] path_format: %s",
                            config->section,
                            text ? SCRATCH_DIR " is the storage's own folder" : "is missing");
    r = path_option_parse(&option, text, task, &storage->format);
    if (r < 0) return r;
    storage->fickle =
        kit_path_uses(storage->format, "now") || kit_path_uses(storage->format, "rnd");
    r = path_needs_add(&storage->needs, storage->format);
    if (r < 0) return trolley_fail(task, r, "template \"%s\": out of memory", config->section);
    storage->needs_span =
        (struct trolley_span){storage->needs.tags, storage->needs.count, sizeof(uint32_t)};
    return 0;
}

static void template_destroy(void *self)
{
    struct template_storage *storage = self;

    if (!storage) return;
    disk_clear(&storage->disk);
    index_destroy(&storage->index);
    kit_path_free(storage->format);
    free(storage->needs.tags);
    free(storage->mount_file);
    free(storage);
}

static int32_t template_create(const struct trolley_host *host, const struct trolley_config *config,
                               void *shared, struct trolley_task *task, void **self)
{
    struct template_storage *storage = calloc(1, sizeof *storage);
    int r;

    (void)shared;
    if (!storage)
        return trolley_fail(task, TROLLEY_ERR_NOMEM, "template \"%s\": out of memory",
                            config->section);
    r = disk_init(&storage->disk, "template", config, task);
    storage->disk.naming = name_item;
    storage->disk.books = &storage->books;
    index_init(&storage->index, storage->disk.root.type, storage->disk.root.section);
    storage->books = (struct place_books){&storage->index, books_begin, books_end, books_others};
    if (r == 0) r = read_on_exists(storage, config, task);
    if (r == 0) r = read_mount_file(storage, config, task);
    if (r == 0) r = read_format(storage, host, config, task);
    if (r < 0)
        template_destroy(storage);
    else
        *self = storage;
    return r;
}

static const struct trolley_storage_ops template_ops = {
    .size = sizeof(struct trolley_storage_ops),
    .needs = template_needs,
    .open = template_open,
    .write = disk_write,
    .commit = disk_commit,
    .abort = disk_abort,
    .exists = template_exists,
    .sync = disk_sync,
};

static const struct trolley_component template_component = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "files named by a template of attributes",
    .options = &option_span,
    .create = template_create,
    .destroy = template_destroy,
    .ops = &template_ops,
    .get_interface = template_interface,
};

static const struct trolley_component *const components[] = {&template_component, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "template",
    .version = TROLLEY_VERSION,
    .license = "MIT",
    .summary = "storage on disk, paths made from attributes",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
