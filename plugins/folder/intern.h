/* intern.h: texts kept once, however often they come. SPDX-License-Identifier: MIT */
#ifndef FOLDER_INTERN_H
#define FOLDER_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern_chunk;

struct intern {
    struct intern_chunk *chunks;
    const char **slots; /* hash table, a power of two long */
    uint32_t *lengths;  /* of the texts in slots */
    size_t slot_count, used;
    size_t bytes, cap; /* held, and at most */
};

/* Keeps the bytes (with a NUL behind them) and returns where; equal bytes have one place. NULL when
 * out of memory or past the cap. */
const char *intern_bytes(struct intern *intern, const void *data, size_t length);
const char *intern_text(struct intern *intern, const char *text);
void intern_free(struct intern *intern);

#endif
