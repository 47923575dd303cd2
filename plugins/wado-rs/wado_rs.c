/* wado-rs: downloads instances over DICOMweb [PS3.18 10.4]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "fetch.h"

static const char wado_default_accept[] =
    "multipart/related; type=\"application/dicom\"; transfer-syntax=*";

static const struct trolley_option wado_option_table[] = {
    SERVICE_OPTION_URL,
    SERVICE_OPTION_REQUEST,
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "accept",
     .default_text = wado_default_accept,
     .help = "Accept header of the first attempt; refused ones are followed by plainer ones",
     .metavar = "MEDIA-TYPE"},
};
static const struct trolley_span wado_options = TROLLEY_SPAN(wado_option_table);

static int32_t wado_open(const struct trolley_host *host, const struct trolley_config *config,
                         struct trolley_task *task, void **shared)
{
    struct wado_shared *made = calloc(1, sizeof *made);

    (void)host, (void)config, (void)task;
    if (!made) return TROLLEY_ERR_NOMEM;
    atomic_init(&made->accept, 0);
    *shared = made;
    return 0;
}

static void wado_destroy(void *self)
{
    struct wado *wado = self;

    if (!wado) return;
    service_close(&wado->service);
    free(wado);
}

static int32_t wado_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct wado *wado = calloc(1, sizeof *wado);
    int32_t r;

    if (!wado) return TROLLEY_ERR_NOMEM;
    wado->service.resource = "";
    wado->service.retrieve = wado_retrieve;
    wado->shared = shared;
    wado->accept = config->text(config, "accept");
    if (!wado->accept) wado->accept = wado_default_accept;
    r = service_open(&wado->service, host, config, task);
    if (r < 0) {
        wado_destroy(wado);
        return r;
    }
    *self = wado;
    return 0;
}

static const void *wado_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = service_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops wado_ops = {
    .size = sizeof wado_ops,
    .fetch = service_fetch,
    .preferred_level = service_preferred_level,
    .batch = service_batch,
};

static const struct trolley_component wado_component = {
    .size = sizeof wado_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "WADO-RS, whole studies, series or instances as one stream",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &wado_options,
    .levels = SERVICE_LEVELS,
    .open = wado_open,
    .close = free,
    .create = wado_create,
    .destroy = wado_destroy,
    .ops = &wado_ops,
    .get_interface = wado_get_interface,
};

static const struct trolley_component *const wado_components[] = {&wado_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "wado-rs",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Downloads over DICOMweb's WADO-RS",
        .components = wado_components,
    };

    return &plugin;
}
