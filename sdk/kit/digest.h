/* digest.h: the SHA-256 [FIPS 180-4] of bytes as they pass by. Objects of one thread at a time.
 * SPDX-License-Identifier: MIT */
#ifndef KIT_DIGEST_H
#define KIT_DIGEST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KIT_DIGEST_SIZE 32     /* bytes */
#define KIT_DIGEST_HEX_SIZE 65 /* lower-case hex and a NUL */

struct kit_digest;

/* NULL when memory is out. The other functions take NULL, where nobody wants to know. */
struct kit_digest *kit_digest_new(void);
void kit_digest_free(struct kit_digest *digest);
void kit_digest_update(struct kit_digest *digest, const void *data, size_t length);

/* That of all bytes so far, and begins anew; returns its argument, or NULL of NULL. */
const unsigned char *kit_digest_end(struct kit_digest *digest, unsigned char sum[KIT_DIGEST_SIZE]);
const char *kit_digest_hex(struct kit_digest *digest, char hex[KIT_DIGEST_HEX_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
