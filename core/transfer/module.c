/*
 * The service "trolley.http/1": doors are opened and closed here. SPDX-License-Identifier: MIT
 */
#include <stdio.h>
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
    for (uint32_t i = 0; i < door->home_count; i++)
        free(door->homes[i]);
    free(door->homes);
    free(door);
}

/* Notes whom the section means to speak to. */
static int module_note_homes(struct trolley_http_session *door, const struct trolley_config *config)
{
    const char *url;

    if (!module_host->home) return 0;
    door->homes = calloc(TRANSFER_HOMES_MAX, sizeof *door->homes);
    if (!door->homes) return TROLLEY_ERR_NOMEM;
    while (door->home_count < TRANSFER_HOMES_MAX &&
           (url = module_host->home(config, door->home_count))) {
        door->homes[door->home_count] = strdup(url);
        if (!door->homes[door->home_count]) return TROLLEY_ERR_NOMEM;
        door->home_count++;
    }
    return 0;
}

/* A section with a type is a component's; the log names it as messages do. */
static void module_title(struct trolley_http_session *door, const struct trolley_config *config)
{
    const char *type = config->text(config, "type");

    if (type && config->section)
        (void)snprintf(door->title, sizeof door->title, "%s %s", type, config->section);
    else
        (void)snprintf(door->title, sizeof door->title, "transfer");
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
    module_title(door, config);
    r = transfer_session_get(&info, host, task, &door->session);
    if (r == 0) r = module_note_homes(door, config);
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
