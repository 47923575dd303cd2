/* wado-rs: downloads instances over DICOMweb [PS3.18 10.4]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "fetch.h"

static const char wado_default_accept[] =
    "multipart/related; type=\"application/dicom\"; transfer-syntax=*";

static const struct trolley_option wado_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "url",
     .help = "Base of the DICOMweb service, to which /studies/... is added"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .key = "request",
     .default_text = "auto",
     .choices = "auto,study,series,instance",
     .help = "What one request asks for; auto asks for series, so that several come at once"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "accept",
     .default_text = wado_default_accept,
     .help = "Accept header of the first attempt; refused ones are followed by plainer ones",
     .metavar = "MEDIA-TYPE"},
};
static const struct trolley_span wado_options = TROLLEY_SPAN(wado_option_table);

static uint32_t wado_level(const struct trolley_config *config)
{
    static const uint32_t levels[] = {TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_STUDY,
                                      TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_INSTANCE};
    int64_t choice = config->integer(config, "request", 0);

    return choice >= 0 && choice < 4 ? levels[choice] : TROLLEY_LEVEL_SERIES;
}

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
    if (wado->session) wado->http->close(wado->session);
    free(wado);
}

static int32_t wado_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct wado *wado = calloc(1, sizeof *wado);
    int32_t r;

    if (!wado) return TROLLEY_ERR_NOMEM;
    wado->host = host;
    wado->shared = shared;
    wado->url = config->text(config, "url");
    wado->accept = config->text(config, "accept");
    wado->preferred = wado_level(config);
    wado->http = host->get_service(host, TROLLEY_HTTP_SERVICE);
    if (!wado->accept) wado->accept = wado_default_accept;
    if (!wado->url)
        r = trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "wado-rs needs url");
    else if (!wado->http)
        r = trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host offers no HTTP");
    else
        r = wado->http->open(host, config, task, &wado->session);
    if (r < 0) {
        wado_destroy(wado);
        return r;
    }
    *self = wado;
    return 0;
}

static uint32_t wado_preferred_level(void *self)
{
    return ((struct wado *)self)->preferred;
}

static uint32_t wado_batch(void *self)
{
    (void)self;
    return 1;
}

static const void *wado_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = wado_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops wado_ops = {
    .size = sizeof wado_ops,
    .fetch = wado_fetch,
    .preferred_level = wado_preferred_level,
    .batch = wado_batch,
};

static const struct trolley_component wado_component = {
    .size = sizeof wado_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "WADO-RS, whole studies, series or instances as one stream",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &wado_options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
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
