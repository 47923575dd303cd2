/* uid_set.h: which UIDs have come already, 10 to 22 bytes each. SPDX-License-Identifier: MIT */
#ifndef QIDO_RS_UID_SET_H
#define QIDO_RS_UID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised. Holds hashes of 64 bits: among a million UIDs, two differing ones are taken for
 * one with a chance below one in ten million. */
struct uid_set {
    uint64_t *slots;
    size_t capacity, count;
};
#define UID_SET_MAX ((size_t)1 << 25) /* most UIDs */

/* Adds a UID. Sets *ret_fresh to whether it was not there. Errors: NOMEM, TOO_LARGE. */
int uid_set_add(struct uid_set *set, const char *uid, bool *ret_fresh);
void uid_set_free(struct uid_set *set);

#endif
