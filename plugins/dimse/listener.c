/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "log.h"

struct listener {
    struct listener_settings settings;
    int fd, wake;
    uint16_t port;
    pthread_t acceptor;
    struct channel_tls_server *tls; /* NULL for plain TCP */
    struct moves moves;
    struct caller *callers; /* the acceptor's, like the next; without one, listener_stop's */
    unsigned associations;
    atomic_bool stopping;
};

/* ---- listening ---- */

static int bind_one(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, off = 0, error;

    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, LISTENER_ASSOCIATIONS) == 0)
        return fd;
    error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int open_socket(const struct listener_settings *settings, struct trolley_task *task,
                       int *ret_fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses = NULL;
    char port[8];
    int result, fd = -1;

    (void)snprintf(port, sizeof port, "%u", settings->port);
    if (!settings->address) hints.ai_family = AF_INET6; /* takes IPv4 too */
    result = getaddrinfo(settings->address, port, &hints, &addresses);
    if (result == 0) fd = bind_one(addresses);
    if (result == 0) freeaddrinfo(addresses);
    if (fd < 0 && !settings->address) {
        hints.ai_family = AF_INET;
        result = getaddrinfo(NULL, port, &hints, &addresses);
        if (result == 0) fd = bind_one(addresses);
        if (result == 0) freeaddrinfo(addresses);
    }
    if (result != 0)
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "listen_address %s: %s",
                            settings->address, gai_strerror(result));
    if (fd < 0)
        return trolley_fail(task, TROLLEY_ERR_NETWORK, "cannot listen on port %u for C-MOVE: %s",
                            settings->port, strerror(errno));
    *ret_fd = fd;
    return 0;
}

/* ---- associations ---- */

struct caller {
    struct caller *next;
    struct listener *listener;
    pthread_t thread;
    int fd;
    atomic_bool over;
};

static void *serve(void *ctx)
{
    struct caller *caller = ctx;
    struct listener *listener = caller->listener;
    struct channel *channel = channel_adopt(caller->fd);

    if (channel) listener_serve(listener, &listener->settings, listener->tls, channel);
    atomic_store(&caller->over, true);
    return NULL;
}

static void start_serving(struct listener *listener, int fd)
{
    struct caller *caller = malloc(sizeof *caller);

    if (caller) {
        caller->next = listener->callers;
        caller->listener = listener;
        caller->fd = fd;
        atomic_init(&caller->over, false);
        if (pthread_create(&caller->thread, NULL, serve, caller) == 0) {
            listener->callers = caller;
            listener->associations++;
            return;
        }
    }
    free(caller);
    (void)close(fd);
}

/* Joins the threads whose association is over, or each of them once it is: what the libraries keep
 * for a thread is gone before they are. */
static void reap(struct listener *listener, bool all)
{
    struct caller **at = &listener->callers, *caller;

    while ((caller = *at)) {
        if (!all && !atomic_load(&caller->over)) {
            at = &caller->next;
            continue;
        }
        (void)pthread_join(caller->thread, NULL);
        *at = caller->next;
        free(caller);
        listener->associations--;
    }
}

static void *accept_all(void *ctx)
{
    struct listener *listener = ctx;

    while (!atomic_load(&listener->stopping)) {
        struct pollfd polled[2] = {{.fd = listener->wake, .events = POLLIN},
                                   {.fd = listener->fd, .events = POLLIN}};
        bool wait;
        int fd;

        reap(listener, false);
        wait = listener->associations >= LISTENER_ASSOCIATIONS;
        if (poll(polled, wait ? 1 : 2, wait ? CHANNEL_SLICE_MS : -1) <= 0 || wait) continue;
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            start_serving(listener, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            (void)poll(polled, 1, CHANNEL_SLICE_MS);
    }
    return NULL;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return 0;
    return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                              : ((struct sockaddr_in6 *)&address)->sin6_port);
}

static int start_accepting(struct listener *listener)
{
    sigset_t all, before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's, not ours */
    failed = pthread_create(&listener->acceptor, NULL, accept_all, listener);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? TROLLEY_ERR_NOMEM : 0;
}

static void listener_free(struct listener *listener)
{
    if (listener->fd >= 0) (void)close(listener->fd);
    if (listener->wake >= 0) (void)close(listener->wake);
    channel_tls_server_free(listener->tls);
    moves_clear(&listener->moves);
    free(listener);
}

int listener_start(const struct listener_settings *settings, struct trolley_task *task,
                   struct listener **ret_listener)
{
    struct listener *listener = calloc(1, sizeof *listener);
    int r = 0;

    if (!listener) return TROLLEY_ERR_NOMEM;
    listener->settings = *settings;
    listener->fd = -1;
    moves_init(&listener->moves, settings->common.calling_ae);
    atomic_init(&listener->stopping, false);
    listener->wake = eventfd(0, EFD_CLOEXEC);
    if (listener->wake < 0) r = TROLLEY_ERR_NOMEM;
    if (r == 0 && settings->tls) r = channel_tls_server_new(&settings->files, task, &listener->tls);
    if (r == 0) r = open_socket(settings, task, &listener->fd);
    if (r == 0) listener->port = port_of(listener->fd);
    if (r == 0) r = start_accepting(listener);
    if (r < 0) {
        listener_free(listener);
        return r;
    }
    dimse_log(&settings->common, "listening as %s on port %u%s", settings->ae_title, listener->port,
              settings->tls ? " with TLS" : "");
    *ret_listener = listener;
    return 0;
}

void listener_stop(struct listener *listener)
{
    uint64_t one = 1;

    if (!listener) return;
    atomic_store(&listener->stopping, true);
    if (write(listener->wake, &one, sizeof one) < 0) return;
    (void)pthread_join(listener->acceptor, NULL);
    reap(listener, true);
    listener_free(listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

struct moves *listener_moves(struct listener *listener)
{
    return &listener->moves;
}

bool listener_stopping(const struct listener *listener)
{
    return atomic_load(&listener->stopping);
}
