/* arrivals.h: what a download stored, told to whoever prefetches ([prefetch] on_download).
 * SPDX-License-Identifier: MIT */
#ifndef CLI_ARRIVALS_H
#define CLI_ARRIVALS_H

#include "core/cli/cli.h"

struct arrivals {
    struct cli *cli;
    struct trolley_prefetch *prefetch; /* NULL: nobody wants to know */
    struct trolley_error error;        /* of the first that could not be told */
};

/* Looks whether the INI file asks for it. Errors: what its sections of prefetching say. */
int arrivals_open(struct arrivals *arrivals, struct cli *cli, struct trolley_error *error);

/* An instance that is there now: new, replaced, or as it was. One at a time. */
void arrivals_outcome(struct arrivals *arrivals, const struct trolley_outcome *outcome);

/* Writes them down. The exit status: EXIT_PARTIAL, with a message, when some could not be. */
int arrivals_close(struct arrivals *arrivals);

#endif
