/* leak.c: destroy forgets the instance. SPDX-License-Identifier: MIT */
#include "../sound.h"

static void destroy(void *self)
{
    (void)self;
}

SOUND_CREATOR("leak", sound_create, destroy);
