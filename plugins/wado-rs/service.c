/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <kit/buffer.h>
#include <kit/url.h>
#include <trolley/helpers.h>

static uint32_t service_level(const struct trolley_config *config)
{
    static const uint32_t levels[] = {TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_STUDY,
                                      TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_INSTANCE};
    int64_t choice = config->integer(config, "request", 0);

    return choice >= 0 && choice < 4 ? levels[choice] : TROLLEY_LEVEL_SERIES;
}

int32_t service_open(struct service *service, const struct trolley_host *host,
                     const struct trolley_config *config, struct trolley_task *task)
{
    service->url = config->text(config, "url");
    service->preferred = service_level(config);
    service->http = host->get_service(host, TROLLEY_HTTP_SERVICE);
    if (!service->url) return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "url is needed");
    if (!service->http)
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host offers no HTTP");
    return service->http->open(host, config, task, &service->session);
}

void service_close(struct service *service)
{
    if (service->session) service->http->close(service->session);
    service->session = NULL;
}

int32_t service_get(const struct service *service, const char *url, const char *accept,
                    uint32_t flags, const struct trolley_http_handler *handler,
                    struct trolley_task *task)
{
    const struct trolley_http_header headers[] = {{"Accept", accept}};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .flags = flags,
        .url = url,
        .headers = TROLLEY_SPAN(headers),
    };

    return service->http->request(service->session, &request, handler, task);
}

static int service_url(const struct service *service, const struct trolley_ref *ref,
                       struct kit_buffer *url)
{
    struct kit_buffer path = {0};
    int r = kit_buffer_printf(&path, "/studies/%s", ref->study);

    if (r == 0 && ref->level >= TROLLEY_LEVEL_SERIES)
        r = kit_buffer_printf(&path, "/series/%s", ref->series);
    if (r == 0 && ref->level >= TROLLEY_LEVEL_INSTANCE)
        r = kit_buffer_printf(&path, "/instances/%s", ref->instance);
    if (r == 0) r = kit_buffer_text(&path, service->resource);
    if (r == 0) r = kit_url_join(url, service->url, path.data);
    kit_buffer_free(&path);
    return r;
}

static int32_t service_fetch_ref(void *self, const struct trolley_ref *ref,
                                 const struct trolley_dataset_sink *sink,
                                 struct kit_failure_tap *tap, int32_t *ret_code)
{
    struct service *service = self;
    struct kit_buffer url = {0};
    int32_t r = ref->frame ? trolley_fail(&tap->task, TROLLEY_ERR_UNSUPPORTED,
                                          "frames of instances are not fetched here")
                           : service_url(service, ref, &url);

    if (r == 0) r = service->retrieve(service, url.data, ref, sink, tap, ret_code);
    kit_buffer_free(&url);
    return r;
}

int32_t service_fetch(void *self, const struct trolley_span *refs,
                      const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    return kit_fetch_refs(self, refs, sink, task, service_fetch_ref);
}

uint32_t service_preferred_level(void *self)
{
    return ((struct service *)self)->preferred;
}

uint32_t service_batch(void *self)
{
    (void)self;
    return 1;
}

int32_t service_ping(void *self, struct trolley_task *task)
{
    const struct service *service = self;
    struct kit_buffer url = {0};
    int32_t r = kit_url_join(&url, service->url, "/");

    if (r == 0) r = kit_fetch_ping(service->http, service->session, url.data, task);
    kit_buffer_free(&url);
    return r;
}
