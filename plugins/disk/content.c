/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)

static int open_regular(struct content_file file, struct stat *st)
{
    int fd = openat(file.dir, file.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) return fd;
    (void)close(fd);
    errno = ELOOP;
    return -1;
}

/* Fills `data` as far as the file reaches. */
static ssize_t read_piece(int fd, void *data)
{
    size_t done = 0;

    while (done < PIECE) {
        ssize_t n = read(fd, (char *)data + done, PIECE - done);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* Compares what two descriptors still have. `space` holds two pieces. */
static int same_bytes(int a, int b, char *space, bool *ret_same)
{
    ssize_t n, m;

    do {
        n = read_piece(a, space);
        m = read_piece(b, space + PIECE);
        if (n < 0 || m < 0) return -1;
        if (n != m || memcmp(space, space + PIECE, (size_t)n) != 0) {
            *ret_same = false;
            return 0;
        }
    } while ((size_t)n == PIECE);
    *ret_same = true;
    return 0;
}

int content_same(struct content_file a, struct content_file b, bool *ret_same)
{
    struct stat sa, sb;
    char *space = NULL;
    int fa = open_regular(a, &sa), fb = -1, r = -1, error;

    if (fa >= 0) fb = open_regular(b, &sb);
    if (fb < 0) goto out;
    if (sa.st_size != sb.st_size) {
        *ret_same = false;
        r = 0;
        goto out;
    }
    space = malloc(2 * PIECE);
    if (space) r = same_bytes(fa, fb, space, ret_same);
out:
    error = errno;
    free(space);
    if (fa >= 0) (void)close(fa);
    if (fb >= 0) (void)close(fb);
    errno = error;
    return r;
}

/* Feeds a whole file to the digest. */
static int digest_file(int fd, struct kit_digest *digest, void *space)
{
    ssize_t n;

    do {
        n = read_piece(fd, space);
        if (n < 0) return -1;
        kit_digest_update(digest, space, (size_t)n);
    } while ((size_t)n == PIECE);
    return 0;
}

int content_sha256(struct content_file file, char hex[KIT_DIGEST_HEX_SIZE])
{
    struct stat st;
    struct kit_digest *digest = kit_digest_new();
    void *space = malloc(PIECE);
    int fd = open_regular(file, &st), r = -1, error;

    if (fd < 0) goto out;
    errno = ENOMEM;
    if (!digest || !space) goto out;
    if (digest_file(fd, digest, space) < 0) goto out;
    (void)kit_digest_hex(digest, hex);
    r = 0;
out:
    error = errno;
    kit_digest_free(digest);
    free(space);
    if (fd >= 0) (void)close(fd);
    errno = error;
    return r;
}
