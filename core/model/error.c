/* SPDX-License-Identifier: MIT */
#include "core/model/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kit/text.h>

/* Copies `text` into the message as one escaped line, cut to fit between two characters. */
static void error_take(struct trolley_error *error, const char *text)
{
    struct kit_buffer line = {0};
    size_t length = 0;

    if (kit_text_escape(&line, text, strlen(text)) == 0) {
        length = line.length;
        if (length >= sizeof error->message) length = sizeof error->message - 1;
        while (length < line.length && length > 0 && (line.data[length] & 0xc0) == 0x80)
            length--;
        memcpy(error->message, line.data, length);
    }
    error->message[length] = '\0';
    kit_buffer_free(&line);
}

int error_set(struct trolley_error *error, int status, const char *format, ...)
{
    char text[sizeof error->message];
    va_list args;

    if (!error) return status;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error->status = status;
    error->code = 0;
    error_take(error, text);
    return status;
}

void error_prefix(struct trolley_error *error, const char *format, ...)
{
    char text[sizeof error->message];
    va_list args;
    int length;

    if (!error) return;
    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text) return;
    (void)snprintf(text + length, sizeof text - (size_t)length, ": %.*s", (int)sizeof text - length,
                   error->message);
    error_take(error, text);
}

const char *trolley_status_name(int32_t status)
{
    static const char *const names[] = {
        "ok",
        "out of memory",
        "invalid argument",
        "invalid configuration",
        "unsupported",
        "unsupported query parameter",
        "deeper references needed",
        "not found",
        "gone",
        "authentication refused",
        "network error",
        "timed out",
        "protocol error",
        "truncated",
        "server error",
        "unavailable",
        "too large",
        "input/output error",
        "no space left",
        "cancelled",
        "partial",
        "internal error",
    };
    const int32_t count = (int32_t)(sizeof names / sizeof names[0]);

    return status <= 0 && status > -count ? names[-status] : names[count - 1];
}
