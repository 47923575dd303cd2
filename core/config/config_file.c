/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/file.h"
#include "core/config/ini.h"
#include "core/model/error.h"

/* A section as it grows; `view` comes first, so that the public pointer is the owner's. */
struct file_section {
    struct config_section view;
    struct config_entry *entries;
    size_t capacity;
    char *kind, *name;
};

struct config_file {
    char *path;
    char *directory;
    bool exposed;
    struct file_section *first, *last;
    size_t count;
};

struct file_reading {
    struct config_file *file;
    struct trolley_error *error;
};

const char *config_file_path(const struct config_file *file)
{
    return file->path;
}

const char *config_file_directory(const struct config_file *file)
{
    return file->directory;
}

bool config_file_exposed(const struct config_file *file)
{
    return file->exposed;
}

const struct config_section *config_file_first(const struct config_file *file)
{
    return file->first ? &file->first->view : NULL;
}

const struct config_section *config_file_section(const struct config_file *file, const char *kind,
                                                 const char *name)
{
    const struct config_section *section;

    for (section = config_file_first(file); section; section = section->next)
        if (strcmp(section->kind, kind) == 0 && strcmp(section->name, name) == 0) return section;
    return NULL;
}

struct file_names {
    const struct config_section *next;
    const char *kind;
};

static const char *file_next_name(void *ctx, size_t i)
{
    struct file_names *names = ctx;
    const char *name;

    (void)i;
    while (names->next && strcmp(names->next->kind, names->kind) != 0)
        names->next = names->next->next;
    if (!names->next) return NULL;
    name = names->next->name;
    names->next = names->next->next;
    return name;
}

const char *config_file_nearest(const struct config_file *file, const char *kind, const char *name)
{
    struct file_names names = {config_file_first(file), kind};

    return kit_text_nearest(name, file_next_name, &names);
}

static void file_section_free(struct file_section *section)
{
    size_t i;

    if (!section) return;
    for (i = 0; i < section->view.count; i++) {
        free((char *)section->entries[i].key);
        explicit_bzero((char *)section->entries[i].value, strlen(section->entries[i].value));
        free((char *)section->entries[i].value);
    }
    free(section->entries);
    free(section->kind);
    free(section->name);
    free(section);
}

void config_file_free(struct config_file *file)
{
    struct file_section *section, *next;

    if (!file) return;
    for (section = file->first; section; section = next) {
        next = (struct file_section *)section->view.next;
        file_section_free(section);
    }
    free(file->path);
    free(file->directory);
    free(file);
}

ssize_t config_read_all(int fd, char *data, size_t size)
{
    size_t length = 0;
    ssize_t n;

    while (length < size) {
        n = read(fd, data + length, size - length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

char *config_path_join(const char *directory, const char *path)
{
    const size_t length = strlen(directory), more = strlen(path);
    char *joined;

    if (*path == '/') return strdup(path);
    joined = malloc(length + 1 + more + 1);
    if (!joined) return NULL;
    memcpy(joined, directory, length);
    joined[length] = '/';
    memcpy(joined + length + (length == 0 || directory[length - 1] != '/'), path, more + 1);
    return joined;
}

/* The absolute folder of a file's path. NULL on NOMEM or without a working directory. */
static char *file_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    char *here = NULL, *absolute = NULL;

    if (folder && *folder == '/') return folder;
    here = getcwd(NULL, 0);
    if (folder && here)
        absolute = strcmp(folder, ".") == 0 ? strdup(here) : config_path_join(here, folder);
    free(here);
    free(folder);
    return absolute;
}

/* Splits "kind name". Faults are said without a place. */
static int file_split(struct file_reading *reading, const char *header,
                      struct file_section *section)
{
    const size_t length = strcspn(header, " \t");
    const char *name = header + length + strspn(header + length, " \t");
    const char *nearest;
    bool nameless;

    section->kind = strndup(header, length);
    section->name = strdup(name);
    if (!section->kind || !section->name)
        return error_set(reading->error, TROLLEY_ERR_NOMEM, "out of memory");
    if (length == 0)
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "a section is written `[kind name]`");
    if (!config_host_options(section->kind)) {
        nearest = kit_text_nearest(section->kind, config_kind, NULL);
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "unknown kind of section `%s`%s%s%s", section->kind,
                         nearest ? "; did you mean `" : "", nearest ? nearest : "",
                         nearest ? "`?" : "");
    }
    nameless = strcmp(section->kind, "settings") == 0 || strcmp(section->kind, "prefetch") == 0;
    if (nameless && *name)
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "[%s] takes no name, found `%s`", section->kind, name);
    if (!nameless && !*name)
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "a name is missing: `[%s NAME]`", section->kind);
    if (strchr(name, ','))
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "a section's name has no comma, found `%s`", name);
    return 0;
}

static int file_take_section(void *ctx, const char *header, int line)
{
    struct file_reading *reading = ctx;
    struct config_file *file = reading->file;
    const struct config_section *same;
    struct file_section *section = calloc(1, sizeof *section);
    int r;

    if (!section) return error_set(reading->error, TROLLEY_ERR_NOMEM, "out of memory");
    r = file_split(reading, header, section);
    if (r == 0 && (same = config_file_section(file, section->kind, section->name)))
        r = error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                      "[%s] stands here and in line %d already", header, same->line);
    if (r == 0 && file->count == CONFIG_COUNT_MAX)
        r = error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG, "more than %d sections",
                      CONFIG_COUNT_MAX);
    if (r < 0) {
        error_prefix(reading->error, "%s:%d", file->path, line);
        file_section_free(section);
        return r;
    }
    section->view.kind = section->kind;
    section->view.name = section->name;
    section->view.line = line;
    if (file->last) file->last->view.next = &section->view;
    if (!file->first) file->first = section;
    file->last = section;
    file->count++;
    return 0;
}

/* Room for one more entry. */
static int file_grow(struct file_section *section)
{
    size_t capacity = section->capacity ? section->capacity * 2 : 8;
    struct config_entry *entries;

    if (section->view.count < section->capacity) return 0;
    if (section->view.count >= CONFIG_COUNT_MAX) return TROLLEY_ERR_TOO_LARGE;
    entries = reallocarray(section->entries, capacity, sizeof *entries);
    if (!entries) return TROLLEY_ERR_NOMEM;
    section->entries = entries;
    section->view.entries = entries;
    section->capacity = capacity;
    return 0;
}

static int file_take_entry(void *ctx, const char *key, const char *value, int line)
{
    struct file_reading *reading = ctx;
    struct file_section *section = reading->file->last;
    const char *path = reading->file->path;
    struct config_entry *entry;
    char *folded, *text, *c;
    int r;

    if (!section)
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s:%d: key `%s` stands before the first section", path, line, key);
    r = file_grow(section);
    if (r == TROLLEY_ERR_TOO_LARGE)
        return error_set(reading->error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s:%d: key `%s`: more than %d keys in a section", path, line, key,
                         CONFIG_COUNT_MAX);
    folded = strdup(key);
    text = strdup(value);
    if (r < 0 || !folded || !text) {
        free(folded);
        free(text);
        return error_set(reading->error, TROLLEY_ERR_NOMEM, "%s: out of memory", path);
    }
    for (c = folded; *c && *c != '.'; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
        if (*c == '-') *c = '_';
    }
    entry = &section->entries[section->view.count++];
    *entry = (struct config_entry){folded, text, line};
    return 0;
}

/* Opens an INI file, looks who else may touch it, and says how many bytes it may have. */
static int file_open(struct config_file *file, int *ret_fd, size_t *ret_most,
                     struct trolley_error *error)
{
    struct stat st;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = 0;

    if (fd < 0)
        return error_set(error, errno == ENOENT ? TROLLEY_ERR_NOT_FOUND : TROLLEY_ERR_IO, "%s: %s",
                         file->path, strerror(errno));
    if (fstat(fd, &st) < 0)
        r = error_set(error, TROLLEY_ERR_IO, "%s: %s", file->path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        r = error_set(error, TROLLEY_ERR_IO, "%s: is a folder, not an INI file", file->path);
    else if (S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH))
        r = error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                      "%s: anyone can write this file, and it says which code is run; use `chmod "
                      "o-w`",
                      file->path);
    else if (S_ISREG(st.st_mode) && st.st_size > (off_t)CONFIG_FILE_MAX)
        r = error_set(error, TROLLEY_ERR_TOO_LARGE, "%s: larger than 1 MiB", file->path);
    if (r < 0) {
        close(fd);
        return r;
    }
    file->exposed = S_ISREG(st.st_mode) && (st.st_mode & S_IROTH);
    *ret_most = S_ISREG(st.st_mode) ? (size_t)st.st_size : CONFIG_FILE_MAX;
    *ret_fd = fd;
    return 0;
}

static int file_load(struct config_file *file, struct trolley_error *error)
{
    struct file_reading reading = {file, error};
    const struct config_ini_handler handler = {&reading, file_take_section, file_take_entry};
    size_t most = 0;
    char *text;
    ssize_t length;
    int fd = -1;
    int r = file_open(file, &fd, &most, error);

    if (r < 0) return r;
    text = malloc(most + 1);
    length = text ? config_read_all(fd, text, most + 1) : -1;
    if (!text)
        r = error_set(error, TROLLEY_ERR_NOMEM, "%s: out of memory", file->path);
    else if (length < 0)
        r = error_set(error, TROLLEY_ERR_IO, "%s: %s", file->path, strerror(errno));
    else if ((size_t)length > most)
        r = error_set(error, TROLLEY_ERR_TOO_LARGE, "%s: larger than 1 MiB, or growing",
                      file->path);
    else
        r = config_ini_read(file->path, text, (size_t)length, &handler, error);
    if (text && length > 0) explicit_bzero(text, (size_t)length);
    free(text);
    close(fd);
    return r;
}

int config_file_read(const char *path, struct config_file **ret_file, struct trolley_error *error)
{
    struct config_file *file = calloc(1, sizeof *file);
    int r;

    if (!file) return error_set(error, TROLLEY_ERR_NOMEM, "%s: out of memory", path);
    file->path = strdup(path);
    file->directory = file_directory(path);
    if (!file->path)
        r = error_set(error, TROLLEY_ERR_NOMEM, "%s: out of memory", path);
    else if (!file->directory)
        r = error_set(error, TROLLEY_ERR_IO, "%s: the working directory cannot be told", path);
    else
        r = file_load(file, error);
    if (r < 0) {
        config_file_free(file);
        return r;
    }
    *ret_file = file;
    return 0;
}
