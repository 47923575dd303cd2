/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/types.h>
#include <unistd.h>

#include "answer.h"

#define FILE_VERSION "trolley cache 1\n"
#define FILE_ORDER UINT32_C(0x01020304)

struct file_head {
    char version[sizeof FILE_VERSION - 1];
    uint32_t order, searcher_length;
};

struct file_entry {
    int64_t born_ms;
    uint64_t sum;
    uint32_t key_length, answer_length;
};

static uint64_t file_sum(uint64_t sum, const void *data, size_t length)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* Over all of an entry but the sum itself. */
static uint64_t entry_sum(const struct file_entry *head, const char *key, const char *answer)
{
    struct file_entry plain = *head;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    plain.sum = 0;
    sum = file_sum(sum, &plain, sizeof plain);
    sum = file_sum(sum, key, head->key_length);
    return file_sum(sum, answer, head->answer_length);
}

static void say(char *reason, const char *path, const char *what)
{
    (void)snprintf(reason, FILE_REASON_MAX, "%.180s: %s", path, what);
}

/* ---- reading ---- */

/* The whole file; NULL with the reason, or without one when there is no file. */
static char *file_read(const char *path, uint64_t max_bytes, size_t *ret_length, char *reason)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    char *bytes = NULL;
    struct stat st;
    size_t done = 0;
    ssize_t n = 1;

    if (fd < 0) {
        if (errno != ENOENT) say(reason, path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        say(reason, path, "no regular file");
    else if (st.st_uid != geteuid() || (st.st_mode & 077))
        say(reason, path, "it belongs to somebody else, or others may read or write it");
    else if ((uint64_t)st.st_size > max_bytes)
        say(reason, path, "larger than max_size");
    else if (!(bytes = malloc((size_t)st.st_size + 1)))
        say(reason, path, "out of memory");
    while (bytes && n > 0 && done < (size_t)st.st_size) {
        n = read(fd, bytes + done, (size_t)st.st_size - done);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            done += (size_t)n;
    }
    (void)close(fd);
    *ret_length = done;
    return bytes;
}

/* Adds entries from `at`; with a NULL store they are only looked through. False when they are none.
 */
static bool file_entries(struct store *store, const char *at, const char *end)
{
    struct file_entry head;

    while (at < end) {
        if ((size_t)(end - at) < sizeof head) return false;
        memcpy(&head, at, sizeof head);
        at += sizeof head;
        if ((uint64_t)head.key_length + head.answer_length > (uint64_t)(end - at) ||
            entry_sum(&head, at, at + head.key_length) != head.sum ||
            (!store && answer_deliver(at + head.key_length, head.answer_length, NULL, NULL) < 0))
            return false;
        if (store && store_add(store, at, head.key_length, at + head.key_length, head.answer_length,
                               head.born_ms) < 0)
            return false;
        at += (size_t)head.key_length + head.answer_length;
    }
    return true;
}

void file_load(struct store *store, const char *path, const char *searcher, uint64_t max_bytes,
               char *reason)
{
    size_t length = 0;
    struct file_head head;
    const char *at, *end;
    char *bytes;

    *reason = '\0';
    bytes = file_read(path, max_bytes, &length, reason);
    if (!bytes) return;
    at = bytes + sizeof head;
    end = bytes + length;
    if (length >= sizeof head) memcpy(&head, bytes, sizeof head);
    if (length < sizeof head || memcmp(head.version, FILE_VERSION, sizeof head.version) != 0 ||
        head.order != FILE_ORDER)
        say(reason, path, "no cache of this version");
    else if (head.searcher_length > (size_t)(end - at))
        say(reason, path, "damaged");
    else if (head.searcher_length != strlen(searcher) ||
             memcmp(at, searcher, head.searcher_length) != 0)
        say(reason, path, "the cache of another searcher");
    else if (!file_entries(NULL, at + head.searcher_length, end) ||
             !file_entries(store, at + head.searcher_length, end))
        say(reason, path, "damaged");
    free(bytes);
}

/* ---- writing ---- */

static int write_all(FILE *file, const void *data, size_t length)
{
    return length == 0 || fwrite(data, 1, length, file) == length ? 0 : TROLLEY_ERR_IO;
}

static int write_entry(void *ctx, const struct store_entry *entry)
{
    struct file_entry head;
    int r;

    if (entry->key_length > UINT32_MAX || entry->answer_length > UINT32_MAX) return 0;
    memset(&head, 0, sizeof head);
    head.born_ms = entry->born_ms;
    head.key_length = (uint32_t)entry->key_length;
    head.answer_length = (uint32_t)entry->answer_length;
    head.sum = entry_sum(&head, entry->key, entry->answer);
    r = write_all(ctx, &head, sizeof head);
    if (r == 0) r = write_all(ctx, entry->key, entry->key_length);
    return r == 0 ? write_all(ctx, entry->answer, entry->answer_length) : r;
}

static int write_store(FILE *file, struct store *store, const char *searcher, int64_t now_ms)
{
    struct file_head head;
    int r;

    memset(&head, 0, sizeof head);
    memcpy(head.version, FILE_VERSION, sizeof head.version);
    head.order = FILE_ORDER;
    head.searcher_length = (uint32_t)strlen(searcher);
    r = write_all(file, &head, sizeof head);
    if (r == 0) r = write_all(file, searcher, head.searcher_length);
    if (r == 0) r = store_each(store, now_ms, write_entry, file);
    if (r == 0 && (fflush(file) != 0 || fsync(fileno(file)) < 0)) r = TROLLEY_ERR_IO;
    return r;
}

int file_save(struct store *store, const char *path, const char *searcher, int64_t now_ms,
              char *reason)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    char *temp = malloc(size);
    FILE *file = NULL;
    int fd, r = TROLLEY_ERR_IO;

    *reason = '\0';
    if (!temp) {
        say(reason, path, "out of memory");
        return TROLLEY_ERR_NOMEM;
    }
    (void)snprintf(temp, size, "%s.XXXXXX", path);
    fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
    if (fd >= 0) file = fdopen(fd, "wb");
    if (file) r = write_store(file, store, searcher, now_ms);
    if (r < 0) say(reason, path, strerror(errno));
    if (file && fclose(file) != 0 && r == 0) {
        say(reason, path, strerror(errno));
        r = TROLLEY_ERR_IO;
    }
    if (fd >= 0 && !file) (void)close(fd);
    if (r == 0 && rename(temp, path) < 0) {
        say(reason, path, strerror(errno));
        r = TROLLEY_ERR_IO;
    }
    if (fd >= 0 && r < 0) (void)unlink(temp);
    free(temp);
    return r;
}
