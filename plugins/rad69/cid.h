/* cid.h: which part of the answer an xop:Include means [RFC 2392; XOP 1.0 2.1].
 * SPDX-License-Identifier: MIT */
#ifndef RAD69_CID_H
#define RAD69_CID_H

#include <stdbool.h>

#define CID_MAX 512

/* An xop:Include's href or a part's Content-ID, without white space, "cid:" and angle brackets. */
struct cid {
    char plain[CID_MAX];
    char decoded[CID_MAX]; /* percent-decoded */
};

/* False, and *ret_cid is untouched, for what is empty or too long to be one. */
bool cid_read(const char *text, struct cid *ret_cid);

/* Does the decoded href of an Include name the part? Servers that percent-encode the Content-ID
 * itself are understood. */
bool cid_names(const char *decoded_href, const struct cid *content_id);

#endif
