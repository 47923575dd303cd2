/* clock.h: what time it is, for those who schedule; tests bring their own. SPDX-License-Identifier:
 * MIT */
#ifndef CORE_PREFETCH_CLOCK_H
#define CORE_PREFETCH_CLOCK_H

#include <stdint.h>

#include "core/model/error.h"

/*
 * Two readings of one moment. `wall_ms`: milliseconds since 1970-01-01 UTC, which someone may set
 * forward or back. `steady_ms`: milliseconds since some fixed moment, time asleep included, which
 * nobody can set. A jump of the clock is where they part.
 */
struct prefetch_time {
    int64_t wall_ms, steady_ms;
};

struct prefetch_clock {
    struct prefetch_time (*read)(const struct prefetch_clock *clock); /* [any] */
    const char *path;                                                 /* of a clock in a file */
    int64_t look_ms;   /* how long a sleeper may sleep without looking at the clock again */
    const void *other; /* of a test's own clock */
};

/* The system's. */
void prefetch_clock_system(struct prefetch_clock *ret_clock);

/*
 * A clock that stands in a file, for rehearsals and tests: "WALL" or "WALL STEADY", in
 * milliseconds, replaced atomically by whoever sets it. A file that cannot be read stops the clock
 * at 0 0, where nothing is due. `path` is borrowed. Errors: INVALID_ARG when it cannot be read now.
 */
int prefetch_clock_file(const char *path, struct prefetch_clock *ret_clock,
                        struct trolley_error *error);

static inline struct prefetch_time prefetch_clock_read(const struct prefetch_clock *clock)
{
    return clock->read(clock);
}

static inline int64_t prefetch_clock_now(const struct prefetch_clock *clock)
{
    return clock->read(clock).wall_ms;
}

/* How far the wall clock was set between two readings: positive forward. Less than
 * PREFETCH_CLOCK_SLEW is the clock being disciplined, no jump: 0. */
#define PREFETCH_CLOCK_SLEW 2000
int64_t prefetch_clock_jump(const struct prefetch_time *before, const struct prefetch_time *after);

#endif
