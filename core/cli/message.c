/* SPDX-License-Identifier: MIT */
#include "core/cli/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kit/text.h>

int cli_fail(struct trolley_error *error, int status, const char *format, ...)
{
    char text[sizeof error->message];
    struct kit_buffer line = {0};
    va_list args;

    if (!error) return status;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error->status = status;
    error->code = 0;
    error->message[0] = '\0';
    if (kit_text_escape(&line, text, strlen(text)) == 0 && line.data)
        (void)snprintf(error->message, sizeof error->message, "%s", line.data);
    kit_buffer_free(&line);
    return status;
}

int cli_no_memory(struct trolley_error *error)
{
    return cli_fail(error, TROLLEY_ERR_NOMEM, "out of memory");
}

int cli_fail_kit(struct trolley_error *error, int status, const char *doing)
{
    return cli_fail(error, status, "%s: %s", doing, trolley_status_name(status));
}
