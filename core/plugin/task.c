/* SPDX-License-Identifier: MIT */
#include "core/plugin/task.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <trolley/helpers.h>

#include "core/model/log.h"
#include "kit/text.h"

#define FAILURE_SIZE_1_0 (offsetof(struct trolley_failure, message) + sizeof(char *))

int64_t task_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int32_t task_cancelled(struct trolley_task *abi)
{
    const struct task *task = abi->impl;

    if (task->cancel && atomic_load_explicit(task->cancel, memory_order_relaxed)) return 1;
    if (task->stop) {
        const int stop = atomic_load_explicit(task->stop, memory_order_relaxed);

        if (stop && stop != task->stop_own) return 1;
    }
    return task->deadline_ms >= 0 && task_clock_ms() >= task->deadline_ms;
}

static int64_t task_remaining_ms(struct trolley_task *abi)
{
    const struct task *task = abi->impl;
    int64_t left;

    if (task->deadline_ms < 0) return -1;
    left = task->deadline_ms - task_clock_ms();
    return left > 0 ? left : 0;
}

/* Bytes and instances are counted where they arrive; a plugin's own words are for the debug log. */
static void task_progress(struct trolley_task *abi, uint64_t done, uint64_t total, const char *unit,
                          const char *message)
{
    const struct task *task = abi->impl;

    log_write(TROLLEY_LOG_DEBUG, task->component, "%llu/%llu %s %s", (unsigned long long)done,
              (unsigned long long)total, unit ? unit : "", message ? message : "");
}

static void task_fail(struct trolley_task *abi, const struct trolley_failure *failure)
{
    struct task *task = abi->impl;

    pthread_mutex_lock(&task->lock);
    task_failure_read(&task->failure, failure);
    pthread_mutex_unlock(&task->lock);
}

static void task_note(struct trolley_task *abi, uint32_t severity, int32_t code,
                      const struct trolley_ref *ref, const char *message)
{
    struct task *task = abi->impl;
    struct kit_buffer line = {.cap = 4096};
    struct trolley_remark remark = {severity, code, task->component, ref, ""};

    if (message && kit_text_escape(&line, message, strnlen(message, 1000)) == 0 && line.data)
        remark.message = line.data;
    if (severity <= TROLLEY_LOG_WARNING) atomic_fetch_add(&task->warnings, 1);
    /* The one who asked is told; only where nobody listens is it a matter for the log. */
    if (task->remark)
        task->remark(task->remark_ctx, &remark);
    else
        log_write(severity, task->component, "%s", remark.message);
    kit_buffer_free(&line);
}

void task_init(struct task *task, const char *component, const atomic_int *cancel,
               trolley_remark_sink remark, void *remark_ctx)
{
    memset(task, 0, sizeof *task);
    pthread_mutex_init(&task->lock, NULL);
    task->abi.size = sizeof task->abi;
    task->abi.impl = task;
    task->abi.cancelled = task_cancelled;
    task->abi.remaining_ms = task_remaining_ms;
    task->abi.progress = task_progress;
    task->abi.fail = task_fail;
    task->abi.note = task_note;
    task->component = component;
    task->cancel = cancel;
    task->remark = remark;
    task->remark_ctx = remark_ctx;
    task->deadline_ms = -1;
}

void task_clear(struct task *task)
{
    pthread_mutex_destroy(&task->lock);
}

void task_reset(struct task *task)
{
    pthread_mutex_lock(&task->lock);
    memset(&task->failure, 0, sizeof task->failure);
    pthread_mutex_unlock(&task->lock);
}

static int32_t failure_status(int32_t status)
{
    return status < 0 && status >= TROLLEY_ERR_INTERNAL ? status : TROLLEY_ERR_INTERNAL;
}

static uint32_t failure_flags(uint32_t flags, int32_t status)
{
    if (flags & (TROLLEY_FAILURE_TRANSIENT | TROLLEY_FAILURE_PERMANENT)) return flags;
    return flags | trolley_status_flags(status);
}

void task_failure_read(struct task_failure *own, const struct trolley_failure *theirs)
{
    struct kit_buffer line = {.cap = 8192};
    struct trolley_failure read;

    memset(own, 0, sizeof *own);
    if (trolley_read_open(&read, sizeof read, theirs, FAILURE_SIZE_1_0) < 0) {
        own->status = TROLLEY_ERR_INTERNAL;
        own->flags = TROLLEY_FAILURE_PERMANENT;
        (void)snprintf(own->message, sizeof own->message, "the plugin gave no reason");
        return;
    }
    own->status = failure_status(read.status);
    own->code = read.code;
    own->flags = failure_flags(read.flags, own->status);
    own->retry_after_ms = read.retry_after_ms;
    if (!read.message || kit_text_escape(&line, read.message, strnlen(read.message, 1000)) < 0 ||
        !line.data)
        (void)snprintf(own->message, sizeof own->message, "%s", trolley_status_name(own->status));
    else
        (void)snprintf(own->message, sizeof own->message, "%s", line.data);
    kit_buffer_free(&line);
}

void task_failure_of(struct task *task, int status, struct task_failure *ret_failure)
{
    pthread_mutex_lock(&task->lock);
    *ret_failure = task->failure;
    pthread_mutex_unlock(&task->lock);
    if (ret_failure->status == failure_status(status)) return;
    if (ret_failure->status == 0) {
        ret_failure->flags = trolley_status_flags(failure_status(status));
        (void)snprintf(ret_failure->message, sizeof ret_failure->message, "%s",
                       trolley_status_name(status));
    }
    ret_failure->status = failure_status(status);
}

void task_failure_name(struct task_failure *failure, const char *component)
{
    char plain[sizeof failure->message];

    memcpy(plain, failure->message, sizeof plain);
    (void)snprintf(failure->message, sizeof failure->message, "%.200s: %.*s", component,
                   (int)sizeof plain - 204, plain);
}

int task_error(struct task *task, int status, struct trolley_error *error)
{
    struct task_failure failure;

    task_failure_of(task, status, &failure);
    (void)error_set(error, failure.status, "%s: %s", task->component, failure.message);
    if (error) error->code = failure.code;
    return failure.status;
}
