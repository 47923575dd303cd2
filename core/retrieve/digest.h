/*
 * digest.h: the SHA-256 of an instance as its bytes pass by. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_DIGEST_H
#define CORE_RETRIEVE_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65

struct digest;

/* NULL when memory is out. The other functions take NULL, where nobody wants to know. */
struct digest *digest_new(void);
void digest_free(struct digest *digest);
void digest_update(struct digest *digest, const void *data, size_t length);

/* Hex of all bytes so far, in `hex`; call it once. NULL of NULL, or when it could not be computed.
 */
const char *digest_hex(struct digest *digest, char hex[DIGEST_HEX_SIZE]);

#endif
