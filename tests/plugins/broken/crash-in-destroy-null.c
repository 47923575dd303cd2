/* crash-in-destroy-null.c: destroy looks into what it is given. SPDX-License-Identifier: MIT */
#include "../sound.h"

static void destroy(void *self)
{
    volatile struct sound *sound = self;

    sound->kept = NULL;
    free(self);
}

SOUND_CREATOR("crash-in-destroy-null", sound_create, destroy);
