/* Finding the PACS' addresses and connecting to one. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "channel.h"

/* A look-up in a thread of its own, since getaddrinfo cannot be called off. Whoever of the two is
 * last frees it. */
struct lookup {
    pthread_t thread;
    pthread_mutex_t lock;
    bool abandoned, done;
    int ready; /* eventfd */
    int result;
    struct addrinfo *addresses;
    char *host, port[8];
};

static void lookup_free(struct lookup *lookup)
{
    if (!lookup) return;
    if (lookup->addresses) freeaddrinfo(lookup->addresses);
    if (lookup->ready >= 0) (void)close(lookup->ready);
    (void)pthread_mutex_destroy(&lookup->lock);
    free(lookup->host);
    free(lookup);
}

static void *lookup_run(void *ctx)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct lookup *lookup = ctx;
    struct addrinfo *addresses = NULL;
    int result = getaddrinfo(lookup->host, lookup->port, &hints, &addresses);
    uint64_t one = 1;
    bool abandoned;

    (void)pthread_mutex_lock(&lookup->lock);
    lookup->result = result;
    lookup->addresses = addresses;
    lookup->done = true;
    abandoned = lookup->abandoned;
    if (!abandoned && write(lookup->ready, &one, sizeof one) < 0) lookup->result = EAI_SYSTEM;
    (void)pthread_mutex_unlock(&lookup->lock);
    if (abandoned) lookup_free(lookup);
    return NULL;
}

static int lookup_start(const struct dimse_settings *settings, struct lookup **ret_lookup)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    sigset_t all, before;
    int failed;

    if (!lookup) return TROLLEY_ERR_NOMEM;
    (void)pthread_mutex_init(&lookup->lock, NULL);
    lookup->ready = eventfd(0, EFD_CLOEXEC);
    lookup->host = strdup(settings->host);
    (void)snprintf(lookup->port, sizeof lookup->port, "%u", settings->port);
    if (lookup->ready < 0 || !lookup->host) {
        lookup_free(lookup);
        return TROLLEY_ERR_NOMEM;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&lookup->thread, NULL, lookup_run, lookup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        lookup_free(lookup);
        return TROLLEY_ERR_NOMEM;
    }
    *ret_lookup = lookup;
    return 0;
}

/* What a look-up that is ready came to; all of it is there for this thread then. */
static int lookup_result(struct lookup *lookup)
{
    int result;

    (void)pthread_mutex_lock(&lookup->lock);
    result = lookup->result;
    (void)pthread_mutex_unlock(&lookup->lock);
    return result;
}

/* Frees the look-up, now or when its thread has ended: one that still looks is left alone. */
static void lookup_leave(struct lookup *lookup)
{
    const pthread_t thread = lookup->thread;
    bool done;

    (void)pthread_mutex_lock(&lookup->lock);
    lookup->abandoned = true;
    done = lookup->done;
    (void)pthread_mutex_unlock(&lookup->lock);
    if (!done) {
        (void)pthread_detach(thread);
        return;
    }
    (void)pthread_join(thread, NULL);
    lookup_free(lookup);
}

static int left_ms(int64_t end)
{
    int64_t left = end - channel_now_ms();

    return left > 0 ? (int)left : 0;
}

/* Connects to one address: its socket, -1 with errno (ETIMEDOUT, ECANCELED). */
static int connect_one(const struct addrinfo *address, int ms, const struct channel_guard *guard)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0, waited;
    socklen_t size = sizeof error;

    if (fd < 0) return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) error = errno;
    if (error == EINPROGRESS) {
        waited = channel_wait(fd, POLLOUT, ms, guard);
        if (waited < 0)
            error = ECANCELED;
        else if (waited == 0)
            error = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
            error = errno;
    }
    if (error == 0) return fd;
    (void)close(fd);
    errno = error;
    return -1;
}

static int connect_any(const struct addrinfo *addresses, int64_t end,
                       const struct channel_guard *guard)
{
    int fd = -1;

    for (const struct addrinfo *at = addresses; at && fd < 0; at = at->ai_next) {
        int ms = left_ms(end);

        /* One address that swallows everything must not take the time of all. */
        fd = connect_one(at, at->ai_next ? ms / 2 : ms, guard);
        if (fd < 0 && errno == ECANCELED) break;
    }
    return fd;
}

static int resolve(const struct dimse_settings *settings, int64_t end,
                   const struct channel_guard *guard, struct trolley_task *task,
                   struct lookup **ret_lookup)
{
    struct lookup *lookup = NULL;
    int r = lookup_start(settings, &lookup), waited, result;

    if (r < 0) return trolley_fail(task, r, "cannot look up %s", settings->host);
    waited = channel_wait(lookup->ready, POLLIN, left_ms(end), guard);
    result = waited == 1 ? lookup_result(lookup) : 0;
    if (waited == 1 && result == 0) {
        *ret_lookup = lookup;
        return 0;
    }
    if (waited < 0)
        r = TROLLEY_ERR_CANCELLED;
    else if (waited == 0)
        r = trolley_fail(task, TROLLEY_ERR_TIMEOUT,
                         "looking up %s took over %d ms (connect_timeout)", settings->host,
                         settings->connect_ms);
    else
        r = trolley_fail(task, TROLLEY_ERR_NETWORK, "host %s: %s", settings->host,
                         gai_strerror(result));
    lookup_leave(lookup);
    return r;
}

static int connect_failed(const struct dimse_settings *settings, struct trolley_task *task)
{
    int error = errno;

    if (error == ECANCELED) return TROLLEY_ERR_CANCELLED;
    return trolley_fail(task, error == ETIMEDOUT ? TROLLEY_ERR_TIMEOUT : TROLLEY_ERR_NETWORK,
                        "cannot connect to %s port %u: %s", settings->host, settings->port,
                        strerror(error));
}

int channel_connect(const struct dimse_settings *settings, struct trolley_task *task,
                    struct channel **ret_channel)
{
    struct channel_guard guard = channel_task_guard(task);
    int64_t end = channel_now_ms() + settings->connect_ms;
    struct channel *channel;
    struct lookup *lookup = NULL;
    int fd, r;

    r = resolve(settings, end, &guard, task, &lookup);
    if (r < 0) return r;
    fd = connect_any(lookup->addresses, end, &guard);
    if (fd < 0) r = connect_failed(settings, task);
    lookup_leave(lookup);
    if (r < 0) return r;
    channel = channel_adopt(fd);
    if (!channel) return TROLLEY_ERR_NOMEM;
    channel->guard = guard;
    channel->patience_ms = settings->acse_ms;
    if (settings->tls) r = channel_tls_start(channel, settings, task);
    if (r < 0) {
        channel_free(channel);
        return r;
    }
    *ret_channel = channel;
    return 0;
}
