/* socket_recorder.c: preloaded, it writes down to $SOCKET_RECORD which TCP sockets are connected,
 * accepted and closed, their options, their traffic, and when it is waited for something to read: a
 * letter, the descriptor, a number. A test reads it.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int next_close(int fd)
{
    int (*next)(int) = dlsym(RTLD_NEXT, "close");

    return next(fd);
}

/* One line, whole: O_APPEND and a single write. */
static void record(char kind, int fd, int number)
{
    const char *path = getenv("SOCKET_RECORD");
    char line[64];
    int length = snprintf(line, sizeof line, "%c %d %d\n", kind, fd, number);
    int out = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (out < 0) return;
    if (write(out, line, (size_t)length) != length) abort();
    (void)next_close(out);
}

/* The port of an address of IPv4 or IPv6, else 0. */
static int port_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return 0;
}

static int local_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return 0;
    return port_of((struct sockaddr *)&address);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");

    if (port_of(address)) record('c', fd, port_of(address));
    return next(fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    int (*next)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    int made = next(fd, address, length, flags);

    if (made >= 0) record('a', made, local_port(made));
    return made;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    int (*next)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
    int r = next(fd, level, name, value, length), on = length == sizeof on && *(const int *)value;

    if (r == 0 && level == IPPROTO_TCP && name == TCP_NODELAY) record('n', fd, on);
    if (r == 0 && level == IPPROTO_TCP && name == TCP_QUICKACK) record('q', fd, on);
    return r;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    ssize_t (*next)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
    ssize_t n = next(fd, data, size, flags);

    record('s', fd, (int)n);
    return n;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    ssize_t (*next)(int, void *, size_t, int) = dlsym(RTLD_NEXT, "recv");
    ssize_t n = next(fd, data, size, flags);

    record('r', fd, (int)n);
    return n;
}

int poll(struct pollfd *fds, nfds_t count, int ms)
{
    int (*next)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

    for (nfds_t i = 0; i < count; i++)
        if (fds[i].events & POLLIN) record('p', fds[i].fd, 1);
    return next(fds, count, ms);
}

int close(int fd)
{
    record('x', fd, 1);
    return next_close(fd);
}
