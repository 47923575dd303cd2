/* qido-rs: searches over DICOMweb [PS3.18 10.6]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "search.h"

static const struct trolley_option qido_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "url",
     .help = "Base of the DICOMweb service, to which /studies is added"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "includefield",
     .default_text = "repeat",
     .choices = "repeat,comma,all",
     .help = "Include fields as repeated parameters, as one comma list, or always all"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "page_size",
     .default_text = "0",
     .max = 1000000,
     .help = "Objects asked for at once; 0 leaves it to the server",
     .metavar = "N"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_BOOL,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "fuzzymatching",
     .help = "Value of fuzzymatching where the query says nothing; without it none is sent"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_BOOL,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "relational",
     .default_text = "yes",
     .help = "May series and instances be asked for without their upper UIDs; no walks down"},
};
static const struct trolley_span qido_options = TROLLEY_SPAN(qido_option_table);

static const struct trolley_query_param qido_param_table[] = {
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_INT,
     .key = "limit",
     .help = "Most objects to return"},
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_INT,
     .key = "offset",
     .help = "Objects to leave out at the beginning"},
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_BOOL,
     .key = "fuzzymatching",
     .help = "Person names that sound alike match too, where the server knows how"},
};
static const struct trolley_span qido_params = TROLLEY_SPAN(qido_param_table);

static const struct trolley_query_type qido_type_table[] = {
    {.size = sizeof(struct trolley_query_type),
     .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
     .name = "qido-relational",
     .base = "query",
     .params = &qido_params,
     .summary = "One request to the resource that fits; down the hierarchy when it is refused"},
    {.size = sizeof(struct trolley_query_type),
     .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
     .name = "qido-hierarchical",
     .base = "query",
     .params = &qido_params,
     .summary = "Studies, then their series, then their instances, each key at its own level"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
};
static const struct trolley_span qido_types = TROLLEY_SPAN(qido_type_table);

static int32_t qido_open(const struct trolley_host *host, const struct trolley_config *config,
                         struct trolley_task *task, void **shared)
{
    struct qido_shared *made = calloc(1, sizeof *made);

    (void)host, (void)config, (void)task;
    if (!made) return TROLLEY_ERR_NOMEM;
    atomic_init(&made->no_relational, false);
    *shared = made;
    return 0;
}

static void qido_destroy(void *self)
{
    struct qido *qido = self;

    if (!qido) return;
    if (qido->source.session) qido->source.http->close(qido->source.session);
    free(qido);
}

static void qido_configure(struct qido *qido, const struct trolley_config *config)
{
    const struct trolley_dictionary_service *dictionary =
        qido->host->get_service(qido->host, TROLLEY_DICTIONARY_SERVICE);
    int64_t include = config->integer(config, "includefield", REQUEST_INCLUDE_REPEAT);
    int64_t page_size = config->integer(config, "page_size", 0);

    qido->source.http = qido->host->get_service(qido->host, TROLLEY_HTTP_SERVICE);
    qido->source.vr = dictionary ? dictionary->vr : NULL;
    qido->style.url = config->text(config, "url");
    if (include >= REQUEST_INCLUDE_REPEAT && include <= REQUEST_INCLUDE_ALL)
        qido->style.include = (enum request_include)include;
    qido->style.fuzzymatching = (int)config->integer(config, "fuzzymatching", -1);
    qido->page_size = page_size > 0 ? (uint64_t)page_size : 0;
    qido->relational = config->integer(config, "relational", 1) != 0;
}

static int32_t qido_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct qido *qido = calloc(1, sizeof *qido);
    int32_t r;

    if (!qido) return TROLLEY_ERR_NOMEM;
    qido->host = host;
    qido->shared = shared;
    qido_configure(qido, config);
    if (!qido->style.url)
        r = trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "qido-rs needs url");
    else if (!qido->source.http)
        r = trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host offers no HTTP");
    else
        r = qido->source.http->open(host, config, task, &qido->source.session);
    if (r < 0) {
        qido_destroy(qido);
        return r;
    }
    *self = qido;
    return 0;
}

static const void *qido_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = qido_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_searcher_ops qido_ops = {
    .size = sizeof qido_ops,
    .find = qido_find,
    .check = qido_check,
};

static const struct trolley_component qido_component = {
    .size = sizeof qido_component,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "QIDO-RS, DICOMweb's search for studies, series and instances",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &qido_options,
    .query_types = &qido_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .open = qido_open,
    .close = free,
    .create = qido_create,
    .destroy = qido_destroy,
    .ops = &qido_ops,
    .get_interface = qido_get_interface,
};

static const struct trolley_component *const qido_components[] = {&qido_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "qido-rs",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Searches over DICOMweb's QIDO-RS",
        .components = qido_components,
    };

    return &plugin;
}
