/* command.h: what a program says. SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_COMMAND_H
#define CORE_CONFIG_COMMAND_H

#include <stddef.h>
#include <trolley/host.h>

struct trolley_error;

#define CONFIG_COMMAND_MS 10000

/*
 * Runs a program (looked for in PATH, no shell) in a process group of its own with /dev/null as
 * input, and reads its output. It is killed after `limit_ms`, at the task's deadline, or when
 * the task (may be NULL) is cancelled.
 * @param data     receives the output, which is at most `size` bytes
 * @param ret_length  bytes received
 * Errors: IO (cannot run, exit status not 0, killed), TIMEOUT, TOO_LARGE, CANCELLED; messages have
 * the program's name, never its arguments or output.
 */
int config_command_run(char *const *words, int limit_ms, char *data, size_t size,
                       size_t *ret_length, struct trolley_task *task, struct trolley_error *error);

#endif
