/*
 * channel.h: the TCP connection below an association, plain or TLS: made, read and written with
 * limits of its own, and given up soon after somebody wishes so. SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_CHANNEL_H
#define DIMSE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Asked every CHANNEL_SLICE_MS while a channel waits: true ends the wait. */
struct channel_guard {
    bool (*stopped)(void *ctx);
    void *ctx;
};
#define CHANNEL_SLICE_MS 100
#define CLOSING_MS 200 /* longest wait for the peer's end of an association given up */

enum channel_trouble {
    CHANNEL_FINE,
    CHANNEL_STOPPED, /* the guard wished so */
    CHANNEL_STALLED, /* nothing moved within the limit */
    CHANNEL_CLOSED,  /* the peer closed, or the connection broke: channel->error */
    CHANNEL_INSECURE /* TLS failed: channel->problem */
};

struct channel_tls;

/* Read ahead behind the head of a PDU: small ones come with one call, large ones are hardly copied.
 */
#define CHANNEL_AHEAD 512

struct channel {
    int fd;
    int patience_ms; /* longest wait for the next byte, or for room to send */
    struct channel_guard guard;
    enum channel_trouble trouble; /* the first that happened */
    int error;                    /* errno of CHANNEL_CLOSED, 0 for an orderly end */
    char problem[256];            /* of CHANNEL_INSECURE */
    struct channel_tls *tls;      /* NULL for plain TCP */
    uint8_t ahead[CHANNEL_AHEAD]; /* of plain TCP */
    size_t ahead_at, ahead_end;
    /* The PDUs that come in are followed just as far as it takes to see an A-ABORT [PS3.8 9.3.8],
     * whose source and reason DCMTK does not tell. */
    uint8_t pdu_head[10];
    uint32_t pdu_at, pdu_left;
    bool aborted;
    uint8_t abort_source, abort_reason;
};

/* A guard that a task's cancellation and deadline stop. */
struct channel_guard channel_task_guard(struct trolley_task *task);

/*
 * Connects to the PACS, each address of its name in turn, within connect_ms; TLS included.
 * @param ret_channel  free with channel_free
 * Errors: NETWORK, TIMEOUT, CANCELLED, AUTH (certificates), IO, NOMEM; said to the task.
 */
int channel_connect(const struct dimse_settings *settings, struct trolley_task *task,
                    struct channel **ret_channel);

/* Takes over a connected socket. NULL without memory; the socket is closed then. */
struct channel *channel_adopt(int fd);
void channel_free(struct channel *channel);

/* As read(2) and write(2) of a blocking socket: all of `length` is written; read returns what is
 * there. -1 or 0 after trouble. */
ssize_t channel_read(struct channel *channel, void *buffer, size_t length);
ssize_t channel_write(struct channel *channel, const void *buffer, size_t length);

/* Ends it from within: what reads or writes next finds CHANNEL_STOPPED. */
void channel_stop(struct channel *channel);

/* After the last word: nothing more is sent, and what comes is thrown away until the peer closes,
 * at most for `ms`. Else what it has not read of ours may be lost to it with the reset that follows
 * a close before everything was read. */
void channel_linger(struct channel *channel, int ms);

/* Is there something to read (or an end to see) within `ms`? */
bool channel_readable(struct channel *channel, int ms);

/* Waits for `events` of poll(2) on any descriptor: 1, 0 when the time is over, -1 when stopped. A
 * negative `ms` never ends by itself. */
int channel_wait(int fd, short events, int ms, const struct channel_guard *guard);

/* Milliseconds of a clock that only goes forward. */
int64_t channel_now_ms(void);

/* "10.0.0.1" and so on: this side's address, for advice. */
void channel_local_address(const struct channel *channel, char *ret_text, size_t size);

/* ---- channel_tls.c ---- */

/* PEM files; NULL for none. */
struct channel_tls_files {
    const char *ca;   /* trusted certificates */
    const char *cert; /* our certificate, with those up to its root */
    const char *key;  /* its private key; NULL: in cert */
};

/* Makes the connected channel speak TLS. Errors: AUTH, NETWORK, TIMEOUT, CANCELLED, INVALID_CONFIG,
 * NOMEM; said to the task. */
int channel_tls_start(struct channel *channel, const struct dimse_settings *settings,
                      struct trolley_task *task);
ssize_t channel_tls_read(struct channel *channel, void *buffer, size_t length);
ssize_t channel_tls_write(struct channel *channel, const void *buffer, size_t length);
bool channel_tls_pending(const struct channel *channel);
void channel_tls_free(struct channel_tls *tls);

/* What a listening side needs for its callers. With `ca`, each must show a certificate of its. Free
 * with channel_tls_server_free. Errors: INVALID_CONFIG, said to the task; NOMEM. */
struct channel_tls_server;
int channel_tls_server_new(const struct channel_tls_files *files, struct trolley_task *task,
                           struct channel_tls_server **ret_server);
void channel_tls_server_free(struct channel_tls_server *server);
/* The handshake with a caller. False after trouble, which the channel tells. [any] */
bool channel_tls_accept(struct channel *channel, struct channel_tls_server *server);

#ifdef __cplusplus
}
#endif
#endif
