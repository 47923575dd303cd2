/* wado-uri: downloads instances, or images rendered of them, by WADO-URI [PS3.18 9].
 * SPDX-License-Identifier: MIT */
#include <kit/fetch.h>
#include <kit/url.h>
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "answer.h"
#include "request.h"

/* One thread's instance. */
struct wado {
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
    struct request request;
    struct trolley_meta delivers;
};

static const struct trolley_option wado_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "url",
     .help = "Where requests go; a query in it stays"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .key = "content_type",
     .default_text = "application/dicom",
     .choices = "application/dicom,image/jpeg,image/png",
     .help = "Instances as they are, or images that the server renders"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "transfer_syntax",
     .help = "Transfer syntax to ask for; without it the server's choice",
     .metavar = "UID"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_BOOL,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "anonymize",
     .help = "Ask for instances without what identifies the patient"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "frame",
     .min = 1,
     .max = INT32_MAX,
     .help = "Frame to render; without it the server's choice",
     .metavar = "N"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "rows",
     .min = 1,
     .max = 65535,
     .help = "Most rows of a rendered image",
     .metavar = "PIXELS"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "columns",
     .min = 1,
     .max = 65535,
     .help = "Most columns of a rendered image",
     .metavar = "PIXELS"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "window_center",
     .help = "Luminosity of a rendered image, with window_width",
     .metavar = "NUMBER"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "window_width",
     .help = "Contrast of a rendered image, with window_center",
     .metavar = "NUMBER"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "image_quality",
     .min = 1,
     .max = 100,
     .help = "Quality of a lossy rendered image, 100 is best",
     .metavar = "N"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "region",
     .help = "Part of the image to render, from 0 to 1 of its size",
     .metavar = "LEFT,TOP,RIGHT,BOTTOM"},
};
static const struct trolley_span wado_options = TROLLEY_SPAN(wado_option_table);

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

    (void)shared;
    if (!wado) return TROLLEY_ERR_NOMEM;
    wado->http = host->get_service(host, TROLLEY_HTTP_SERVICE);
    r = request_configure(&wado->request, config, task);
    if (r == 0 && !wado->http)
        r = trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host offers no HTTP");
    if (r == 0) r = wado->http->open(host, config, task, &wado->session);
    if (r < 0) {
        wado_destroy(wado);
        return r;
    }
    wado->delivers.size = sizeof wado->delivers;
    wado->delivers.content_type = wado->request.content_type;
    wado->delivers.variant = wado->request.rendered ? "rendered" : NULL;
    wado->delivers.frame = (uint32_t)wado->request.frame;
    *self = wado;
    return 0;
}

/* ---- operations ---- */

static int32_t wado_retrieve(struct wado *wado, struct answer *answer)
{
    const struct trolley_http_header headers[] = {{"Accept", wado->request.content_type}};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .url = answer->url,
        .headers = TROLLEY_SPAN(headers),
    };
    const struct trolley_http_handler handler = answer_handler(answer);
    int32_t r = wado->http->request(wado->session, &request, &handler, &answer->tap->task);

    return answer_finish(answer, r);
}

static int32_t wado_fetch_ref(void *self, const struct trolley_ref *ref,
                              const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap,
                              int32_t *ret_code)
{
    struct wado *wado = self;
    struct answer answer = {.ref = ref, .delivers = &wado->delivers, .sink = sink, .tap = tap};
    struct kit_buffer url = {0};
    int32_t r;

    if (ref->level != TROLLEY_LEVEL_INSTANCE)
        return trolley_fail(&tap->task, TROLLEY_ERR_NEED_DEEPER_REF,
                            "WADO-URI knows instances only");
    r = request_url(&wado->request, ref, &url);
    answer.url = url.data;
    if (r == 0) r = wado_retrieve(wado, &answer);
    *ret_code = answer.status;
    kit_buffer_free(&url);
    return r;
}

static int32_t wado_fetch(void *self, const struct trolley_span *refs,
                          const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    return kit_fetch_refs(self, refs, sink, task, wado_fetch_ref);
}

static int32_t wado_ping(void *self, struct trolley_task *task)
{
    const struct wado *wado = self;

    return kit_fetch_ping(wado->http, wado->session, wado->request.url, task);
}

static const struct trolley_meta *wado_delivers(void *self)
{
    const struct wado *wado = self;

    return wado->request.rendered ? &wado->delivers : NULL;
}

static const void *wado_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = wado_ping};
    static const struct trolley_delivers_interface delivers = {.size = sizeof delivers,
                                                               .delivers = wado_delivers};

    (void)self;
    if (strcmp(id, TROLLEY_DELIVERS_INTERFACE) == 0) return &delivers;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops wado_ops = {
    .size = sizeof wado_ops,
    .fetch = wado_fetch,
};

static const struct trolley_component wado_component = {
    .size = sizeof wado_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "WADO-URI, one instance a request, or an image rendered of it",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &wado_options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
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
        .name = "wado-uri",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Downloads by WADO-URI",
        .components = wado_components,
    };

    return &plugin;
}
