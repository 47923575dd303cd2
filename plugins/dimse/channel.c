/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PDU_P_DATA 4
#define PDU_A_ABORT 7
#define PDV_HEAD 12 /* bytes of a P-DATA-TF's head and its first item's [PS3.8 9.3.5] */

int64_t channel_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool task_stopped(void *ctx)
{
    struct trolley_task *task = ctx;

    return task->cancelled(task) || (task->remaining_ms && task->remaining_ms(task) == 0);
}

struct channel_guard channel_task_guard(struct trolley_task *task)
{
    return (struct channel_guard){task && task->cancelled ? task_stopped : NULL, task};
}

int channel_wait(int fd, short events, int ms, const struct channel_guard *guard)
{
    int64_t end = channel_now_ms() + ms;

    for (;;) {
        struct pollfd poller = {.fd = fd, .events = events};
        int64_t left = ms < 0 ? CHANNEL_SLICE_MS : end - channel_now_ms();
        int slice = left > CHANNEL_SLICE_MS ? CHANNEL_SLICE_MS : left < 0 ? 0 : (int)left;
        int n;

        if (guard->stopped && guard->stopped(guard->ctx)) return -1;
        n = poll(&poller, 1, slice);
        if (n > 0) return 1;
        if (n < 0 && errno != EINTR) return 1; /* the call that follows tells */
        if (ms >= 0 && channel_now_ms() >= end) return 0;
    }
}

struct channel *channel_adopt(int fd)
{
    struct channel *channel = calloc(1, sizeof *channel);
    int on = 1;

    if (!channel) {
        (void)close(fd);
        return NULL;
    }
    channel->fd = fd;
    channel->patience_ms = 60000;
    /* Small responses must not wait for the peer's acknowledgements. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return channel;
}

void channel_free(struct channel *channel)
{
    if (!channel) return;
    channel_tls_free(channel->tls);
    if (channel->fd >= 0) (void)close(channel->fd);
    free(channel);
}

static ssize_t in_trouble(struct channel *channel, enum channel_trouble trouble, int error)
{
    if (channel->trouble == CHANNEL_FINE) {
        channel->trouble = trouble;
        channel->error = error;
    }
    errno = error ? error : ECONNRESET;
    return trouble == CHANNEL_CLOSED && error == 0 ? 0 : -1;
}

void channel_stop(struct channel *channel)
{
    (void)in_trouble(channel, CHANNEL_STOPPED, ECANCELED);
}

void channel_linger(struct channel *channel, int ms)
{
    const struct channel_guard nobody = {NULL, NULL};
    int64_t end = channel_now_ms() + ms, left = ms;
    char thrown[16384];

    if (channel->trouble == CHANNEL_CLOSED || shutdown(channel->fd, SHUT_WR) < 0) return;
    while (left > 0 && channel_wait(channel->fd, POLLIN, (int)left, &nobody) == 1) {
        ssize_t n = recv(channel->fd, thrown, sizeof thrown, MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return;
        left = end - channel_now_ms();
    }
}

/* Acknowledges at once: a peer with Nagle's algorithm holds its next segment back until then. The
 * kernel forgets the wish, hence before every wait; no more often, for a call is not for nothing.
 */
static void quick_ack(const struct channel *channel)
{
    int on = 1;

    (void)setsockopt(channel->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/* Follows the PDUs in what was read. */
static void follow_pdus(struct channel *channel, const uint8_t *data, size_t length)
{
    while (length) {
        size_t take;

        if (channel->pdu_at < 6) {
            channel->pdu_head[channel->pdu_at++] = *data++;
            length--;
            if (channel->pdu_at == 6)
                channel->pdu_left = (uint32_t)channel->pdu_head[2] << 24 |
                                    (uint32_t)channel->pdu_head[3] << 16 |
                                    (uint32_t)channel->pdu_head[4] << 8 | channel->pdu_head[5];
            if (channel->pdu_at == 6 && channel->pdu_left == 0) channel->pdu_at = 0;
            continue;
        }
        take = length < channel->pdu_left ? length : channel->pdu_left;
        if (channel->pdu_head[0] == PDU_A_ABORT) {
            for (size_t i = 0; i < take && channel->pdu_at < sizeof channel->pdu_head; i++)
                channel->pdu_head[channel->pdu_at++] = data[i];
            if (channel->pdu_at == sizeof channel->pdu_head) {
                channel->aborted = true;
                channel->abort_source = channel->pdu_head[8];
                channel->abort_reason = channel->pdu_head[9];
            }
        }
        data += take;
        length -= take;
        channel->pdu_left -= (uint32_t)take;
        if (channel->pdu_left == 0) channel->pdu_at = 0;
    }
}

/* What is there: its length, 0 while nothing is, -1 in trouble. */
static ssize_t receive(struct channel *channel, void *buffer, size_t length)
{
    ssize_t n;

    do
        n = recv(channel->fd, buffer, length, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0) return n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    (void)in_trouble(channel, CHANNEL_CLOSED, n == 0 ? 0 : errno);
    return -1;
}

static ssize_t receive_ahead(struct channel *channel)
{
    ssize_t n = receive(channel, channel->ahead, sizeof channel->ahead);

    channel->ahead_at = 0;
    channel->ahead_end = n > 0 ? (size_t)n : 0;
    return n;
}

static bool has_ahead(const struct channel *channel)
{
    return channel->ahead_at < channel->ahead_end;
}

static size_t take_ahead(struct channel *channel, void *buffer, size_t length)
{
    size_t there = channel->ahead_end - channel->ahead_at;
    size_t n = length < there ? length : there;

    memcpy(buffer, channel->ahead + channel->ahead_at, n);
    channel->ahead_at += n;
    return n;
}

bool channel_readable(struct channel *channel, int ms)
{
    /* Of an end the read that follows tells; DCMTK would send nothing more behind that. */
    if (channel->trouble != CHANNEL_FINE) return ms > 0 && channel->trouble != CHANNEL_STOPPED;
    if (channel->tls ? channel_tls_pending(channel) : has_ahead(channel)) return true;
    if (channel->guard.stopped && channel->guard.stopped(channel->guard.ctx)) {
        channel_stop(channel);
        return false;
    }
    if (!channel->tls && receive_ahead(channel) != 0) return true;
    quick_ack(channel);
    switch (channel_wait(channel->fd, POLLIN, ms, &channel->guard)) {
    case 1:
        return true;
    case -1:
        channel_stop(channel);
        return false;
    default:
        return false;
    }
}

static ssize_t plain_read(struct channel *channel, void *buffer, size_t length)
{
    for (;;) {
        ssize_t n = 1;
        int waited;

        if (length >= sizeof channel->ahead && !has_ahead(channel)) {
            n = receive(channel, buffer, length);
            if (n > 0) return n;
        } else if (!has_ahead(channel)) {
            n = receive_ahead(channel);
        }
        if (n > 0) return (ssize_t)take_ahead(channel, buffer, length);
        if (n < 0) return channel->error ? -1 : 0;
        quick_ack(channel);
        waited = channel_wait(channel->fd, POLLIN, channel->patience_ms, &channel->guard);
        if (waited < 0) return in_trouble(channel, CHANNEL_STOPPED, ECANCELED);
        if (waited == 0) return in_trouble(channel, CHANNEL_STALLED, ETIMEDOUT);
    }
}

ssize_t channel_read(struct channel *channel, void *buffer, size_t length)
{
    ssize_t n;

    if (channel->trouble != CHANNEL_FINE)
        return in_trouble(channel, channel->trouble, channel->error);
    n = channel->tls ? channel_tls_read(channel, buffer, length)
                     : plain_read(channel, buffer, length);
    if (n > 0) follow_pdus(channel, buffer, (size_t)n);
    return n;
}

static ssize_t plain_write(struct channel *channel, const char *data, size_t length)
{
    /* DCMTK writes what belongs to a head at once behind it: one segment, that wakes the peer once.
     */
    int more = length == PDV_HEAD && data[0] == PDU_P_DATA ? MSG_MORE : 0;
    size_t done = 0;

    while (done < length) {
        ssize_t n =
            send(channel->fd, data + done, length - done, MSG_NOSIGNAL | MSG_DONTWAIT | more);

        if (n >= 0) {
            done += (size_t)n;
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return in_trouble(channel, CHANNEL_CLOSED, errno);
        n = channel_wait(channel->fd, POLLOUT, channel->patience_ms, &channel->guard);
        if (n < 0) return in_trouble(channel, CHANNEL_STOPPED, ECANCELED);
        if (n == 0) return in_trouble(channel, CHANNEL_STALLED, ETIMEDOUT);
    }
    return (ssize_t)length;
}

ssize_t channel_write(struct channel *channel, const void *buffer, size_t length)
{
    /* After a cancellation C-CANCEL and A-ABORT still go out, as far as there is room for them. */
    if (channel->trouble == CHANNEL_STOPPED || channel->trouble == CHANNEL_STALLED)
        return channel->tls ? channel_tls_write(channel, buffer, length)
                            : send(channel->fd, buffer, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (channel->trouble != CHANNEL_FINE) return -1;
    return channel->tls ? channel_tls_write(channel, buffer, length)
                        : plain_write(channel, buffer, length);
}

void channel_local_address(const struct channel *channel, char *ret_text, size_t size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    ret_text[0] = '\0';
    if (getsockname(channel->fd, (struct sockaddr *)&address, &length) < 0) return;
    if (address.ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, ret_text,
                        (socklen_t)size);
    else
        (void)inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&address)->sin6_addr, ret_text,
                        (socklen_t)size);
}
