/* store.h: answers by key, for a time, within a bound of bytes. Times are milliseconds of the clock
 * on the wall, since they outlive the process. Everything here is for any thread.
 * SPDX-License-Identifier: MIT */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include <stddef.h>
#include <stdint.h>

struct store;

/* One answer. Immutable; lives until it is released, even when the store has dropped it. */
struct store_entry {
    struct store_entry *chain; /* of the same bucket */
    struct store_entry *older, *newer;
    uint64_t hash;
    unsigned users; /* the store itself is one */
    int64_t born_ms;
    char *key;
    size_t key_length; /* without the NUL that follows */
    char *answer;
    size_t answer_length;
};

/* @param expiry_ms  how long an answer is good
 * @param max_bytes  the oldest go when keys and answers exceed it. Errors: NOMEM. */
int store_new(int64_t expiry_ms, uint64_t max_bytes, struct store **ret_store);
void store_free(struct store *store); /* NULL is a no-op; all entries must have been released */

/* The answer to a key that is good at `now_ms`; NULL when there is none. One of the future, as
 * after a clock that was set back, is none. Release it. */
struct store_entry *store_find(struct store *store, const char *key, size_t length, int64_t now_ms);
void store_release(struct store *store, struct store_entry *entry);

/* Keeps copies in place of an older answer to that key. What is larger than the bound is not kept.
 * Errors: NOMEM. */
int store_add(struct store *store, const char *key, size_t key_length, const char *answer,
              size_t answer_length, int64_t born_ms);

/* Hands out what is good at `now_ms`, the oldest first; ends with what `take` returns when that is
 * negative. `take` must not call the store. */
int store_each(struct store *store, int64_t now_ms,
               int (*take)(void *ctx, const struct store_entry *entry), void *ctx);

#endif
