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
#include <time.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "channel.h"

struct move {
    struct listener *listener;
    struct move *next;
    uint16_t id;
    const struct trolley_ref *refs;
    size_t count;
    const struct trolley_dataset_sink *sink;
    struct trolley_task *task;
    struct move_progress progress; /* last_ms apart, which stores set without the lock */
    atomic_int_least64_t last_ms;
    atomic_bool closing;
};

struct listener {
    struct listener_settings settings;
    int fd, wake;
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct move *moves;
    uint16_t next_id;
    unsigned associations;
    bool no_originator; /* a store came that named none, and could not be told apart */
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
    struct listener *listener;
    int fd;
};

static void *serve(void *ctx)
{
    struct caller caller = *(struct caller *)ctx;
    struct listener *listener = caller.listener;
    struct channel *channel = channel_adopt(caller.fd);

    free(ctx);
    if (channel) listener_serve(listener, &listener->settings, channel);
    (void)pthread_mutex_lock(&listener->lock);
    listener->associations--;
    (void)pthread_cond_broadcast(&listener->changed);
    (void)pthread_mutex_unlock(&listener->lock);
    return NULL;
}

static void start_serving(struct listener *listener, int fd)
{
    struct caller *caller = malloc(sizeof *caller);
    pthread_attr_t attributes;
    pthread_t thread;
    int failed = ENOMEM;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_mutex_lock(&listener->lock);
    listener->associations++;
    (void)pthread_mutex_unlock(&listener->lock);
    if (caller) {
        *caller = (struct caller){listener, fd};
        failed = pthread_create(&thread, &attributes, serve, caller);
    }
    (void)pthread_attr_destroy(&attributes);
    if (!failed) return;
    free(caller);
    (void)close(fd);
    (void)pthread_mutex_lock(&listener->lock);
    listener->associations--;
    (void)pthread_mutex_unlock(&listener->lock);
}

static bool full(struct listener *listener)
{
    bool is_full;

    (void)pthread_mutex_lock(&listener->lock);
    is_full = listener->associations >= LISTENER_ASSOCIATIONS;
    (void)pthread_mutex_unlock(&listener->lock);
    return is_full;
}

static void *accept_all(void *ctx)
{
    struct listener *listener = ctx;

    while (!atomic_load(&listener->stopping)) {
        struct pollfd polled[2] = {{.fd = listener->wake, .events = POLLIN},
                                   {.fd = listener->fd, .events = POLLIN}};
        bool wait = full(listener);
        int fd;

        if (poll(polled, wait ? 1 : 2, wait ? CHANNEL_SLICE_MS : -1) <= 0 || wait) continue;
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_serving(listener, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            (void)poll(polled, 1, CHANNEL_SLICE_MS);
    }
    return NULL;
}

int listener_start(const struct listener_settings *settings, struct trolley_task *task,
                   struct listener **ret_listener)
{
    struct listener *listener = calloc(1, sizeof *listener);
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    sigset_t all, before;
    int r;

    if (!listener) return TROLLEY_ERR_NOMEM;
    listener->settings = *settings;
    listener->next_id = 1;
    atomic_init(&listener->stopping, false);
    r = open_socket(settings, task, &listener->fd);
    if (r < 0) {
        free(listener);
        return r;
    }
    (void)getsockname(listener->fd, (struct sockaddr *)&address, &length);
    listener->port =
        ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                           : ((struct sockaddr_in6 *)&address)->sin6_port);
    (void)pthread_mutex_init(&listener->lock, NULL);
    (void)pthread_cond_init(&listener->changed, NULL);
    listener->wake = eventfd(0, EFD_CLOEXEC);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's, not ours */
    r = listener->wake < 0 || pthread_create(&listener->acceptor, NULL, accept_all, listener) != 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r) {
        (void)close(listener->fd);
        if (listener->wake >= 0) (void)close(listener->wake);
        free(listener);
        return TROLLEY_ERR_NOMEM;
    }
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
    (void)pthread_mutex_lock(&listener->lock);
    while (listener->associations)
        (void)pthread_cond_wait(&listener->changed, &listener->lock);
    (void)pthread_mutex_unlock(&listener->lock);
    (void)close(listener->fd);
    (void)close(listener->wake);
    (void)pthread_cond_destroy(&listener->changed);
    (void)pthread_mutex_destroy(&listener->lock);
    free(listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

bool listener_stopping(const struct listener *listener)
{
    return atomic_load(&listener->stopping);
}

/* ---- the C-MOVE's side ---- */

/* Waits for a change at most a slice. Lock held. */
static void wait_slice(struct listener *listener)
{
    struct timespec end;

    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += CHANNEL_SLICE_MS * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_nsec -= 1000000000L;
        end.tv_sec++;
    }
    (void)pthread_cond_timedwait(&listener->changed, &listener->lock, &end);
}

int listener_expect(struct listener *listener, const struct trolley_ref *refs, size_t count,
                    const struct trolley_dataset_sink *sink, struct trolley_task *task,
                    struct move **ret_move, uint16_t *ret_message_id)
{
    struct move *move = calloc(1, sizeof *move);

    if (!move) return TROLLEY_ERR_NOMEM;
    move->listener = listener;
    move->refs = refs;
    move->count = count;
    move->sink = sink;
    move->task = task;
    atomic_init(&move->closing, false);
    (void)pthread_mutex_lock(&listener->lock);
    while (listener->no_originator && listener->moves && !task->cancelled(task))
        wait_slice(listener);
    move->id = listener->next_id++;
    if (listener->next_id == 0) listener->next_id = 1;
    move->next = listener->moves;
    listener->moves = move;
    atomic_init(&move->last_ms, channel_now_ms());
    (void)pthread_mutex_unlock(&listener->lock);
    *ret_message_id = move->id;
    *ret_move = move;
    return 0;
}

void listener_progress(struct move *move, struct move_progress *ret_progress)
{
    (void)pthread_mutex_lock(&move->listener->lock);
    *ret_progress = move->progress;
    (void)pthread_mutex_unlock(&move->listener->lock);
    ret_progress->last_ms = atomic_load(&move->last_ms);
}

void listener_wait(struct move *move, uint64_t expected, int quiet_ms)
{
    struct listener *listener = move->listener;
    int64_t begun = channel_now_ms();

    (void)pthread_mutex_lock(&listener->lock);
    while (move->progress.open || move->progress.stored < expected) {
        int64_t last = atomic_load(&move->last_ms);

        if (last < begun) last = begun;
        if (channel_now_ms() - last > quiet_ms || move->task->cancelled(move->task)) break;
        wait_slice(listener);
    }
    (void)pthread_mutex_unlock(&listener->lock);
}

void listener_forget(struct move *move)
{
    struct listener *listener = move->listener;
    struct move **at = &listener->moves;

    atomic_store(&move->closing, true);
    (void)pthread_mutex_lock(&listener->lock);
    while (*at != move)
        at = &(*at)->next;
    *at = move->next;
    while (move->progress.open)
        (void)pthread_cond_wait(&listener->changed, &listener->lock);
    (void)pthread_cond_broadcast(&listener->changed);
    (void)pthread_mutex_unlock(&listener->lock);
    free(move);
}

/* ---- the associations' side ---- */

static bool asks_for(const struct move *move, const char *instance)
{
    size_t i;

    for (i = 0; i < move->count; i++)
        if (move->refs[i].instance && strcmp(move->refs[i].instance, instance) == 0) return true;
    return false;
}

/* By the originator where the store names one [PS3.4 C.4.2.2.1.4, optional there], else by the
 * instance, else the only C-MOVE that runs. Lock held. */
static struct move *find_move(struct listener *listener, const struct store_origin *origin)
{
    struct move *move;

    if (origin->has_id &&
        (!origin->ae_title || strcmp(origin->ae_title, listener->settings.calling_ae) == 0)) {
        for (move = listener->moves; move; move = move->next)
            if (move->id == origin->id) return move;
        return NULL;
    }
    for (move = listener->moves; move; move = move->next)
        if (asks_for(move, origin->instance)) return move;
    if (listener->moves && listener->moves->next) {
        listener->no_originator = true;
        return NULL;
    }
    move = listener->moves;
    return move && move->refs[0].level != TROLLEY_LEVEL_INSTANCE ? move : NULL;
}

struct move *listener_claim(struct listener *listener, const struct store_origin *origin)
{
    struct move *move;

    (void)pthread_mutex_lock(&listener->lock);
    move = find_move(listener, origin);
    if (move) move->progress.open++;
    (void)pthread_mutex_unlock(&listener->lock);
    if (move) move_alive(move);
    return move;
}

void listener_release(struct move *move, int32_t status)
{
    struct listener *listener = move->listener;

    move_alive(move);
    (void)pthread_mutex_lock(&listener->lock);
    move->progress.open--;
    if (status == 0)
        move->progress.stored++;
    else
        move->progress.refused++;
    if (status < 0 && trolley_status_flags(status) & TROLLEY_FAILURE_STOP_ALL)
        move->progress.stop = status;
    (void)pthread_cond_broadcast(&listener->changed);
    (void)pthread_mutex_unlock(&listener->lock);
}

const struct trolley_dataset_sink *move_sink(const struct move *move)
{
    return move->sink;
}

struct trolley_task *move_task(const struct move *move)
{
    return move->task;
}

const char *move_study(const struct move *move)
{
    return move->refs[0].study;
}

void move_alive(struct move *move)
{
    atomic_store(&move->last_ms, channel_now_ms());
}

bool move_over(struct move *move)
{
    return atomic_load(&move->closing) || move->task->cancelled(move->task);
}
