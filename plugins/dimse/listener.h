/*
 * listener.h: the storage SCP that C-MOVE sends to [PS3.4 C.4.2, B.2.3]: one listening socket a
 * section, a thread an association.
 * SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_LISTENER_H
#define DIMSE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <trolley/host.h>

#include "channel.h"
#include "moves.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LISTENER_ASSOCIATIONS 64 /* most at once; further ones wait to be accepted */

struct listener_settings {
    struct dimse_settings common; /* calling_ae, acse_ms, dimse_ms, max_pdu, and the log */
    const char *ae_title;         /* what callers must call us */
    const char *address;          /* to listen on; NULL for all */
    uint16_t port;                /* 0 for any free one */
    bool tls;                     /* callers speak TLS, with these */
    struct channel_tls_files files;
};

struct listener;

/*
 * Binds and listens.
 * @param settings  its texts are borrowed for the listener's life
 * @param ret_listener  free with listener_stop
 * Errors, said to the task: INVALID_CONFIG (address, certificates), NETWORK (port taken), NOMEM.
 */
int listener_start(const struct listener_settings *settings, struct trolley_task *task,
                   struct listener **ret_listener);
/* Ends all associations. NULL is a no-op. */
void listener_stop(struct listener *listener);
uint16_t listener_port(const struct listener *listener);

/* The C-MOVEs that it receives for. */
struct moves *listener_moves(struct listener *listener);

/* ---- one association, listener_dcmtk.cc ---- */

/* Serves an association until it ends. Frees the channel.
 * @param tls  NULL for plain TCP */
void listener_serve(struct listener *listener, const struct listener_settings *settings,
                    struct channel_tls_server *tls, struct channel *channel);
bool listener_stopping(const struct listener *listener);

#ifdef __cplusplus
}
#endif
#endif
