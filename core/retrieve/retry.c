/* SPDX-License-Identifier: MIT */
#include "core/retrieve/retry.h"

#include <time.h>

#define RETRY_MOST_MS 60000
#define RETRY_AFTER_MOST_MS 600000

void patience_of(const struct component *component, struct patience *ret_patience)
{
    /* Both have their defaults in the schema of such sections. */
    ret_patience->max_retries = component_integer(component, "max_retries", 0);
    ret_patience->retry_delay_ms = component_integer(component, "retry_delay", 0);
}

int64_t retry_delay(int64_t base_ms, uint32_t n, uint64_t retry_after_ms)
{
    int64_t delay = base_ms;
    uint64_t wish = retry_after_ms < RETRY_AFTER_MOST_MS ? retry_after_ms : RETRY_AFTER_MOST_MS;
    struct timespec now;

    while (n-- > 0 && delay < RETRY_MOST_MS)
        delay *= 2;
    if (delay > RETRY_MOST_MS) delay = RETRY_MOST_MS;
    clock_gettime(CLOCK_MONOTONIC, &now);
    /* The low digits of the clock are jitter enough to keep clients from marching in step. */
    delay += delay * ((now.tv_nsec / 1000) % 51 - 25) / 100;
    return delay < (int64_t)wish ? (int64_t)wish : delay;
}

/* Sleeps `ms` in small steps; false when cancelled meanwhile. */
static bool retry_sleep(int64_t ms, const atomic_int *cancel)
{
    const int64_t until = task_clock_ms() + ms;
    const struct timespec step = {0, 20 * 1000000};

    while (task_clock_ms() < until) {
        if (atomic_load(cancel)) return false;
        nanosleep(&step, NULL);
    }
    return !atomic_load(cancel);
}

bool retry_wanted(const struct patience *patience, uint32_t n, const struct task_failure *failure,
                  const atomic_int *cancel)
{
    if (n >= (uint32_t)patience->max_retries || !(failure->flags & TROLLEY_FAILURE_TRANSIENT))
        return false;
    return retry_sleep(retry_delay(patience->retry_delay_ms, n, failure->retry_after_ms), cancel);
}
