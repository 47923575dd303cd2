/* SPDX-License-Identifier: MIT */
#include "uid_set.h"

#include "trolley/types.h"
#include <stdlib.h>

/* FNV-1a with a final mix; never 0, which marks a free slot. */
static uint64_t uid_set_hash(const char *uid)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *uid; uid++)
        hash = (hash ^ (unsigned char)*uid) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

/* The slot that holds `hash`, or the free one where it belongs. */
static uint64_t *uid_set_slot(uint64_t *slots, size_t capacity, uint64_t hash)
{
    size_t at = (size_t)hash & (capacity - 1);

    while (slots[at] && slots[at] != hash)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static int uid_set_grow(struct kit_uid_set *set)
{
    size_t capacity = set->capacity ? set->capacity * 2 : 256;
    uint64_t *slots;
    size_t i;

    if (set->count >= KIT_UID_SET_MAX) return TROLLEY_ERR_TOO_LARGE;
    slots = calloc(capacity, sizeof *slots);
    if (!slots) return TROLLEY_ERR_NOMEM;
    for (i = 0; i < set->capacity; i++)
        if (set->slots[i]) *uid_set_slot(slots, capacity, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return 0;
}

int kit_uid_set_add(struct kit_uid_set *set, const char *uid, bool *ret_fresh)
{
    uint64_t hash = uid_set_hash(uid);
    uint64_t *slot;

    if (set->count >= set->capacity - set->capacity / 4) {
        int r = uid_set_grow(set);
        if (r < 0) return r;
    }
    slot = uid_set_slot(set->slots, set->capacity, hash);
    *ret_fresh = *slot == 0;
    if (*ret_fresh) set->count++;
    *slot = hash;
    return 0;
}

void kit_uid_set_free(struct kit_uid_set *set)
{
    free(set->slots);
    set->slots = NULL;
    set->capacity = set->count = 0;
}
