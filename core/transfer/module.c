/*
 * The service "trolley.http/1": doors are opened and closed here. SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "core/transfer/session.h"

/* Set once, before anything else is called. */
static const struct transfer_host *module_host;

static void module_close(struct trolley_http_session *door)
{
    if (!door) return;
    for (size_t i = 0; i < TRANSFER_KINDS; i++)
        curl_easy_cleanup(door->easy[i]);
    if (door->multi) (void)curl_multi_cleanup(door->multi);
    if (door->session) transfer_session_put(door->session);
    free(door);
}

static int32_t module_open(const struct trolley_host *host, const struct trolley_config *config,
                           struct trolley_task *task, struct trolley_http_session **ret_door)
{
    struct transfer_session_info info = {0};
    struct trolley_http_session *door;
    int32_t r;

    r = module_host->session_info(host, config, &info, task);
    if (r < 0) return r;
    door = calloc(1, sizeof *door);
    if (!door) return TROLLEY_ERR_NOMEM;
    door->host = host;
    r = transfer_session_get(&info, host, task, &door->session);
    if (r == 0 && !(door->multi = curl_multi_init())) r = TROLLEY_ERR_NOMEM;
    if (r < 0) {
        module_close(door);
        return r;
    }
    *ret_door = door;
    return TROLLEY_OK;
}

const struct trolley_http_service *trolley_transfer_module(const struct transfer_host *host)
{
    static const struct trolley_http_service service = {
        .size = sizeof service,
        .open = module_open,
        .close = module_close,
        .request = transfer_request,
    };

    if (!module_host && curl_global_init(CURL_GLOBAL_DEFAULT)) return NULL;
    module_host = host;
    return &service;
}
