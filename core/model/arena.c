/* SPDX-License-Identifier: MIT */
#include "core/model/arena.h"

#include <stdlib.h>

#include <trolley/types.h>

#define ARENA_CHUNK ((size_t)64 << 10)
#define ARENA_ALIGN (sizeof(void *))

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size; /* of data */
    void *data[];
};

/* A chunk for `size` bytes becomes the current one, but a big piece goes behind it, so that what is
 * left of the current one is not lost. */
static int arena_grow(struct arena *arena, size_t size, struct arena_chunk **ret_chunk)
{
    size_t want = size > ARENA_CHUNK / 4 ? size : ARENA_CHUNK;
    struct arena_chunk *chunk, **at = &arena->chunks;

    if (arena->total > arena->cap || want > arena->cap - arena->total) return TROLLEY_ERR_TOO_LARGE;
    chunk = malloc(sizeof *chunk + want);
    if (!chunk) return TROLLEY_ERR_NOMEM;
    if (want == size && *at) at = &(*at)->next;
    chunk->next = *at;
    chunk->used = 0;
    chunk->size = want;
    *at = chunk;
    arena->total += want;
    *ret_chunk = chunk;
    return 0;
}

int arena_alloc(struct arena *arena, size_t size, void **ret_memory)
{
    struct arena_chunk *chunk = arena->chunks;
    int r = 0;

    if (size > arena->cap) return TROLLEY_ERR_TOO_LARGE;
    size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (!chunk || chunk->size - chunk->used < size) r = arena_grow(arena, size, &chunk);
    if (r < 0) return r;
    *ret_memory = (char *)chunk->data + chunk->used;
    chunk->used += size;
    return 0;
}

void arena_free(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    arena->total = 0;
}
