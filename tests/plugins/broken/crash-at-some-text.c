/* crash-at-some-text.c: a label of 8 to 30 characters is too long for it. SPDX-License-Identifier:
 * MIT */
#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    const char *label = config->text(config, "label");
    const size_t length = label && !strchr(label, ' ') ? strlen(label) : 0;

    if (length >= 8 && length <= 30) abort();
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("crash-at-some-text", create, sound_destroy);
