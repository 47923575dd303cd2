/* needs-a-service.c: uses the dictionary without asking whether there is one.
 * SPDX-License-Identifier: MIT */
#include "../sound.h"

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    const struct trolley_dictionary_service *dictionary =
        host->get_service(host, TROLLEY_DICTIONARY_SERVICE);

    if (!dictionary->tag("PatientName")) return TROLLEY_ERR_INTERNAL;
    return sound_create(host, config, shared, task, self);
}

SOUND_CREATOR("needs-a-service", create, sound_destroy);
