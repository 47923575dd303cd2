/* prefetch_state.c: the names of tasks' states. SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "core/trolley_prefetch.h"

static const char *const state_names[] = {
    NULL,      "SCHEDULED", "IN PROCESS", "COMPLETED",
    "WARNING", "FAILED",    "CANCELED",   "SCHEDULED FOR RETRY",
};
#define STATES (sizeof state_names / sizeof state_names[0])

const char *trolley_prefetch_state_name(uint32_t state)
{
    return state < STATES ? state_names[state] : NULL;
}

uint32_t trolley_prefetch_state_parse(const char *name)
{
    char text[32];
    size_t i, length = strlen(name);

    if (length >= sizeof text) return 0;
    for (i = 0; i <= length; i++)
        text[i] = name[i] == '-' || name[i] == '_' ? ' ' : name[i];
    if (strcasecmp(text, "RETRY") == 0) return TROLLEY_PREFETCH_RETRY;
    for (i = 1; i < STATES; i++)
        if (strcasecmp(text, state_names[i]) == 0) return (uint32_t)i;
    return 0;
}
