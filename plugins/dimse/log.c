/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dimse_log(const struct dimse_settings *settings, const char *format, ...)
{
    const struct trolley_host *host = settings->host_services;
    char line[512];
    va_list arguments;
    int length;

    if (!host || !host->log) return;
    length = snprintf(line, sizeof line, "%s: ", settings->config->section);
    if (length < 0 || (size_t)length >= sizeof line) length = 0;
    va_start(arguments, format);
    (void)vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    host->log(host, TROLLEY_LOG_DEBUG, "dimse", line);
}
