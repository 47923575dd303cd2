/* SPDX-License-Identifier: MIT */
#include "core/cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/message.h"

#define OUTPUT_PENDING ((size_t)64 << 10)

static int output_send(struct output *output, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(output->fd, data, length);

        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            output->failed = n < 0 ? errno : EIO;
            return TROLLEY_ERR_IO;
        }
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int output_flush(struct output *output)
{
    int r = 0;

    if (output->failed) return TROLLEY_ERR_IO;
    if (output->pending.length)
        r = output_send(output, output->pending.data, output->pending.length);
    kit_buffer_reset(&output->pending);
    return r;
}

int output_write(struct output *output, const void *data, size_t length)
{
    int r = 0;

    if (output->failed) return TROLLEY_ERR_IO;
    if (output->pending.length + length > OUTPUT_PENDING) r = output_flush(output);
    if (r < 0) return r;
    if (length > OUTPUT_PENDING) return output_send(output, data, length);
    return kit_buffer_append(&output->pending, data, length);
}

int output_text(struct output *output, const char *text)
{
    return output_write(output, text, strlen(text));
}

int output_printf(struct output *output, const char *format, ...)
{
    char text[4096];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text) return TROLLEY_ERR_TOO_LARGE;
    return output_write(output, text, (size_t)length);
}

int output_buffer(struct output *output, struct kit_buffer *buffer)
{
    int r = output_write(output, buffer->data, buffer->length);

    kit_buffer_reset(buffer);
    return r;
}

int output_end(struct output *output, struct trolley_error *error)
{
    int r = output_flush(output);

    if (r < 0)
        return cli_fail(error, r, "%s: %s", output->name,
                        output->failed ? strerror(output->failed) : trolley_status_name(r));
    return 0;
}

bool output_closed(const struct output *output)
{
    return output->failed == EPIPE;
}

void output_free(struct output *output)
{
    kit_buffer_free(&output->pending);
}
