/* custom_storage.c: a storage of one's own: custom_storage INI PATIENTID FOLDER. Files get numbers
 * for names. A storage that other programs shall use too is better written as a plugin.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <trolley.h>
#include <trolley/helpers.h>

struct numbered {
    const char *folder;
    unsigned int count; /* open is never called by two threads at once */
};

struct writer {
    FILE *file;
    char path[4096];
};

static int32_t numbered_open(void *self, const struct trolley_meta *meta, uint32_t flags,
                             struct trolley_task *task, void **writer)
{
    struct numbered *numbered = self;
    struct writer *made = malloc(sizeof *made);

    (void)meta;
    (void)flags;
    if (!made) return trolley_fail(task, TROLLEY_ERR_NOMEM, "out of memory");
    (void)snprintf(made->path, sizeof made->path, "%s/%06u.dcm", numbered->folder,
                   ++numbered->count);
    made->file = fopen(made->path, "wbx");
    if (!made->file) {
        (void)trolley_fail(task, TROLLEY_ERR_IO, "%s: it cannot be made", made->path);
        free(made);
        return TROLLEY_ERR_IO;
    }
    *writer = made;
    return 0;
}

static int32_t numbered_write(void *writer, const void *data, uint64_t length,
                              struct trolley_task *task)
{
    struct writer *own = writer;

    if (fwrite(data, 1, (size_t)length, own->file) == length) return 0;
    return trolley_fail(task, TROLLEY_ERR_IO, "%s: it cannot be written", own->path);
}

static void numbered_abort(void *writer)
{
    struct writer *own = writer;

    if (own->file) (void)fclose(own->file);
    (void)remove(own->path);
    free(own);
}

static int32_t numbered_commit(void *writer, const struct trolley_meta *meta,
                               const struct trolley_where_sink *where, struct trolley_task *task)
{
    struct writer *own = writer;
    struct trolley_stored stored = {.size = sizeof stored};
    int32_t r = fclose(own->file) == 0 ? 0 : TROLLEY_ERR_IO;

    own->file = NULL;
    stored.path = own->path;
    stored.bytes = meta->size_hint;
    if (r == 0) r = where->where(where->ctx, &stored);
    if (r < 0) {
        (void)trolley_fail(task, r, "%s: it cannot be finished", own->path);
        numbered_abort(own);
        return r;
    }
    free(own);
    return 0;
}

/* It does not know what its numbers are: everything is fetched again. */
static int32_t numbered_exists(void *self, const struct trolley_meta *meta,
                               const struct trolley_where_sink *where, struct trolley_task *task)
{
    (void)self;
    (void)meta;
    (void)where;
    (void)task;
    return TROLLEY_ERR_NOT_FOUND;
}

static void print_outcome(void *ctx, const struct trolley_outcome *outcome)
{
    (void)ctx;
    printf("%s %s\n", outcome->instance, outcome->path ? outcome->path : outcome->message);
}

int main(int argc, char **argv)
{
    const struct trolley_storage_ops ops = {.size = sizeof ops,
                                            .open = numbered_open,
                                            .write = numbered_write,
                                            .commit = numbered_commit,
                                            .abort = numbered_abort,
                                            .exists = numbered_exists};
    struct trolley_download_options options = {.storage = &ops, .outcome = print_outcome};
    struct trolley_query_builder *query = NULL;
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_counts counts;
    struct trolley_error error;
    struct numbered numbered = {0};
    int r;

    if (argc != 4) return 2;
    numbered.folder = argv[3];
    options.storage_self = &numbered;
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "PatientID", argv[2], &error);
    options.query = query;
    if (r == 0) r = trolley_download(trolley, &options, &counts, &error);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
