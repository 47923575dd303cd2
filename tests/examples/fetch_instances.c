/* fetch_instances.c: each instance of a patient in memory, without any storage:
 * fetch_instances INI PATIENTID FOLDER. Saves them under names of its own.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley.h>

struct bytes {
    char *data;
    size_t length, room;
    const char *folder;
};

static int32_t bytes_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    struct bytes *bytes = calloc(1, sizeof *bytes);

    (void)meta;
    if (!bytes) return TROLLEY_ERR_NOMEM;
    bytes->folder = ctx;
    *item = bytes;
    return 0;
}

static int32_t bytes_write(void *item, const void *data, uint64_t length)
{
    struct bytes *bytes = item;

    if (bytes->room - bytes->length < length) {
        size_t room = 2 * bytes->room + (size_t)length;
        char *grown = room <= (size_t)1 << 30 ? realloc(bytes->data, room) : NULL;

        if (!grown) return TROLLEY_ERR_NOMEM;
        bytes->data = grown;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->length, data, (size_t)length);
    bytes->length += (size_t)length;
    return 0;
}

static int32_t bytes_save(const struct bytes *bytes, const char *uid)
{
    char path[4096];
    FILE *file;
    size_t written;

    (void)snprintf(path, sizeof path, "%s/%s.dcm", bytes->folder, uid);
    file = fopen(path, "wb");
    if (!file) return TROLLEY_ERR_IO;
    written = fwrite(bytes->data, 1, bytes->length, file);
    return fclose(file) == 0 && written == bytes->length ? 0 : TROLLEY_ERR_IO;
}

/* Without `meta` the instance broke on its way: it is thrown away, and begun again. */
static int32_t bytes_end(void *item, const struct trolley_meta *meta)
{
    struct bytes *bytes = item;
    int32_t r = meta ? bytes_save(bytes, meta->instance) : 0;

    free(bytes->data);
    free(bytes);
    return r;
}

int main(int argc, char **argv)
{
    struct trolley_fetch_sink sink = {NULL, bytes_begin, bytes_write, bytes_end};
    struct trolley_download_options options = {0};
    struct trolley_query_builder *query = NULL;
    struct trolley_counts counts = {0};
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    int r;

    if (argc != 4) return 2;
    sink.ctx = argv[3];
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "PatientID", argv[2], &error);
    options.query = query;
    if (r == 0) r = trolley_fetch(trolley, &options, &sink, &counts, &error);
    printf("%llu instances, %llu bytes\n", (unsigned long long)counts.stored,
           (unsigned long long)counts.bytes);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
