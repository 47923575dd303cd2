/* uid_set.h: which UIDs have come already, 10 to 22 bytes each. SPDX-License-Identifier: MIT */
#ifndef KIT_UID_SET_H
#define KIT_UID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialised. Holds hashes of 64 bits: among a million UIDs, two differing ones are taken for
 * one with a chance below one in ten million. */
struct kit_uid_set {
    uint64_t *slots;
    size_t capacity, count;
};
#define KIT_UID_SET_MAX ((size_t)1 << 25) /* most UIDs */

/* Adds a UID. Sets *ret_fresh to whether it was not there. Errors: NOMEM, TOO_LARGE. */
int kit_uid_set_add(struct kit_uid_set *set, const char *uid, bool *ret_fresh);
void kit_uid_set_free(struct kit_uid_set *set);

#ifdef __cplusplus
}
#endif
#endif
