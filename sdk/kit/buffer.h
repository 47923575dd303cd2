/* buffer.h: a growable byte buffer with a cap. Always NUL-terminated behind its length once
 * anything was appended. SPDX-License-Identifier: MIT */
#ifndef KIT_BUFFER_H
#define KIT_BUFFER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kit_buffer {
    char *data;
    size_t length, capacity;
    size_t cap; /* most bytes it may hold; 0 means KIT_BUFFER_CAP */
};
#define KIT_BUFFER_CAP ((size_t)16 << 20)

/* All return 0, TROLLEY_ERR_NOMEM, or TROLLEY_ERR_TOO_LARGE past the cap (nothing is appended
 * then). */
int kit_buffer_append(struct kit_buffer *buffer, const void *data, size_t length);
int kit_buffer_text(struct kit_buffer *buffer, const char *text);
__attribute__((format(printf, 2, 3))) int kit_buffer_printf(struct kit_buffer *buffer,
                                                            const char *format, ...);

void kit_buffer_reset(struct kit_buffer *buffer); /* length 0, memory kept */
void kit_buffer_free(struct kit_buffer *buffer);
/* Hands the text over (never NULL but on NOMEM) and leaves the buffer empty; free() it. */
char *kit_buffer_take(struct kit_buffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
