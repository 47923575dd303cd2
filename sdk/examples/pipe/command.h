/* command.h: runs one command with a file as its input. SPDX-License-Identifier: MIT */
#ifndef COMMAND_H
#define COMMAND_H

#include <kit/buffer.h>
#include <stdint.h>
#include <trolley/host.h>

#define COMMAND_SAID_MAX ((size_t)2048) /* bytes kept of what the command writes to its stderr */

/* How a command ended. */
struct command_end {
    int status;             /* as waitpid(2) gives it */
    struct kit_buffer said; /* the beginning of its stderr; free it with kit_buffer_free */
};

/*
 * Runs argv[0] (an absolute path, no shell, no search) and waits for its end. Its stdin is the file
 * `input` from its beginning, its stdout /dev/null. It gets a process group of its own, which is
 * killed when the time is over or the task is cancelled.
 * @param argv  NULL-terminated
 * @param timeout_ms  more than 0
 * @param ret_end  made in any case; its status counts only after 0
 * @return 0 when the command has ended by itself, whatever its exit status; IO when it could not be
 * started; TIMEOUT; CANCELLED; the reason is in task->fail
 */
int command_run(char *const *argv, int input, int64_t timeout_ms, struct trolley_task *task,
                struct command_end *ret_end);

#endif
