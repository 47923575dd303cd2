/* secret.c: reading secrets, wherever they are. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <kit/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/config/command.h"
#include "core/config/file.h"
#include "core/config/section.h"
#include "core/config/words.h"
#include "core/model/error.h"
#include "core/model/log.h"

/* A secret on its way; data is malloced and wiped by secret_wipe. */
struct secret {
    char *data;
    size_t length, size;
};

static void secret_wipe(struct secret *secret)
{
    if (secret->data) explicit_bzero(secret->data, secret->size);
    free(secret->data);
    *secret = (struct secret){0};
}

static int secret_room(struct secret *secret, size_t size, struct trolley_error *error)
{
    secret->data = malloc(size + 1);
    if (!secret->data) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    secret->size = size;
    return 0;
}

static int secret_copy(struct secret *secret, const char *data, size_t length,
                       struct trolley_error *error)
{
    int r = secret_room(secret, length, error);

    if (r < 0) return r;
    memcpy(secret->data, data, length);
    secret->data[length] = '\0';
    secret->length = length;
    return 0;
}

/* Cuts one newline at the end; refuses what is then empty or has a NUL. */
static int secret_trim(struct secret *secret, const char *from, struct trolley_error *error)
{
    char *data = secret->data;
    size_t length = secret->length;

    if (length && data[length - 1] == '\n') length--;
    if (length < secret->length && length && data[length - 1] == '\r') length--;
    if (length == 0) return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s is empty", from);
    if (memchr(data, '\0', length))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s has a NUL byte", from);
    data[length] = '\0';
    secret->length = length;
    return 0;
}

static int secret_from_environment(struct secret *secret, const char *name,
                                   struct trolley_error *error)
{
    const char *value = getenv(name);

    if (!value || !*value)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "environment variable %s is %s", name,
                         value ? "empty" : "not set");
    return secret_copy(secret, value, strlen(value), error);
}

/* Reads an open secret file; `place` is for the warning. */
static int secret_read(struct secret *secret, int fd, const char *path, const char *place,
                       struct trolley_error *error)
{
    struct stat st;
    ssize_t length;
    int r = secret_room(secret, CONFIG_SECRET_MAX + 1, error);

    if (r < 0) return r;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH)))
        log_write(TROLLEY_LOG_WARNING, "config",
                  "%s: anyone can read or write %s; use `chmod o-rw`", place, path);
    length = config_read_all(fd, secret->data, CONFIG_SECRET_MAX + 1);
    if (length < 0)
        return error_set(error, TROLLEY_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if ((size_t)length > CONFIG_SECRET_MAX)
        return error_set(error, TROLLEY_ERR_TOO_LARGE, "%s is larger than 64 KiB", path);
    secret->length = (size_t)length;
    return secret_trim(secret, path, error);
}

static int secret_from_file(struct secret *secret, const char *path, const char *place,
                            struct trolley_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r;

    if (fd < 0)
        return error_set(error, TROLLEY_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    r = secret_read(secret, fd, path, place, error);
    close(fd);
    return r;
}

static int secret_run(struct secret *secret, const char *line, struct trolley_task *task,
                      struct trolley_error *error)
{
    char **words = NULL;
    int r = config_words_split(line, &words, error);

    if (r == 0) r = secret_room(secret, CONFIG_SECRET_MAX, error);
    if (r == 0)
        r = config_command_run(words, CONFIG_COMMAND_MS, secret->data, secret->size,
                               &secret->length, task, error);
    if (r == 0) r = secret_trim(secret, "what the command says", error);
    config_words_free(words);
    return r;
}

/* The command's words, run when they are not at hand or stale. */
static int secret_from_command(struct section *section, struct section_slot *slot, bool refresh,
                               struct secret *secret, struct trolley_task *task,
                               struct trolley_error *error)
{
    struct secret fresh = {0};
    int r = 0;

    pthread_mutex_lock(&section->lock);
    if (!slot->cached || refresh) {
        r = secret_run(&fresh, slot->values[0].text, task, error);
        if (r == 0) r = secret_copy(secret, fresh.data, fresh.length, error);
        if (r == 0) {
            struct secret stale = {slot->cached, slot->cached_length, slot->cached_length};
            secret_wipe(&stale);
            slot->cached = NULL;
            slot->cached_length = 0;
            if (secret_copy(&stale, fresh.data, fresh.length, NULL) == 0) {
                slot->cached = stale.data;
                slot->cached_length = stale.length;
            }
        }
        secret_wipe(&fresh);
    } else {
        r = secret_copy(secret, slot->cached, slot->cached_length, error);
    }
    pthread_mutex_unlock(&section->lock);
    return r;
}

static int secret_get(struct section *section, struct section_slot *slot, bool refresh,
                      const char *place, struct secret *secret, struct trolley_task *task,
                      struct trolley_error *error)
{
    const char *text = slot->values[0].text;

    switch (slot->source) {
    case SECTION_ENV:
        return secret_from_environment(secret, text, error);
    case SECTION_FILE:
        return secret_from_file(secret, text, place, error);
    case SECTION_COMMAND:
        return secret_from_command(section, slot, refresh, secret, task, error);
    default:
        return secret_copy(secret, text, strlen(text), error);
    }
}

int32_t section_secret(const struct trolley_config *config, const char *key, int32_t refresh,
                       const struct trolley_secret_sink *sink, struct trolley_task *task)
{
    struct section *section = (struct section *)config->impl;
    struct section_slot *slot = section_find(section, key);
    struct kit_buffer place = {0}, written = {0};
    struct secret secret = {0};
    struct trolley_error error = {0};
    const char *suffix;
    int r;

    if (!slot || !(slot->option.flags & TROLLEY_OPTION_SECRET) || slot->count == 0)
        return trolley_fail(task, TROLLEY_ERR_NOT_FOUND, "[%s] key `%s`: not set", config->section,
                            key);
    suffix = section_suffix(slot->source);
    r = kit_buffer_printf(&written, "%s%s", slot->option.key, suffix ? suffix : "");
    if (r == 0) r = section_place(section, slot->values[0].line, written.data, &place);
    if (r == 0)
        r = secret_get(section, slot, refresh != 0, place.data, &secret, task, &error);
    else
        (void)error_set(&error, r, "out of memory");
    if (r < 0)
        (void)trolley_fail(task, r, "%s: %s", place.data ? place.data : key, error.message);
    else
        r = sink->secret(sink->ctx, secret.data, secret.length);
    secret_wipe(&secret);
    kit_buffer_free(&place);
    kit_buffer_free(&written);
    return r;
}
