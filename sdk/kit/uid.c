/* SPDX-License-Identifier: MIT */
#include "uid.h"

#include <stddef.h>

bool kit_uid_valid(const char *text)
{
    bool in_component = false;
    size_t i;

    if (!text) return false;
    for (i = 0; text[i]; i++) {
        if (i == KIT_UID_MAX) return false;
        if (text[i] == '.') {
            if (!in_component) return false;
            in_component = false;
        } else if (text[i] >= '0' && text[i] <= '9') {
            in_component = true;
        } else {
            return false;
        }
    }
    return in_component;
}
