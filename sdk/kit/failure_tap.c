/* SPDX-License-Identifier: MIT */
#include "failure_tap.h"

#include <stdio.h>

#include "trolley/helpers.h"

static int32_t tap_cancelled(struct trolley_task *task)
{
    struct trolley_task *outer = ((struct kit_failure_tap *)task->impl)->outer;

    return outer->cancelled(outer);
}

static int64_t tap_remaining_ms(struct trolley_task *task)
{
    struct trolley_task *outer = ((struct kit_failure_tap *)task->impl)->outer;

    return outer->remaining_ms(outer);
}

static void tap_progress(struct trolley_task *task, uint64_t done, uint64_t total, const char *unit,
                         const char *message)
{
    struct trolley_task *outer = ((struct kit_failure_tap *)task->impl)->outer;

    outer->progress(outer, done, total, unit, message);
}

static void tap_fail(struct trolley_task *task, const struct trolley_failure *failure)
{
    struct kit_failure_tap *tap = task->impl;
    const char *message;

    if (trolley_read_open(&tap->failure, sizeof tap->failure, failure, sizeof *failure) < 0) return;
    message = tap->failure.message ? tap->failure.message : "";
    (void)snprintf(tap->message, sizeof tap->message, "%s", message);
    tap->failure.size = sizeof tap->failure;
    tap->failure.message = tap->message;
}

static void tap_note(struct trolley_task *task, uint32_t severity, int32_t code,
                     const struct trolley_ref *ref, const char *message)
{
    struct trolley_task *outer = ((struct kit_failure_tap *)task->impl)->outer;

    outer->note(outer, severity, code, ref, message);
}

void kit_failure_tap_init(struct kit_failure_tap *tap, struct trolley_task *outer)
{
    memset(tap, 0, sizeof *tap);
    tap->outer = outer;
    tap->task.size = sizeof tap->task;
    tap->task.impl = tap;
    tap->task.cancelled = tap_cancelled;
    tap->task.remaining_ms = tap_remaining_ms;
    tap->task.progress = tap_progress;
    tap->task.fail = tap_fail;
    tap->task.note = tap_note;
}

const struct trolley_failure *kit_failure_tap_get(struct kit_failure_tap *tap, int32_t status)
{
    if (tap->failure.status != status) {
        memset(&tap->failure, 0, sizeof tap->failure);
        tap->failure.size = sizeof tap->failure;
        tap->failure.status = status;
        tap->failure.flags = trolley_status_flags(status);
        tap->failure.message = tap->message;
        tap->message[0] = '\0';
    }
    return &tap->failure;
}

int32_t kit_failure_tap_pass(struct kit_failure_tap *tap, int32_t status)
{
    if (tap->failure.status == status) tap->outer->fail(tap->outer, &tap->failure);
    return status;
}
