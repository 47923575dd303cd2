/* uid.h: unique identifiers [PS3.5 9.1]. SPDX-License-Identifier: MIT */
#ifndef KIT_UID_H
#define KIT_UID_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KIT_UID_MAX 64

/* Digits and dots, 1 to 64 characters, no empty component. Leading zeros in a component are against
 * the standard but seen in the wild: accepted, they are harmless in paths and URLs. */
bool kit_uid_valid(const char *text);

#ifdef __cplusplus
}
#endif
#endif
