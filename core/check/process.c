/* SPDX-License-Identifier: MIT */
#include "core/check/process.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* AddressSanitizer's allocator stands in for the C library's, and counts for itself. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* Entries of a folder of /proc, the two dots aside. */
static unsigned process_count(const char *path)
{
    DIR *stream = opendir(path);
    unsigned count = 0;

    while (stream && readdir(stream))
        count++;
    if (stream) closedir(stream);
    return count > 2 ? count - 2 : 0;
}

void process_look(struct process_state *ret_state)
{
    ret_state->heap = __sanitizer_get_current_allocated_bytes
                          ? __sanitizer_get_current_allocated_bytes()
                          : mallinfo2().uordblks;
    ret_state->threads = process_count("/proc/self/task");
    ret_state->files = process_count("/proc/self/fd");
}

void process_settle(struct process_state *ret_state, unsigned threads)
{
    int rounds = 100;

    do
        process_look(ret_state);
    while (ret_state->threads > threads && rounds-- > 0 && poll(NULL, 0, 10) == 0);
}

/* FNV-1a. */
uint64_t process_digest(uint64_t digest, const void *data, size_t length)
{
    const unsigned char *byte = data;

    if (!digest) digest = UINT64_C(0xcbf29ce484222325);
    while (byte && length-- > 0)
        digest = (digest ^ *byte++) * UINT64_C(0x100000001b3);
    return digest;
}

/* A socket bound to a port of the system's choice. */
static int process_bound(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) return -1;
    if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        close(fd);
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

uint16_t process_free_port(void)
{
    uint16_t port = 0;
    int fd = process_bound(&port);

    if (fd >= 0) close(fd);
    return port;
}

int process_silent_server(uint16_t *ret_port)
{
    int fd = process_bound(ret_port);

    if (fd < 0 || listen(fd, 16) == 0) return fd;
    close(fd);
    return -1;
}

void *pages_put(struct pages *pages, const void *data, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t room = (size + page - 1) / page * page;
    char *start, *at;

    if (pages->count == PAGES_MAX) return NULL;
    start = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    if (pages->guard) (void)mprotect(start + room, page, PROT_NONE);
    at = start + room - size;
    if (size) memcpy(at, data, size);
    pages->items[pages->count].start = start;
    pages->items[pages->count++].size = room;
    return at;
}

char *pages_text(struct pages *pages, const char *text)
{
    return text ? pages_put(pages, text, strlen(text) + 1) : NULL;
}

void pages_close(struct pages *pages)
{
    unsigned i;

    for (i = 0; i < pages->count; i++)
        if (pages->items[i].size)
            (void)mprotect(pages->items[i].start, pages->items[i].size, PROT_NONE);
}

void pages_free(struct pages *pages)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    while (pages->count > 0) {
        pages->count--;
        (void)munmap(pages->items[pages->count].start, pages->items[pages->count].size + page);
    }
}
