/* arena.h: memory that is released in one go. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_ARENA_H
#define CORE_MODEL_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* Zero-initialised but for `cap`. */
struct arena {
    struct arena_chunk *chunks;
    size_t cap;   /* most bytes it may take from the system */
    size_t total; /* bytes taken */
};

/* Memory aligned for any pointer, not zeroed. Returns 0, TROLLEY_ERR_NOMEM, or
 * TROLLEY_ERR_TOO_LARGE past the cap. */
int arena_alloc(struct arena *arena, size_t size, void **ret_memory);
void arena_free(struct arena *arena);

#endif
