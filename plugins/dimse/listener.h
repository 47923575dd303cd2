/*
 * listener.h: the storage SCP that C-MOVE sends to [PS3.4 C.4.2, B.2.3]: one listening socket a
 * section, a thread an association. Stores are tied to the C-MOVE that caused them.
 * SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_LISTENER_H
#define DIMSE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <trolley/downloader.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LISTENER_ASSOCIATIONS 64 /* most at once; further ones wait to be accepted */

struct listener_settings {
    const char *ae_title;   /* what callers must call us */
    const char *calling_ae; /* what our C-MOVEs call ourselves: the originator's title in stores */
    const char *address;    /* to listen on; NULL for all */
    uint16_t port;          /* 0 for any free one */
    int acse_ms, dimse_ms;
    uint32_t max_pdu;
};

struct listener;
struct move;

/*
 * Binds and listens.
 * @param settings  its texts are borrowed for the listener's life
 * @param ret_listener  free with listener_stop
 * Errors, said to the task: INVALID_CONFIG (address), NETWORK (port taken), NOMEM.
 */
int listener_start(const struct listener_settings *settings, struct trolley_task *task,
                   struct listener **ret_listener);
/* Ends all associations. NULL is a no-op. */
void listener_stop(struct listener *listener);
uint16_t listener_port(const struct listener *listener);

/* ---- the C-MOVE's side ---- */

/*
 * Stores of the C-MOVE that is about to be sent go to `sink` from now on.
 * @param refs, count  what it asks for; borrowed until listener_forget
 * @param ret_message_id  to be used in the request: the stores' Move Originator Message ID
 * Waits for other C-MOVEs where the PACS tells no originator. Errors: CANCELLED, NOMEM.
 */
int listener_expect(struct listener *listener, const struct trolley_ref *refs, size_t count,
                    const struct trolley_dataset_sink *sink, struct trolley_task *task,
                    struct move **ret_move, uint16_t *ret_message_id);

/* What has come so far. */
struct move_progress {
    uint64_t stored, refused; /* answered with success, with a failure */
    unsigned open;            /* in the middle of their data set */
    int64_t last_ms;          /* when bytes last came, or the C-MOVE began: channel_now_ms */
    int stop;                 /* status of a store that nothing can follow, else 0 */
};
void listener_progress(struct move *move, struct move_progress *ret_progress);

/* Waits until `expected` stores were answered with success and none is open, or nothing came for
 * quiet_ms, or the task is cancelled. */
void listener_wait(struct move *move, uint64_t expected, int quiet_ms);

/* No store reaches the sink after this; one that is in the middle is broken off. */
void listener_forget(struct move *move);

/* ---- the associations' side, listener_dcmtk.cc ---- */

/* What a C-STORE-RQ says of its origin. */
struct store_origin {
    const char *instance; /* SOP Instance UID */
    const char *ae_title; /* Move Originator; NULL when absent */
    bool has_id;
    uint16_t id;
};

/* The C-MOVE that a store belongs to, held until listener_release; NULL when it is nobody's. */
struct move *listener_claim(struct listener *listener, const struct store_origin *origin);
void listener_release(struct move *move, int32_t status);

const struct trolley_dataset_sink *move_sink(const struct move *move);
struct trolley_task *move_task(const struct move *move);
const char *move_study(const struct move *move);
void move_alive(struct move *move);

struct channel;
/* Serves an association until it ends. Frees the channel. */
void listener_serve(struct listener *listener, const struct listener_settings *settings,
                    struct channel *channel);
/* The C-MOVE that the serving thread now receives for; its cancellation ends the wait for bytes. */
bool listener_stopping(const struct listener *listener);
bool move_over(struct move *move);

#ifdef __cplusplus
}
#endif
#endif
