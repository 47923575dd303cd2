/* task.h: the host's side of struct trolley_task. SPDX-License-Identifier: MIT */
#ifndef CORE_PLUGIN_TASK_H
#define CORE_PLUGIN_TASK_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/model/error.h"

/* Why the operation failed, kept by value. */
struct task_failure {
    int32_t status, code; /* status 0: nothing was said */
    uint32_t flags;       /* TROLLEY_FAILURE_* */
    uint64_t retry_after_ms;
    char message[1024];
};

struct task {
    struct trolley_task abi;
    pthread_mutex_t lock;
    struct task_failure failure;
    const atomic_int *cancel;   /* non-zero: end; may be NULL */
    const atomic_int *stop;     /* another such, of this operation alone; mostly NULL */
    int stop_own;               /* the value of `stop` that does not end it */
    const char *component;      /* "qido-rs pacs-search", borrowed */
    trolley_remark_sink remark; /* may be NULL; called by any thread, must lock for itself */
    void *remark_ctx;
    int64_t deadline_ms;  /* CLOCK_MONOTONIC, -1 none */
    atomic_uint warnings; /* notes of severity warning and worse so far */
};

void task_init(struct task *task, const char *component, const atomic_int *cancel,
               trolley_remark_sink remark, void *remark_ctx);
void task_clear(struct task *task);

/* Forgets the last failure, before the next operation. */
void task_reset(struct task *task);

/* Copies a plugin's failure (any size of struct) with its message escaped. An unknown status reads
 * as INTERNAL; flags that say neither transient nor permanent are completed from the status. */
void task_failure_read(struct task_failure *own, const struct trolley_failure *theirs);

/* What `status` (negative) means after an operation: the failure told, or one made from the status
 * alone. */
void task_failure_of(struct task *task, int status, struct task_failure *ret_failure);

/* Puts "COMPONENT: " in front of the message, which loses its end when that is too long. */
void task_failure_name(struct task_failure *failure, const char *component);

/* The same as a struct trolley_error, "COMPONENT: message". Returns the failure's status. */
int task_error(struct task *task, int status, struct trolley_error *error);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t task_clock_ms(void);

#endif
