/* crash-at-extreme.c: divides by an option that may be 0. SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    volatile int64_t number = config->integer(config, "number", 10);

    if (1000 / number > 1000) return TROLLEY_ERR_INVALID_CONFIG;
    if (number == 0) abort(); /* machines whose division by 0 goes on */
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("crash-at-extreme", create, sound_destroy);
