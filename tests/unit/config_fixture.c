/* SPDX-License-Identifier: MIT */
#include "tests/unit/config_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <kit/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static char path[256];
static struct trolley_error failure;
static struct config_file *file;
static struct kit_buffer logged, handed;

static void fixture_log(void *ctx, uint32_t level, const char *component, const char *message)
{
    (void)ctx;
    (void)component;
    if (level == TROLLEY_LOG_WARNING)
        assert_int_equal(kit_buffer_printf(&logged, "%s\n", message), 0);
}

int fixture_open(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/trolley-config-XXXXXX");
    if (!mkdtemp(directory)) return -1;
    trolley_set_log(fixture_log, NULL, TROLLEY_LOG_WARNING);
    return 0;
}

static int fixture_remove(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(name);
}

int fixture_close(void **state)
{
    (void)state;
    trolley_set_log(NULL, NULL, 0);
    kit_buffer_free(&logged);
    kit_buffer_free(&handed);
    return nftw(directory, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_directory(void)
{
    return directory;
}

const char *fixture_write(const char *name, const void *data, size_t length, mode_t mode)
{
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    /* A new file each time: some file systems flush one that is truncated. */
    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), (ssize_t)length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

struct config_file *fixture_read(const char *text)
{
    struct config_file *read = NULL;

    fixture_write("test.ini", text, strlen(text), 0600);
    if (config_file_read(path, &read, &failure) < 0) fail_msg("%s: %s", text, failure.message);
    return read;
}

/* The failure's message behind "PATH:". */
static const char *fixture_message(int status)
{
    const size_t length = strlen(path);

    assert_int_equal(failure.status, status);
    if (strncmp(failure.message, path, length) != 0) fail_msg("no path: %s", failure.message);
    return failure.message + length + 1;
}

const char *fixture_refuse(const char *text)
{
    struct config_file *read = NULL;
    int r;

    fixture_write("test.ini", text, strlen(text), 0600);
    r = config_file_read(path, &read, &failure);
    if (r >= 0) fail_msg("accepted: %s", text);
    assert_null(read);
    return fixture_message(r);
}

struct section *fixture_resolve(const char *text, const struct trolley_span *const *tables)
{
    struct section *section = NULL;

    file = fixture_read(text);
    if (section_resolve(file, config_file_first(file), tables, &section, &failure) < 0)
        fail_msg("%s: %s", text, failure.message);
    return section;
}

const char *fixture_resolve_refuse(const char *text, const struct trolley_span *const *tables)
{
    struct section *section = NULL;
    struct config_file *read = fixture_read(text);
    int r = section_resolve(read, config_file_first(read), tables, &section, &failure);

    if (r >= 0) fail_msg("accepted: %s", text);
    assert_null(section);
    config_file_free(read);
    return fixture_message(r);
}

void fixture_drop(struct section *section)
{
    section_free(section);
    config_file_free(file);
    file = NULL;
}

const char *fixture_warnings(void)
{
    kit_buffer_reset(&handed);
    assert_int_equal(kit_buffer_text(&handed, logged.length ? logged.data : ""), 0);
    kit_buffer_reset(&logged);
    return handed.data;
}
