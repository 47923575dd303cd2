/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdlib.h>

struct kit_digest {
    struct sha256_ctx sha256;
};

struct kit_digest *kit_digest_new(void)
{
    struct kit_digest *digest = malloc(sizeof *digest);

    if (digest) sha256_init(&digest->sha256);
    return digest;
}

void kit_digest_free(struct kit_digest *digest)
{
    free(digest);
}

void kit_digest_update(struct kit_digest *digest, const void *data, size_t length)
{
    if (digest) sha256_update(&digest->sha256, length, data);
}

const unsigned char *kit_digest_end(struct kit_digest *digest, unsigned char sum[KIT_DIGEST_SIZE])
{
    if (!digest) return NULL;
    sha256_digest(&digest->sha256, KIT_DIGEST_SIZE, sum);
    return sum;
}

const char *kit_digest_hex(struct kit_digest *digest, char hex[KIT_DIGEST_HEX_SIZE])
{
    unsigned char sum[KIT_DIGEST_SIZE];

    if (!kit_digest_end(digest, sum)) return NULL;
    base16_encode_update(hex, sizeof sum, sum);
    hex[KIT_DIGEST_HEX_SIZE - 1] = '\0';
    return hex;
}
