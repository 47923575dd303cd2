/* run.h: runs one program with a file as its input. SPDX-License-Identifier: MIT */
#ifndef KIT_RUN_H
#define KIT_RUN_H

#include <stdint.h>
#include <trolley/host.h>

#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KIT_RUN_SAID_MAX ((size_t)2048) /* bytes kept of what the program writes */

struct kit_run {
    char *const *argv; /* NULL-terminated; argv[0] is an absolute path, no shell, no search */
    char *const *environment; /* NULL-terminated; NULL: the process's own */
    int input;                /* a file, read from its beginning */
    int64_t timeout_ms;       /* more than 0 */
};

/* How a program ended. */
struct kit_run_end {
    int status;             /* as waitpid(2) gives it */
    struct kit_buffer said; /* the beginning of its output and errors; kit_buffer_free */
};

/*
 * Runs a program and waits for its end. It gets a process group of its own, which is killed when
 * the time is over or the task is cancelled; signals are as a shell would give them.
 * @param ret_end  made in any case; its status counts only after 0
 * @return 0 when the program has ended by itself, whatever its exit status; IO when it could not be
 * started; TIMEOUT; CANCELLED; the reason is in task->fail
 */
int kit_run(const struct kit_run *run, struct trolley_task *task, struct kit_run_end *ret_end);

/* Appends how it ended and, behind a colon, what it said last as one safe line: "ended with exit
 * status 1: no such host". */
int kit_run_describe(const struct kit_run_end *end, struct kit_buffer *out);

#ifdef __cplusplus
}
#endif
#endif
