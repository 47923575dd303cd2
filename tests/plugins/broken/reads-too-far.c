/* reads-too-far.c: reads the host behind the size it has in contract 1.0. SPDX-License-Identifier:
 * MIT */
#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    const volatile unsigned char *behind = (const volatile unsigned char *)(host + 1);

    if (*behind == 0 && behind[1] == 255) return TROLLEY_ERR_INTERNAL;
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("reads-too-far", create, sound_destroy);
