/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trolley/types.h"

/* Room for `more` bytes and the NUL behind them. */
static int kit_buffer_reserve(struct kit_buffer *buffer, size_t more)
{
    size_t cap = buffer->cap ? buffer->cap : KIT_BUFFER_CAP;
    size_t capacity = buffer->capacity ? buffer->capacity : 128;
    char *data;

    if (more > cap || buffer->length > cap - more) return TROLLEY_ERR_TOO_LARGE;
    if (buffer->length + more < buffer->capacity) return 0;
    while (capacity <= buffer->length + more)
        capacity *= 2;
    data = realloc(buffer->data, capacity);
    if (!data) return TROLLEY_ERR_NOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int kit_buffer_append(struct kit_buffer *buffer, const void *data, size_t length)
{
    int r = kit_buffer_reserve(buffer, length);

    if (r < 0) return r;
    if (length) memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return 0;
}

int kit_buffer_text(struct kit_buffer *buffer, const char *text)
{
    return kit_buffer_append(buffer, text, strlen(text));
}

int kit_buffer_printf(struct kit_buffer *buffer, const char *format, ...)
{
    va_list args, again;
    int length, r;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    r = length < 0 ? TROLLEY_ERR_INVALID_ARG : kit_buffer_reserve(buffer, (size_t)length);
    if (r == 0) {
        (void)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return r;
}

void kit_buffer_reset(struct kit_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data) buffer->data[0] = '\0';
}

void kit_buffer_free(struct kit_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->length = buffer->capacity = 0;
}

char *kit_buffer_take(struct kit_buffer *buffer)
{
    char *data = NULL;

    if (kit_buffer_append(buffer, "", 0) == 0) {
        data = buffer->data;
        buffer->data = NULL;
    }
    kit_buffer_free(buffer);
    return data;
}
