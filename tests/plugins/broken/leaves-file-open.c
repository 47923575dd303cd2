/* leaves-file-open.c: create opens a file that destroy does not close. SPDX-License-Identifier: MIT
 */
#include <fcntl.h>

#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return TROLLEY_ERR_IO;
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("leaves-file-open", create, sound_destroy);
