/* SPDX-License-Identifier: MIT */
#include "moves.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>

#include "channel.h"

struct move {
    struct moves *moves;
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

void moves_init(struct moves *moves, const char *calling_ae)
{
    memset(moves, 0, sizeof *moves);
    (void)pthread_mutex_init(&moves->lock, NULL);
    (void)pthread_cond_init(&moves->changed, NULL);
    moves->calling_ae = calling_ae;
    moves->next_id = 1;
}

void moves_clear(struct moves *moves)
{
    (void)pthread_cond_destroy(&moves->changed);
    (void)pthread_mutex_destroy(&moves->lock);
}

/* ---- the C-MOVE's side ---- */

/* Waits for a change at most a slice. Lock held. */
static void wait_slice(struct moves *moves)
{
    struct timespec end;

    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += CHANNEL_SLICE_MS * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_nsec -= 1000000000L;
        end.tv_sec++;
    }
    (void)pthread_cond_timedwait(&moves->changed, &moves->lock, &end);
}

int moves_expect(struct moves *moves, const struct trolley_ref *refs, size_t count,
                 const struct trolley_dataset_sink *sink, struct trolley_task *task,
                 struct move **ret_move, uint16_t *ret_message_id)
{
    struct move *move = calloc(1, sizeof *move);

    if (!move) return TROLLEY_ERR_NOMEM;
    move->moves = moves;
    move->refs = refs;
    move->count = count;
    move->sink = sink;
    move->task = task;
    atomic_init(&move->closing, false);
    (void)pthread_mutex_lock(&moves->lock);
    while (moves->no_originator && moves->first && !task->cancelled(task))
        wait_slice(moves);
    move->id = moves->next_id++;
    if (moves->next_id == 0) moves->next_id = 1;
    move->next = moves->first;
    moves->first = move;
    atomic_init(&move->last_ms, channel_now_ms());
    (void)pthread_mutex_unlock(&moves->lock);
    *ret_message_id = move->id;
    *ret_move = move;
    return 0;
}

void moves_progress(struct move *move, struct move_progress *ret_progress)
{
    (void)pthread_mutex_lock(&move->moves->lock);
    *ret_progress = move->progress;
    (void)pthread_mutex_unlock(&move->moves->lock);
    ret_progress->last_ms = atomic_load(&move->last_ms);
}

void moves_wait(struct move *move, uint64_t expected, int quiet_ms)
{
    struct moves *moves = move->moves;
    int64_t begun = channel_now_ms();

    (void)pthread_mutex_lock(&moves->lock);
    while (move->progress.open || move->progress.stored < expected) {
        int64_t last = atomic_load(&move->last_ms);

        if (last < begun) last = begun;
        if (channel_now_ms() - last > quiet_ms || move->task->cancelled(move->task)) break;
        wait_slice(moves);
    }
    (void)pthread_mutex_unlock(&moves->lock);
}

void moves_forget(struct move *move)
{
    struct moves *moves = move->moves;
    struct move **at = &moves->first;

    atomic_store(&move->closing, true);
    (void)pthread_mutex_lock(&moves->lock);
    while (*at != move)
        at = &(*at)->next;
    *at = move->next;
    while (move->progress.open)
        (void)pthread_cond_wait(&moves->changed, &moves->lock);
    (void)pthread_cond_broadcast(&moves->changed);
    (void)pthread_mutex_unlock(&moves->lock);
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
static struct move *find_move(struct moves *moves, const struct store_origin *origin)
{
    struct move *move;

    if (origin->has_id && (!origin->ae_title || strcmp(origin->ae_title, moves->calling_ae) == 0)) {
        for (move = moves->first; move; move = move->next)
            if (move->id == origin->id) return move;
        return NULL;
    }
    for (move = moves->first; move; move = move->next)
        if (asks_for(move, origin->instance)) return move;
    if (moves->first && moves->first->next) {
        moves->no_originator = true;
        return NULL;
    }
    move = moves->first;
    return move && move->refs[0].level != TROLLEY_LEVEL_INSTANCE ? move : NULL;
}

struct move *moves_claim(struct moves *moves, const struct store_origin *origin)
{
    struct move *move;

    (void)pthread_mutex_lock(&moves->lock);
    move = find_move(moves, origin);
    if (move) move->progress.open++;
    (void)pthread_mutex_unlock(&moves->lock);
    if (move) move_alive(move);
    return move;
}

void moves_release(struct move *move, int32_t status)
{
    struct moves *moves = move->moves;

    move_alive(move);
    (void)pthread_mutex_lock(&moves->lock);
    move->progress.open--;
    if (status == 0)
        move->progress.stored++;
    else
        move->progress.refused++;
    if (!move->progress.stop && (trolley_status_flags(status) & TROLLEY_FAILURE_STOP_ALL ||
                                 status == TROLLEY_ERR_CANCELLED))
        move->progress.stop = status;
    (void)pthread_cond_broadcast(&moves->changed);
    (void)pthread_mutex_unlock(&moves->lock);
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
