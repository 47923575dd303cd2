/* SPDX-License-Identifier: MIT */
#include "core/prefetch/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct prefetch_time clock_read_system(const struct prefetch_clock *clock)
{
    (void)clock;
    return (struct prefetch_time){clock_ms(CLOCK_REALTIME), clock_ms(CLOCK_BOOTTIME)};
}

void prefetch_clock_system(struct prefetch_clock *ret_clock)
{
    *ret_clock = (struct prefetch_clock){.read = clock_read_system, .look_ms = 1000};
}

/* Returns 0, or negative when the file holds no time. */
static int clock_from_file(const char *path, struct prefetch_time *ret_time)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t n;

    if (fd < 0) return TROLLEY_ERR_IO;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return TROLLEY_ERR_IO;
    text[n] = '\0';
    switch (sscanf(text, "%" SCNd64 " %" SCNd64, &ret_time->wall_ms, &ret_time->steady_ms)) {
    case 2:
        return 0;
    case 1:
        ret_time->steady_ms = ret_time->wall_ms;
        return 0;
    default:
        return TROLLEY_ERR_INVALID_ARG;
    }
}

static struct prefetch_time clock_read_file(const struct prefetch_clock *clock)
{
    struct prefetch_time time = {0, 0};

    if (clock_from_file(clock->path, &time) < 0) return (struct prefetch_time){0, 0};
    return time;
}

int prefetch_clock_file(const char *path, struct prefetch_clock *ret_clock,
                        struct trolley_error *error)
{
    struct prefetch_time time;

    if (clock_from_file(path, &time) < 0)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "clock %s: it must hold milliseconds since 1970, and may hold those of a "
                         "steady clock behind a blank",
                         path);
    *ret_clock = (struct prefetch_clock){.read = clock_read_file, .path = path, .look_ms = 50};
    return 0;
}

int64_t prefetch_clock_jump(const struct prefetch_time *before, const struct prefetch_time *after)
{
    int64_t jump = (after->wall_ms - before->wall_ms) - (after->steady_ms - before->steady_ms);

    return jump > -PREFETCH_CLOCK_SLEW && jump < PREFETCH_CLOCK_SLEW ? 0 : jump;
}
