/* SPDX-License-Identifier: MIT */
#include "core/retrieve/digest.h"

#include <openssl/evp.h>

/* libcrypto's context under the host's own name. */
static EVP_MD_CTX *context(struct digest *digest)
{
    return (EVP_MD_CTX *)digest;
}

struct digest *digest_new(void)
{
    EVP_MD_CTX *made = EVP_MD_CTX_new();

    if (made && EVP_DigestInit_ex(made, EVP_sha256(), NULL) == 1) return (struct digest *)made;
    EVP_MD_CTX_free(made);
    return NULL;
}

void digest_free(struct digest *digest)
{
    EVP_MD_CTX_free(context(digest));
}

void digest_update(struct digest *digest, const void *data, size_t length)
{
    if (digest) (void)EVP_DigestUpdate(context(digest), data, length);
}

const char *digest_hex(struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int length = 0, i;

    if (!digest || EVP_DigestFinal_ex(context(digest), raw, &length) != 1 || length != 32)
        return NULL;
    for (i = 0; i < length; i++) {
        hex[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    hex[64] = '\0';
    return hex;
}
