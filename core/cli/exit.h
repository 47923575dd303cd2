/* exit.h: exit statuses, and the signals that end the program. SPDX-License-Identifier: MIT */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <stdbool.h>

#include "core/trolley_prefetch.h"

enum exit_status {
    EXIT_COMPLETE = 0,
    EXIT_FAILED = 1, /* nothing of it delivered */
    EXIT_USAGE = 2,  /* usage or configuration */
    EXIT_PARTIAL = 3,
    EXIT_AUTH = 4,         /* authentication refused and nothing delivered */
    EXIT_INTERRUPTED = 130 /* SIGINT; 143 is SIGTERM */
};

/* The exit status of an operation's enum trolley_status; `delivered`: something of it came. */
int exit_of(int status, bool delivered);

/* The worse of two, in the order 2, 4, 1, 3, 0. */
int exit_worse(int a, int b);

/* SIGINT and SIGTERM cancel what runs, the second one ends at once. SIGPIPE is ignored: a closed
 * pipe is an error of the write. Closed standard descriptors are opened on /dev/null the wrong way
 * round, so that no file of ours takes their numbers and writing to them fails. */
void exit_signals(void);

/* The setup that signals cancel; NULL for none. */
void exit_cancels(struct trolley_setup *setup);

/* The prefetching that the first signal ends after its requests in hand; NULL for none: signals
 * cancel again. */
void exit_stops(struct trolley_prefetch *prefetch);

/* 128 + the signal that came, 0 when none did. */
int exit_signalled(void);

#endif
