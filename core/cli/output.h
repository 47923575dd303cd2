/* output.h: results on standard output, buffered, with errors kept. SPDX-License-Identifier: MIT */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <kit/buffer.h>

#include "core/trolley.h"

struct output {
    int fd;
    const char *name; /* for messages: "standard output" or a path */
    int failed;       /* errno of the first write that failed, 0 for none */
    struct kit_buffer pending;
};

/* All return 0 or a negative enum trolley_status (IO once a write failed, for ever after). */
int output_write(struct output *output, const void *data, size_t length);
int output_text(struct output *output, const char *text);
__attribute__((format(printf, 2, 3))) int output_printf(struct output *output, const char *format,
                                                        ...);

/* Writes the buffer's text and empties it. */
int output_buffer(struct output *output, struct kit_buffer *buffer);

/* Writes what is pending. */
int output_flush(struct output *output);

/* Flushes and says how it went: TROLLEY_ERR_IO with name and reason. */
int output_end(struct output *output, struct trolley_error *error);

/* The reader has gone: no error, but nothing more is worth writing. */
bool output_closed(const struct output *output);

void output_free(struct output *output);

#endif
