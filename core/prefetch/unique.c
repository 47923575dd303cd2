/* unique.c: bodies that are the same and should not be. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"
#include "core/model/hash.h"
#include "core/prefetch/job.h"

#define UNIQUE_SLOTS (1u << 14)

struct unique_slot {
    uint64_t digest, instance; /* 0: empty */
    uint32_t url, frame;
};

struct unique {
    struct hash_key key;
    struct unique_slot slots[UNIQUE_SLOTS];
};

int unique_new(struct unique **ret_unique)
{
    struct unique *unique = calloc(1, sizeof *unique);

    if (!unique) return TROLLEY_ERR_NOMEM;
    hash_key_init(&unique->key);
    *ret_unique = unique;
    return 0;
}

void unique_free(struct unique *unique)
{
    free(unique);
}

bool unique_note(struct unique *unique, const struct job_item *item, const unsigned char digest[32],
                 uint32_t *ret_url, uint32_t *ret_frame)
{
    const uint64_t instance = hash_bytes(&unique->key, item->instance, strlen(item->instance)) | 1;
    struct unique_slot *slot;
    uint64_t body;
    bool same;

    memcpy(&body, digest, sizeof body);
    slot = &unique->slots[(body ^ instance) % UNIQUE_SLOTS];
    same = slot->instance == instance && slot->digest == body &&
           (slot->url != item->url || slot->frame != item->frame);
    if (same) {
        *ret_url = slot->url;
        *ret_frame = slot->frame;
        return true;
    }
    *slot = (struct unique_slot){body, instance, item->url, item->frame};
    return false;
}
