/* second-symbol.c: a helper that is not static. SPDX-License-Identifier: MIT */
#include "../sound.h"

int32_t broken_helper(void);

int32_t broken_helper(void)
{
    return TROLLEY_OK;
}

SOUND_CREATOR("second-symbol", sound_create, sound_destroy);
