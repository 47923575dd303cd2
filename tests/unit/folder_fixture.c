/* SPDX-License-Identifier: MIT */
#include "folder_fixture.h"

#include <dlfcn.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KEYS_MAX 16

static const char *option_text(const struct trolley_config *config, const char *key)
{
    const struct folder_fixture *f = config->impl;

    if (strcmp(key, "path") == 0) return f->root;
    return strcmp(key, "charset") == 0 ? f->charset : NULL;
}

static int64_t option_integer(const struct trolley_config *config, const char *key,
                              int64_t fallback)
{
    const struct folder_fixture *f = config->impl;

    return strcmp(key, "bare") == 0 ? f->bare : fallback;
}

static void take_failure(struct trolley_task *task, const struct trolley_failure *failure)
{
    struct folder_fixture *f = task->impl;

    (void)snprintf(f->message, sizeof f->message, "%s", failure->message);
}

static void take_note(struct trolley_task *task, uint32_t severity, int32_t code,
                      const struct trolley_ref *ref, const char *message)
{
    struct folder_fixture *f = task->impl;

    (void)severity;
    (void)code;
    (void)ref;
    (void)snprintf(f->note, sizeof f->note, "%s", message);
    f->notes++;
}

static int32_t is_cancelled(struct trolley_task *task)
{
    return ((struct folder_fixture *)task->impl)->cancelled;
}

static void take_progress(struct trolley_task *task, uint64_t done, uint64_t total,
                          const char *unit, const char *message)
{
    (void)task;
    (void)done;
    (void)total;
    (void)unit;
    (void)message;
}

void folder_setup(struct folder_fixture *f)
{
    const struct trolley_plugin *(*entry)(void);
    void *handle = dlopen(PLUGINS_BUILT "/folder.so", RTLD_NOW | RTLD_LOCAL);
    char root[] = "/tmp/trolley-folder-XXXXXX";

    if (!handle) fail_msg("%s", dlerror());
    *(void **)&entry = dlsym(handle, "trolley_plugin_v1");
    assert_non_null(entry);
    assert_non_null(mkdtemp(root));
    memset(f, 0, sizeof *f);
    (void)snprintf(f->root, sizeof f->root, "%s", root);
    f->searcher = entry()->components[0];
    f->downloader = entry()->components[1];
    f->task = (struct trolley_task){.size = sizeof f->task,
                                    .impl = f,
                                    .cancelled = is_cancelled,
                                    .progress = take_progress,
                                    .fail = take_failure,
                                    .note = take_note};
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void folder_teardown(struct folder_fixture *f)
{
    f->searcher->destroy(f->self);
    if (f->shared) f->searcher->close(f->shared);
    (void)nftw(f->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void folder_path(const struct folder_fixture *f, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/%s", f->root, name);
}

void folder_dataset(const struct folder_file *file, struct kit_buffer *out)
{
    if (file->charset) dicom_text(out, 0x00080005, "CS", file->charset);
    dicom_text(out, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
    if (file->uid) dicom_text(out, 0x00080018, "UI", file->uid);
    if (file->date) dicom_text(out, 0x00080020, "DA", file->date);
    if (file->modality) dicom_text(out, 0x00080060, "CS", file->modality);
    if (file->description) dicom_text(out, 0x0008103E, "LO", file->description);
    if (file->patient) dicom_text(out, 0x00100010, "PN", file->patient);
    if (file->study) dicom_text(out, 0x0020000D, "UI", file->study);
    if (file->series) dicom_text(out, 0x0020000E, "UI", file->series);
}

void folder_write(const struct folder_fixture *f, const struct folder_file *file)
{
    struct kit_buffer data = {0};
    char path[256];

    folder_path(f, file->path, path);
    folder_dataset(file, &data);
    dicom_save(path, &data);
    kit_buffer_free(&data);
}

static void show_record(struct folder_fixture *f, const struct trolley_record *record,
                        struct kit_buffer *line)
{
    const uint32_t *tag;

    for (tag = f->show; tag && *tag; tag++) {
        const struct trolley_element *found = NULL;
        uint32_t i;

        for (i = 0; i < record->elements.count; i++) {
            const struct trolley_element *element = trolley_span_at(&record->elements, i);

            if (element->tag == *tag) found = element;
        }
        if (tag != f->show) assert_int_equal(kit_buffer_text(line, "|"), 0);
        if (!found) assert_int_equal(kit_buffer_text(line, "-"), 0);
        for (i = 0; found && i < found->values.count; i++)
            assert_int_equal(kit_buffer_printf(line, "%s%s", i ? "\\" : "",
                                               trolley_span_text(&found->values, i)),
                             0);
    }
}

static int32_t take_record(void *ctx, const struct trolley_record *record)
{
    struct folder_fixture *f = ctx;
    struct kit_buffer line = {0};
    size_t used = strlen(f->answer);

    show_record(f, record, &line);
    (void)snprintf(f->answer + used, sizeof f->answer - used, "%s%s", f->records ? "\n" : "",
                   line.data ? line.data : "");
    kit_buffer_free(&line);
    f->records++;
    return 0;
}

/* Makes query keys of rows; `values` holds what they point to. */
static struct trolley_span make_keys(const struct folder_key *rows, uint32_t count,
                                     struct trolley_query_key keys[KEYS_MAX],
                                     const char *values[KEYS_MAX])
{
    uint32_t i;

    assert_true(count <= KEYS_MAX);
    memset(keys, 0, KEYS_MAX * sizeof *keys);
    for (i = 0; i < count; i++) {
        keys[i].size = sizeof *keys;
        keys[i].tag = rows[i].tag;
        keys[i].name = rows[i].name;
        keys[i].path = rows[i].path;
        if (rows[i].vr) memcpy(keys[i].vr, rows[i].vr, 2);
        values[i] = rows[i].value;
        if (values[i]) keys[i].values = (struct trolley_span){&values[i], 1, sizeof values[i]};
    }
    return (struct trolley_span){keys, count, sizeof keys[0]};
}

int folder_find_with(struct folder_fixture *f, uint32_t level, const struct folder_key *rows,
                     uint32_t count, const struct folder_key *include, uint32_t include_count)
{
    const struct trolley_searcher_ops *ops = f->searcher->ops;
    struct trolley_config config = {.size = sizeof config,
                                    .impl = f,
                                    .section = "test",
                                    .text = option_text,
                                    .integer = option_integer};
    struct trolley_query_key keys[KEYS_MAX], fields[KEYS_MAX];
    const char *values[KEYS_MAX], *none[KEYS_MAX];
    struct trolley_query query = {.size = sizeof query, .level = level, .type = "dicom"};
    struct trolley_record_sink sink = {f, take_record};
    int r;

    query.keys = make_keys(rows, count, keys, values);
    query.include_fields = make_keys(include, include_count, fields, none);
    f->answer[0] = '\0';
    f->records = f->notes = 0;
    if (!f->shared) {
        r = f->searcher->open(NULL, &config, &f->task, &f->shared);
        if (r < 0) return r;
        assert_int_equal(f->searcher->create(NULL, &config, f->shared, &f->task, &f->self), 0);
    }
    r = ops->check(f->self, &query, &f->task);
    return r < 0 ? r : ops->find(f->self, &query, &sink, &f->task);
}
