/* hash.h: a keyed hash for tables that hold what servers send. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_HASH_H
#define CORE_MODEL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A secret of the table: without it nobody can make keys that collide. */
struct hash_key {
    uint64_t words[2];
};

void hash_key_init(struct hash_key *key);

/* SipHash-1-3 of `data`. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t length);

#endif
