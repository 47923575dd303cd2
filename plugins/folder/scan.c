/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>
#include <unistd.h>

#include "kit/beneath.h"
#include "kit/buffer.h"
#include "kit/uid.h"

#define DEPTH_MAX 32
#define COLUMNS_MAX 64
#define PROGRESS_EVERY 256

struct scan {
    const struct scan_settings *settings;
    struct index *index;
    struct trolley_task *task;
    size_t seen; /* files looked at */
    struct folder_wanted wanted[COLUMNS_MAX];
    size_t columns;
};

/* What a file's columns hold while it is read. */
struct scan_row {
    char *texts[COLUMNS_MAX];
};

static int take_value(void *ctx, size_t which, const struct folder_value *value)
{
    struct scan_row *row = ctx;

    row->texts[which] = strdup(value->text);
    return row->texts[which] ? 0 : TROLLEY_ERR_NOMEM;
}

/* DICOM files begin with 128 free bytes and DICM [PS3.10 7.1]; bare data sets with group 0002 or
 * 0008. */
static bool looks_like_dicom(int fd, bool bare)
{
    unsigned char head[132];
    ssize_t n = pread(fd, head, sizeof head, 0);

    if (n == (ssize_t)sizeof head && memcmp(head + 128, "DICM", 4) == 0) return true;
    return bare && n > 8 &&
           ((head[1] == 0 && (head[0] == 2 || head[0] == 8) && head[3] == 0) ||
            (head[0] == 0 && head[1] == 8 && head[2] == 0));
}

static void count_unreadable(struct index *index, const char *dir, const char *file,
                             const char *problem)
{
    if (index->unreadable++ == 0)
        (void)snprintf(index->problem, sizeof index->problem, "%s/%s: %s", dir, file, problem);
}

static const char *text_of(const struct scan_row *row, uint32_t tag)
{
    const char *text = row->texts[index_find_column(tag)];

    return text ? text : "";
}

/* Keeps what was read of one file. */
static int keep_instance(struct scan *scan, const struct scan_row *row, const char *dir,
                         const char *file, const struct stat *st)
{
    struct intern *texts = &scan->index->texts;
    struct index_instance instance = {.bytes = (uint64_t)st->st_size, .changed = st->st_mtim};
    const char *study = text_of(row, 0x0020000D), *series = text_of(row, 0x0020000E);
    const char *uid = text_of(row, 0x00080018);
    int i;

    if (!kit_uid_valid(study) || !kit_uid_valid(series) || !kit_uid_valid(uid)) {
        count_unreadable(scan->index, dir, file,
                         "study, series or instance UID is missing or malformed");
        return 0;
    }
    instance.study = intern_text(texts, study);
    instance.series = intern_text(texts, series);
    instance.uid = intern_text(texts, uid);
    instance.dir = intern_text(texts, dir);
    instance.file = intern_text(texts, file);
    for (i = 0; i < INDEX_ROWS; i++) {
        instance.rows[i] = index_pack(texts, i, (const char *const *)row->texts);
        if (!instance.rows[i]) return TROLLEY_ERR_TOO_LARGE;
    }
    if (!instance.study || !instance.series || !instance.uid || !instance.dir || !instance.file)
        return TROLLEY_ERR_TOO_LARGE;
    return index_add(scan->index, &instance);
}

static int scan_file(struct scan *scan, int parent, const char *dir, const char *file)
{
    struct scan_row row = {{NULL}};
    struct folder_reader reader = {scan->wanted, scan->columns, scan->settings->charset, &row,
                                   take_value};
    char problem[256] = "";
    struct stat st;
    size_t i;
    int r = 0;
    int fd = openat(parent, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        if (errno != ELOOP) count_unreadable(scan->index, dir, file, strerror(errno));
        return 0;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && looks_like_dicom(fd, scan->settings->bare)) {
        r = folder_dcmtk_read(fd, &reader, problem, sizeof problem);
        if (r == 0) r = keep_instance(scan, &row, dir, file, &st);
        if (r == TROLLEY_ERR_PROTOCOL) {
            count_unreadable(scan->index, dir, file, problem);
            r = 0;
        }
    }
    (void)close(fd);
    for (i = 0; i < scan->columns; i++)
        free(row.texts[i]);
    return r;
}

static int scan_dir(struct scan *scan, int fd, const char *dir, int depth);

static int scan_subdir(struct scan *scan, int parent, const char *dir, const char *name, int depth)
{
    struct kit_buffer path = {0};
    int r, fd;

    if (depth == DEPTH_MAX) {
        count_unreadable(scan->index, dir, name, "folders are nested too deeply");
        return 0;
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        count_unreadable(scan->index, dir, name, strerror(errno));
        return 0;
    }
    if (strcmp(dir, ".") == 0)
        r = kit_buffer_text(&path, name);
    else
        r = kit_buffer_printf(&path, "%s/%s", dir, name);
    if (r == 0)
        r = scan_dir(scan, fd, path.data, depth);
    else
        (void)close(fd);
    kit_buffer_free(&path);
    return r;
}

/* What an entry is; some file systems do not say it in the listing. */
static unsigned char entry_type(int parent, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN) return entry->d_type;
    if (fstatat(parent, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) return DT_UNKNOWN;
    return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_LNK;
}

static int scan_entry(struct scan *scan, int parent, const char *dir, const struct dirent *entry,
                      int depth)
{
    const char *name = entry->d_name;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".trolley") == 0)
        return 0;
    if (scan->task && scan->task->cancelled(scan->task)) return TROLLEY_ERR_CANCELLED;
    switch (entry_type(parent, entry)) {
    case DT_DIR:
        return scan_subdir(scan, parent, dir, name, depth + 1);
    case DT_REG:
        if (++scan->seen % PROGRESS_EVERY == 0 && scan->task)
            scan->task->progress(scan->task, scan->seen, 0, "files", "reading the folder");
        return scan_file(scan, parent, dir, name);
    default:
        return 0;
    }
}

/* Takes fd over. */
static int scan_dir(struct scan *scan, int fd, const char *dir, int depth)
{
    DIR *entries = fdopendir(fd);
    struct dirent *entry;
    int r = 0;

    if (!entries) {
        (void)close(fd);
        return TROLLEY_ERR_IO;
    }
    while (r == 0 && (entry = readdir(entries)))
        r = scan_entry(scan, fd, dir, entry, depth);
    (void)closedir(entries);
    return r;
}

int scan_folder(const struct scan_settings *settings, struct index *index,
                struct trolley_task *task)
{
    struct scan scan = {.settings = settings, .index = index, .task = task};
    const struct index_column *column;
    int r, fd;

    while ((column = index_column((int)scan.columns)) && scan.columns < COLUMNS_MAX)
        scan.wanted[scan.columns++].tag = column->tag;
    fd = kit_beneath_open(settings->root, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return TROLLEY_ERR_IO;
    r = scan_dir(&scan, fd, ".", 0);
    if (r == 0) index_finish(index);
    return r;
}
