/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

#define STORE_BUCKETS 4096

struct store {
    pthread_mutex_t lock;
    int64_t expiry_ms;
    uint64_t max_bytes, bytes;
    struct store_entry *oldest, *newest;
    struct store_entry *buckets[STORE_BUCKETS];
};

int store_new(int64_t expiry_ms, uint64_t max_bytes, struct store **ret_store)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store) return TROLLEY_ERR_NOMEM;
    (void)pthread_mutex_init(&store->lock, NULL);
    store->expiry_ms = expiry_ms;
    store->max_bytes = max_bytes;
    *ret_store = store;
    return 0;
}

/* FNV-1a */
static uint64_t store_hash(const char *key, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t entry_bytes(const struct store_entry *entry)
{
    return sizeof *entry + entry->key_length + 1 + entry->answer_length;
}

static void entry_put(struct store_entry *entry)
{
    if (!entry || --entry->users) return;
    free(entry->key);
    free(entry->answer);
    free(entry);
}

static bool entry_good(const struct store *store, const struct store_entry *entry, int64_t now_ms)
{
    return entry->born_ms <= now_ms && now_ms - entry->born_ms < store->expiry_ms;
}

/* Takes an entry out; who uses it keeps it. */
static void store_drop(struct store *store, struct store_entry *entry)
{
    struct store_entry **at = &store->buckets[entry->hash % STORE_BUCKETS];

    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    *(entry->older ? &entry->older->newer : &store->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &store->newest) = entry->older;
    store->bytes -= entry_bytes(entry);
    entry_put(entry);
}

static void store_insert(struct store *store, struct store_entry *entry)
{
    struct store_entry **bucket = &store->buckets[entry->hash % STORE_BUCKETS];

    entry->chain = *bucket;
    *bucket = entry;
    entry->older = store->newest;
    *(store->newest ? &store->newest->newer : &store->oldest) = entry;
    store->newest = entry;
    store->bytes += entry_bytes(entry);
}

static struct store_entry *store_lookup(const struct store *store, uint64_t hash, const char *key,
                                        size_t length)
{
    struct store_entry *entry = store->buckets[hash % STORE_BUCKETS];

    while (entry && (entry->hash != hash || entry->key_length != length ||
                     memcmp(entry->key, key, length) != 0))
        entry = entry->chain;
    return entry;
}

void store_free(struct store *store)
{
    if (!store) return;
    while (store->oldest)
        store_drop(store, store->oldest);
    (void)pthread_mutex_destroy(&store->lock);
    free(store);
}

struct store_entry *store_find(struct store *store, const char *key, size_t length, int64_t now_ms)
{
    struct store_entry *entry;

    (void)pthread_mutex_lock(&store->lock);
    entry = store_lookup(store, store_hash(key, length), key, length);
    if (entry && !entry_good(store, entry, now_ms)) {
        store_drop(store, entry);
        entry = NULL;
    }
    if (entry) entry->users++;
    (void)pthread_mutex_unlock(&store->lock);
    return entry;
}

void store_release(struct store *store, struct store_entry *entry)
{
    (void)pthread_mutex_lock(&store->lock);
    entry_put(entry);
    (void)pthread_mutex_unlock(&store->lock);
}

static char *copy_bytes(const char *bytes, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy) return NULL;
    if (length) memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

int store_add(struct store *store, const char *key, size_t key_length, const char *answer,
              size_t answer_length, int64_t born_ms)
{
    struct store_entry *entry = calloc(1, sizeof *entry), *old;

    if (!entry) return TROLLEY_ERR_NOMEM;
    entry->users = 1;
    entry->hash = store_hash(key, key_length);
    entry->born_ms = born_ms;
    entry->key_length = key_length;
    entry->answer_length = answer_length;
    entry->key = copy_bytes(key, key_length);
    entry->answer = copy_bytes(answer, answer_length);
    if (!entry->key || !entry->answer || entry_bytes(entry) > store->max_bytes) {
        bool large = entry->key && entry->answer;

        entry_put(entry);
        return large ? 0 : TROLLEY_ERR_NOMEM;
    }
    (void)pthread_mutex_lock(&store->lock);
    old = store_lookup(store, entry->hash, key, key_length);
    if (old) store_drop(store, old);
    store_insert(store, entry);
    while (store->bytes > store->max_bytes)
        store_drop(store, store->oldest);
    (void)pthread_mutex_unlock(&store->lock);
    return 0;
}

int store_each(struct store *store, int64_t now_ms,
               int (*take)(void *ctx, const struct store_entry *entry), void *ctx)
{
    int r = 0;

    (void)pthread_mutex_lock(&store->lock);
    for (const struct store_entry *entry = store->oldest; entry && r >= 0; entry = entry->newer)
        if (entry_good(store, entry, now_ms)) r = take(ctx, entry);
    (void)pthread_mutex_unlock(&store->lock);
    return r < 0 ? r : 0;
}
