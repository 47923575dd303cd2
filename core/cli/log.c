/* SPDX-License-Identifier: MIT */
#include "core/cli/log.h"

#include <string.h>

static uint32_t log_level(const struct cli_args *args, const char *setting)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    size_t verbose = options_count(args, OPTION_VERBOSE);
    uint32_t level;

    if (verbose) return verbose > 1 ? TROLLEY_LOG_DEBUG : TROLLEY_LOG_INFO;
    if (options_count(args, OPTION_QUIET)) return TROLLEY_LOG_ERROR;
    for (level = TROLLEY_LOG_ERROR; setting && level <= TROLLEY_LOG_DEBUG; level++)
        if (strcmp(names[level], setting) == 0) return level;
    return TROLLEY_LOG_WARNING;
}

static void log_take(void *ctx, uint32_t level, const char *component, const char *message)
{
    console_log(ctx, level, component, message);
}

void log_install(struct console *console, const struct cli_args *args, const char *setting)
{
    console->level = log_level(args, setting);
    trolley_set_log(log_take, console, console->level);
}
