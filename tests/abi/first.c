/*
 * first.c: a searcher, a downloader and a storage built against the headers of the first release,
 * tests/abi/frozen-1.0. They must load and work in every later host. SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#define OPTION(its_type, its_key, its_help)                                    \
    {                                                                          \
        .size = sizeof(struct trolley_option), .type = (its_type),             \
        .flags = TROLLEY_OPTION_REQUIRED, .key = (its_key), .help = (its_help) \
    }

/* The section is all an instance needs. */
static int32_t first_create(const struct trolley_host *host, const struct trolley_config *config,
                            void *shared, struct trolley_task *task, void **self)
{
    (void)shared;
    if (host->size < sizeof *host || config->size < sizeof *config || task->size < sizeof *task)
        return trolley_fail(task, TROLLEY_ERR_INTERNAL, "first: the host's structs have shrunk");
    host->log(host, TROLLEY_LOG_DEBUG, "first", "created");
    *self = (void *)(uintptr_t)config;
    return TROLLEY_OK;
}

static void first_destroy(void *self)
{
    (void)self;
}

/* ---- searcher: one instance, named by its options ---- */

static const struct trolley_option find_table[] = {
    OPTION(TROLLEY_OPTION_STRING, "study", "Study Instance UID"),
    OPTION(TROLLEY_OPTION_STRING, "series", "Series Instance UID"),
    OPTION(TROLLEY_OPTION_STRING, "instance", "SOP Instance UID"),
};
static const struct trolley_span find_options = TROLLEY_SPAN(find_table);
static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span query_types = TROLLEY_SPAN(type_table);

static int32_t first_find(void *self, const struct trolley_query *query,
                          const struct trolley_record_sink *sink, struct trolley_task *task)
{
    static const uint32_t tags[] = {0x0020000d, 0x0020000e, 0x00080018};
    static const char *const keys[] = {"study", "series", "instance"};
    const struct trolley_config *config = self;
    const char *wanted = trolley_query_text(query, "StudyInstanceUID"), *values[3];
    struct trolley_element elements[3];
    struct trolley_record record = {sizeof record, query->level, TROLLEY_SPAN(elements)};
    uint32_t i;

    if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
    memset(elements, 0, sizeof elements);
    record.elements.count = query->level;
    for (i = 0; i < query->level; i++) {
        values[i] = config->text(config, keys[i]);
        elements[i].size = sizeof elements[i];
        elements[i].tag = tags[i];
        elements[i].values = (struct trolley_span){&values[i], 1, sizeof values[i]};
    }
    if (wanted && strcmp(wanted, values[0]) != 0) return TROLLEY_OK;
    return sink->record(sink->ctx, &record);
}

static const struct trolley_searcher_ops find_ops = {.size = sizeof find_ops, .find = first_find};

static const struct trolley_component searcher = {
    .size = sizeof searcher,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "one instance",
    .options = &find_options,
    .query_types = &query_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = first_create,
    .destroy = first_destroy,
    .ops = &find_ops,
};

/* ---- downloader: files PATH/UID.dcm ---- */

static const struct trolley_option fetch_table[] = {
    OPTION(TROLLEY_OPTION_PATH, "path", "folder of DICOM files UID.dcm"),
};
static const struct trolley_span fetch_options = TROLLEY_SPAN(fetch_table);

static void name_file(const struct trolley_config *config, const char *uid, const char *end,
                      char *path, size_t size)
{
    (void)snprintf(path, size, "%s/%s%s", config->text(config, "path"), uid, end);
}

/* The object does not come: the host hears of it. */
static int32_t fetch_failed(const struct trolley_ref *ref, const struct trolley_dataset_sink *sink)
{
    const struct trolley_failure failure = {.size = sizeof failure,
                                            .status = TROLLEY_ERR_NOT_FOUND,
                                            .flags = TROLLEY_FAILURE_PERMANENT,
                                            .message = "no such file"};

    return sink->failed(sink->ctx, ref, &failure);
}

static int32_t fetch_one(const struct trolley_config *config, const struct trolley_ref *ref,
                         const struct trolley_dataset_sink *sink)
{
    const struct trolley_meta meta = {
        .size = sizeof meta, .study = ref->study, .series = ref->series, .instance = ref->instance};
    char path[4096], piece[1000];
    FILE *file;
    void *item;
    size_t n;
    int32_t r;

    name_file(config, ref->instance, ".dcm", path, sizeof path);
    file = fopen(path, "rb");
    if (!file) return fetch_failed(ref, sink);
    r = sink->begin(sink->ctx, &meta, &item);
    if (r == 0) {
        while (r == 0 && (n = fread(piece, 1, sizeof piece, file)) > 0)
            r = sink->write(item, piece, n);
        r = sink->end(item, NULL);
    }
    (void)fclose(file);
    return r == TROLLEY_ERR_CANCELLED ? r : TROLLEY_OK;
}

static int32_t first_fetch(void *self, const struct trolley_span *refs,
                           const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    const struct trolley_config *config = self;
    uint32_t i;
    int32_t r = 0;

    for (i = 0; r == 0 && i < refs->count && !task->cancelled(task); i++)
        r = fetch_one(config, (const struct trolley_ref *)trolley_span_at(refs, i), sink);
    return r;
}

static const struct trolley_downloader_ops fetch_ops = {.size = sizeof fetch_ops,
                                                        .fetch = first_fetch};

static const struct trolley_component downloader = {
    .size = sizeof downloader,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "files of one folder",
    .options = &fetch_options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = first_create,
    .destroy = first_destroy,
    .ops = &fetch_ops,
};

/* ---- storage: FOLDER/UID, first as FOLDER/UID.part ---- */

static const struct trolley_option store_table[] = {
    OPTION(TROLLEY_OPTION_PATH, "path", "an existing folder"),
};
static const struct trolley_span store_options = TROLLEY_SPAN(store_table);

struct writer {
    const struct trolley_config *config;
    FILE *file;
    uint64_t bytes;
    char part[4096];
};

static int32_t first_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                          struct trolley_task *task, void **writer)
{
    struct writer *made = (struct writer *)calloc(1, sizeof *made);

    (void)flags;
    if (!made) return TROLLEY_ERR_NOMEM;
    made->config = (const struct trolley_config *)self;
    name_file(made->config, meta->instance, ".part", made->part, sizeof made->part);
    made->file = fopen(made->part, "wb");
    if (!made->file) {
        int32_t r = trolley_fail(task, TROLLEY_ERR_IO, "first: cannot write %s", made->part);

        free(made);
        return r;
    }
    *writer = made;
    return TROLLEY_OK;
}

static int32_t first_write(void *self, const void *data, uint64_t length, struct trolley_task *task)
{
    struct writer *writer = (struct writer *)self;

    (void)task;
    writer->bytes += length;
    return fwrite(data, 1, length, writer->file) == length ? TROLLEY_OK : TROLLEY_ERR_IO;
}

static void first_abort(void *self)
{
    struct writer *writer = (struct writer *)self;

    if (writer->file) (void)fclose(writer->file);
    (void)remove(writer->part);
    free(writer);
}

static int32_t first_commit(void *self, const struct trolley_meta *meta,
                            const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct writer *writer = (struct writer *)self;
    struct trolley_stored stored = {.size = sizeof stored, .bytes = writer->bytes};
    char path[4096];
    int32_t r = fclose(writer->file) == 0 ? TROLLEY_OK : TROLLEY_ERR_IO;

    (void)task;
    writer->file = NULL;
    name_file(writer->config, meta->instance, "", path, sizeof path);
    if (r == 0 && rename(writer->part, path) != 0) r = TROLLEY_ERR_IO;
    stored.path = path;
    if (r == 0) r = where->where(where->ctx, &stored);
    first_abort(writer);
    return r;
}

static int32_t first_exists(void *self, const struct trolley_meta *meta,
                            const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct trolley_stored stored = {.size = sizeof stored};
    char path[4096];
    FILE *file;

    (void)task;
    name_file((const struct trolley_config *)self, meta->instance, "", path, sizeof path);
    file = fopen(path, "rb");
    if (!file) return TROLLEY_ERR_NOT_FOUND;
    (void)fclose(file);
    stored.path = path;
    return where->where(where->ctx, &stored);
}

static const struct trolley_storage_ops store_ops = {
    .size = sizeof store_ops,
    .open = first_open,
    .write = first_write,
    .commit = first_commit,
    .abort = first_abort,
    .exists = first_exists,
};

static const struct trolley_component storage = {
    .size = sizeof storage,
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "files in one folder",
    .options = &store_options,
    .create = first_create,
    .destroy = first_destroy,
    .ops = &store_ops,
};

/* ---- descriptor ---- */

static const struct trolley_component *const components[] = {&searcher, &downloader, &storage,
                                                             NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "first",
    .version = "1.0",
    .license = "MIT",
    .summary = "built against the first headers",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
