/* hang-in-create.c: create never returns. SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    while (!task->cancelled(task))
        (void)pause();
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("hang-in-create", create, sound_destroy);
