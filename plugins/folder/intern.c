/* SPDX-License-Identifier: MIT */
#include "intern.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 << 10)

struct intern_chunk {
    struct intern_chunk *next;
    size_t used, size;
    char data[];
};

/* FNV-1a */
static size_t hash_bytes(const char *data, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t i;

    for (i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds the bytes, or the free one where they belong. */
static size_t find_slot(const struct intern *intern, const char *data, size_t length)
{
    size_t mask = intern->slot_count - 1, at = hash_bytes(data, length) & mask;

    while (intern->slots[at] &&
           (intern->lengths[at] != length || memcmp(intern->slots[at], data, length) != 0))
        at = (at + 1) & mask;
    return at;
}

static int grow_table(struct intern *intern)
{
    struct intern larger = *intern;
    size_t i;

    larger.slot_count = intern->slot_count ? intern->slot_count * 2 : 1024;
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    larger.lengths = calloc(larger.slot_count, sizeof *larger.lengths);
    if (!larger.slots || !larger.lengths) {
        free(larger.slots);
        free(larger.lengths);
        return -1;
    }
    for (i = 0; i < intern->slot_count; i++) {
        size_t at;

        if (!intern->slots[i]) continue;
        at = find_slot(&larger, intern->slots[i], intern->lengths[i]);
        larger.slots[at] = intern->slots[i];
        larger.lengths[at] = intern->lengths[i];
    }
    free(intern->slots);
    free(intern->lengths);
    *intern = larger;
    return 0;
}

/* Copies the bytes into a chunk. */
static const char *keep(struct intern *intern, const void *data, size_t length)
{
    struct intern_chunk *chunk = intern->chunks;
    char *place;

    if (intern->bytes + length + 1 > intern->cap) return NULL;
    if (!chunk || chunk->size - chunk->used <= length) {
        size_t size = length < CHUNK_BYTES ? CHUNK_BYTES : length + 1;

        chunk = malloc(sizeof *chunk + size);
        if (!chunk) return NULL;
        chunk->next = intern->chunks;
        chunk->used = 0;
        chunk->size = size;
        intern->chunks = chunk;
    }
    place = chunk->data + chunk->used;
    memcpy(place, data, length);
    place[length] = '\0';
    chunk->used += length + 1;
    intern->bytes += length + 1;
    return place;
}

const char *intern_bytes(struct intern *intern, const void *data, size_t length)
{
    size_t at;

    if (length > UINT32_MAX) return NULL;
    if (intern->used * 2 >= intern->slot_count && grow_table(intern) < 0) return NULL;
    at = find_slot(intern, data, length);
    if (intern->slots[at]) return intern->slots[at];
    intern->slots[at] = keep(intern, data, length);
    if (!intern->slots[at]) return NULL;
    intern->lengths[at] = (uint32_t)length;
    intern->used++;
    return intern->slots[at];
}

const char *intern_text(struct intern *intern, const char *text)
{
    return intern_bytes(intern, text, strlen(text));
}

void intern_free(struct intern *intern)
{
    while (intern->chunks) {
        struct intern_chunk *next = intern->chunks->next;

        free(intern->chunks);
        intern->chunks = next;
    }
    free(intern->slots);
    free(intern->lengths);
    memset(intern, 0, sizeof *intern);
}
