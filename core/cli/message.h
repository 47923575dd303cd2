/* message.h: filling a struct trolley_error from the program's own checks. SPDX-License-Identifier:
 * MIT */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "core/trolley.h"

/* Sets status and message (one line, escaped for a terminal, cut to fit); returns `status`. */
__attribute__((format(printf, 3, 4))) int cli_fail(struct trolley_error *error, int status,
                                                   const char *format, ...);

/* The same for want of memory. */
int cli_no_memory(struct trolley_error *error);

/* Fails with the status of a kit function: out of memory or too large, while `doing`. */
int cli_fail_kit(struct trolley_error *error, int status, const char *doing);

#endif
