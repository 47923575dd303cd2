/*
 * moves.h: the C-MOVEs that run, and the stores that they cause: each store is tied to its own
 * [PS3.4 C.4.2.2.1.4]. SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_MOVES_H
#define DIMSE_MOVES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <trolley/downloader.h>

#ifdef __cplusplus
extern "C" {
#endif

struct move;

struct moves {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct move *first;
    const char *calling_ae; /* what our C-MOVEs call themselves: the originator's title in stores */
    uint16_t next_id;
    bool no_originator; /* a store came that named none, and could not be told apart */
};

/* @param calling_ae  borrowed */
void moves_init(struct moves *moves, const char *calling_ae);
void moves_clear(struct moves *moves);

/* ---- the C-MOVE's side ---- */

/*
 * Stores of the C-MOVE that is about to be sent go to `sink` from now on.
 * @param refs, count  what it asks for; borrowed until moves_forget
 * @param ret_message_id  to be used in the request: the stores' Move Originator Message ID
 * Waits for other C-MOVEs where the PACS tells no originator. Errors: CANCELLED, NOMEM.
 */
int moves_expect(struct moves *moves, const struct trolley_ref *refs, size_t count,
                 const struct trolley_dataset_sink *sink, struct trolley_task *task,
                 struct move **ret_move, uint16_t *ret_message_id);

/* What has come so far. */
struct move_progress {
    uint64_t stored, refused; /* answered with success, with a failure */
    unsigned open;            /* in the middle of their data set */
    int64_t last_ms;          /* when bytes last came, or the C-MOVE began: channel_now_ms */
    int stop;                 /* status of a store that nothing can follow, else 0 */
};
void moves_progress(struct move *move, struct move_progress *ret_progress);

/* Waits until `expected` stores were answered with success and none is open, or nothing came for
 * quiet_ms, or the task is cancelled. */
void moves_wait(struct move *move, uint64_t expected, int quiet_ms);

/* No store reaches the sink after this; one that is in the middle is broken off. */
void moves_forget(struct move *move);

/* ---- the stores' side, any thread ---- */

/* What a C-STORE-RQ says of its origin. */
struct store_origin {
    const char *instance; /* SOP Instance UID */
    const char *ae_title; /* Move Originator; NULL when absent */
    bool has_id;
    uint16_t id;
};

/* The C-MOVE that a store belongs to, held until moves_release; NULL when it is nobody's. */
struct move *moves_claim(struct moves *moves, const struct store_origin *origin);
/* @param status  that of the store's item */
void moves_release(struct move *move, int32_t status);

const struct trolley_dataset_sink *move_sink(const struct move *move);
struct trolley_task *move_task(const struct move *move);
const char *move_study(const struct move *move);
/* Bytes came. */
void move_alive(struct move *move);
/* Is it cancelled, or about to be forgotten? */
bool move_over(struct move *move);

#ifdef __cplusplus
}
#endif
#endif
