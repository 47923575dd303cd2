/*
 * Running a transfer: cancellation, deadlines, silence and the session's rate.
 * SPDX-License-Identifier: MIT
 */
#include <time.h>

#include "core/transfer/session.h"

#define DRIVE_SLICE_MS 200 /* how late a cancellation may be noticed */

int64_t transfer_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What has been seen of a running transfer. */
struct drive {
    struct transfer_exchange *x;
    uint64_t moved;   /* bytes up and down, heads included */
    int64_t moved_us; /* when moved last grew */
};

static uint64_t drive_info(const struct drive *drive, CURLINFO what)
{
    curl_off_t number = 0;

    if (curl_easy_getinfo(drive->x->easy, what, &number) || number < 0) return 0;
    return (uint64_t)number;
}

/* Bytes read push the moment forward when any door may read the next ones. */
void transfer_rate_pay(struct transfer_session *session, size_t bytes)
{
    int64_t now = transfer_now_us();

    if (!session->max_rate) return;
    (void)pthread_mutex_lock(&session->rate_lock);
    if (session->rate_free_us < now) session->rate_free_us = now;
    session->rate_free_us += (int64_t)((double)bytes * 1000000.0 / (double)session->max_rate);
    (void)pthread_mutex_unlock(&session->rate_lock);
}

int64_t transfer_rate_wait_us(struct transfer_session *session)
{
    int64_t wait;

    if (!session->max_rate) return 0;
    (void)pthread_mutex_lock(&session->rate_lock);
    wait = session->rate_free_us - transfer_now_us();
    (void)pthread_mutex_unlock(&session->rate_lock);
    return wait > 0 ? wait : 0;
}

/* Notes what moved since the last look. */
static void drive_look(struct drive *drive)
{
    uint64_t moved = drive_info(drive, CURLINFO_SIZE_DOWNLOAD_T) +
                     drive_info(drive, CURLINFO_SIZE_UPLOAD_T) + drive->x->head_bytes;

    /* Until the connection stands, connect_timeout is what counts; and a pause is no silence. */
    if (moved != drive->moved || drive->x->paused ||
        !drive_info(drive, CURLINFO_PRETRANSFER_TIME_T))
        drive->moved_us = transfer_now_us();
    drive->moved = moved;
}

/* Is it time to give up? Negative and reported when so. */
static int drive_check(const struct drive *drive)
{
    const struct transfer_job *job = drive->x->job;
    const struct transfer_session *session = job->door->session;
    int64_t now = transfer_now_us();

    if (job->task->cancelled(job->task)) return TROLLEY_ERR_CANCELLED;
    if (job->task->remaining_ms(job->task) == 0)
        return transfer_outcome_say(job, TROLLEY_ERR_TIMEOUT, 0,
                                    "not done by the operation's deadline");
    if (job->deadline_us && now >= job->deadline_us)
        return transfer_outcome_say(job, TROLLEY_ERR_TIMEOUT, 0,
                                    "not done within %lld ms (total_timeout of [session %s])",
                                    (long long)session->total_ms, session->info.name);
    if (session->idle_ms && now - drive->moved_us >= session->idle_ms * 1000)
        return transfer_outcome_say(job, TROLLEY_ERR_TIMEOUT, 0,
                                    "no byte for %lld ms (idle_timeout of [session %s])",
                                    (long long)session->idle_ms, session->info.name);
    return 0;
}

/* Sleeps until something can be read or it is time to look again. */
static int drive_wait(struct drive *drive)
{
    struct trolley_http_session *door = drive->x->job->door;
    int64_t ms = DRIVE_SLICE_MS, wait_us;

    if (drive->x->paused) {
        wait_us = transfer_rate_wait_us(door->session);
        if (wait_us / 1000 < ms) ms = wait_us / 1000 + 1;
    }
    if (curl_multi_poll(door->multi, NULL, 0, (int)ms, NULL)) return TROLLEY_ERR_INTERNAL;
    if (!drive->x->paused || transfer_rate_wait_us(door->session)) return 0;
    drive->x->paused = false;
    return curl_easy_pause(drive->x->easy, CURLPAUSE_CONT) ? TROLLEY_ERR_INTERNAL : 0;
}

static int drive_run(struct drive *drive)
{
    int running = 1, r;

    for (;;) {
        if (curl_multi_perform(drive->x->job->door->multi, &running)) return TROLLEY_ERR_INTERNAL;
        drive_look(drive);
        if (!running) return 0;
        r = drive_check(drive);
        if (r == 0) r = drive_wait(drive);
        if (r < 0) return r;
    }
}

int transfer_drive(struct transfer_exchange *x, CURLcode *ret_result)
{
    struct trolley_http_session *door = x->job->door;
    struct drive drive = {.x = x, .moved_us = transfer_now_us()};
    CURLcode result = CURLE_OK;
    CURLMsg *message;
    int left, r;

    r = drive_check(&drive);
    if (r < 0) return r;
    if (curl_multi_add_handle(door->multi, x->easy)) return TROLLEY_ERR_INTERNAL;
    r = drive_run(&drive);
    while ((message = curl_multi_info_read(door->multi, &left)))
        if (message->msg == CURLMSG_DONE) result = message->data.result;
    (void)curl_multi_remove_handle(door->multi, x->easy);
    if (r == 0) *ret_result = result;
    return r;
}
