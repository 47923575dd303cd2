/* crash-in-create.c: create writes to nowhere. SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    volatile int *volatile nowhere = NULL; /* read at run time: the compiler cannot know it */

    *nowhere = 1;
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("crash-in-create", create, sound_destroy);
