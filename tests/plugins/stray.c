/* stray.c: a searcher that asks its own `url`, then another address, and finds nothing.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

struct stray {
    const struct trolley_config *config;
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
};

static void stray_destroy(void *self)
{
    struct stray *stray = self;

    if (stray && stray->session) stray->http->close(stray->session);
    free(stray);
}

static int32_t stray_create(const struct trolley_host *host, const struct trolley_config *config,
                            void *shared, struct trolley_task *task, void **self)
{
    struct stray *stray = calloc(1, sizeof *stray);
    int32_t r;

    (void)shared;
    if (!stray) return TROLLEY_ERR_NOMEM;
    stray->config = config;
    stray->http = host->get_service(host, TROLLEY_HTTP_SERVICE);
    r = stray->http ? stray->http->open(host, config, task, &stray->session)
                    : TROLLEY_ERR_UNSUPPORTED;
    if (r < 0)
        stray_destroy(stray);
    else
        *self = stray;
    return r;
}

static int32_t stray_find(void *self, const struct trolley_query *query,
                          const struct trolley_record_sink *sink, struct trolley_task *task)
{
    static const char *const keys[] = {"url", "elsewhere"};
    const struct trolley_http_handler handler = {0};
    struct stray *stray = self;
    int32_t r = 0;

    (void)query, (void)sink;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && r == 0; i++) {
        const struct trolley_http_request request = {
            .size = sizeof request, .url = stray->config->text(stray->config, keys[i])};

        r = stray->http->request(stray->session, &request, &handler, task);
    }
    return r;
}

static const struct trolley_option option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "url",
     .help = "its own server"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "elsewhere",
     .help = "an address that a server might have named"},
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span types = TROLLEY_SPAN(type_table);

static const struct trolley_searcher_ops ops = {.size = sizeof ops, .find = stray_find};

static const struct trolley_component searcher = {
    .size = sizeof searcher,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "asks two servers",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &options,
    .query_types = &types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
    .create = stray_create,
    .destroy = stray_destroy,
    .ops = &ops,
};
static const struct trolley_component *const components[] = {&searcher, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "stray",
        .version = "1.0",
        .license = "MIT",
        .summary = "a searcher that asks two servers",
        .components = components,
    };

    return &plugin;
}
