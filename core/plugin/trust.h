/* trust.h: may code be loaded from here? SPDX-License-Identifier: MIT */
#ifndef CORE_PLUGIN_TRUST_H
#define CORE_PLUGIN_TRUST_H

#include <stdbool.h>

#include "core/model/error.h"

/*
 * An absolute path is trusted when it and all its parents are owned by root or the user and no one
 * else may write them; a sticky directory (/tmp) is no danger as a parent. Links are resolved
 * first. Errors: NOT_FOUND, INVALID_CONFIG (names the part that is open and what to do).
 */
int trust_path(const char *path, struct trolley_error *error);

#endif
