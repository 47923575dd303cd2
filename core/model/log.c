/* SPDX-License-Identifier: MIT */
#include "core/model/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/trolley.h"

static trolley_log_sink log_sink;
static void *log_ctx;
static uint32_t log_max;

void trolley_set_log(trolley_log_sink sink, void *ctx, uint32_t max_level)
{
    log_sink = sink;
    log_ctx = ctx;
    log_max = sink ? max_level : 0;
}

bool log_wants(uint32_t level)
{
    return level <= log_max;
}

void log_write(uint32_t level, const char *component, const char *format, ...)
{
    char line[2048];
    va_list args;

    if (!log_wants(level)) return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_sink(log_ctx, level, component, line);
}
