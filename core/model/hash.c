/* SPDX-License-Identifier: MIT */
#include "core/model/hash.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void hash_key_init(struct hash_key *key)
{
    struct timespec now;

    if (getrandom(key->words, sizeof key->words, GRND_NONBLOCK) == (ssize_t)sizeof key->words)
        return;
    /* Early in boot there is no entropy: harder to guess than a constant, no more. */
    (void)clock_gettime(CLOCK_REALTIME, &now);
    key->words[0] = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)key;
    key->words[1] = (uint64_t)now.tv_sec * UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t hash_rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void hash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = hash_rotate(v[1], 13) ^ v[0];
    v[3] = hash_rotate(v[3], 16) ^ v[2];
    v[0] = hash_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = hash_rotate(v[1], 17) ^ v[2];
    v[3] = hash_rotate(v[3], 21) ^ v[0];
    v[2] = hash_rotate(v[2], 32);
}

static void hash_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    hash_round(v);
    v[0] ^= word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t length)
{
    uint64_t v[4] = {
        key->words[0] ^ UINT64_C(0x736f6d6570736575), key->words[1] ^ UINT64_C(0x646f72616e646f6d),
        key->words[0] ^ UINT64_C(0x6c7967656e657261), key->words[1] ^ UINT64_C(0x7465646279746573)};
    const char *p = data;
    uint64_t word;
    size_t left;

    for (left = length; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        hash_word(v, le64toh(word));
    }
    word = 0;
    if (left) memcpy(&word, p, left);
    hash_word(v, le64toh(word) | (uint64_t)length << 56);
    v[2] ^= 0xFF;
    hash_round(v);
    hash_round(v);
    hash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
