/*
 * match.h: does an attribute's value match a query key? [PS3.4 C.2.2.2]
 * Used by searchers that match themselves and by the host, which matches every answer again.
 * SPDX-License-Identifier: MIT
 */
#ifndef KIT_MATCH_H
#define KIT_MATCH_H

#include <stdbool.h>
#include <trolley/query.h>
#include <trolley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One value against one key value, by VR: single value, wildcard (`*`, `?` where the VR allows
 * them: AE, CS, LO, LT, PN, SH, ST, UC, UR, UT), range (DA, TM, DT: "A-B", "A-", "-B"; partial
 * times and dates as PS3.4 C.2.2.2.5), padding ignored. PN: without case, and a key without '='
 * matches any component group; trailing '^' are ignored. An empty key matches everything (universal
 * matching). Numbers (IS, DS) by value. Others byte for byte.
 */
bool kit_match_value(const char *vr, const char *key, const char *value);

/*
 * All alternatives of a key against all values of an attribute: true when any pair matches. An
 * attribute without a value matches only universal keys ("" or "*").
 * @param keys, values  spans of const char *
 */
bool kit_match(const char *vr, const struct trolley_span *keys, const struct trolley_span *values);

#ifdef __cplusplus
}
#endif
#endif
