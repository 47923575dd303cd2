/* mint: searches over MINT [http://medical.nema.org/mint]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "search.h"

static const struct trolley_option mint_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "url",
     .help = "Root of the MINT service, to which /studies is added"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .key = "dialect",
     .default_text = "vitrea",
     .choices = "vitrea,dicomtrolley,reference",
     .help = "Vitrea Connection, the same with dicomtrolley's date names, or the reference server"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "include_check",
     .default_text = "error",
     .choices = "error,warn",
     .help = "What an include field means that the query's level does not tell"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_BOOL,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "client_filter",
     .default_text = "no",
     .help = "Reference dialect: filter here by what the server cannot be asked for"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_INT,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "page_size",
     .default_text = "50",
     .min = 1,
     .max = 10000,
     .help = "Reference dialect: studies listed at once",
     .metavar = "N"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .flags = TROLLEY_OPTION_ADVANCED,
     .key = "study_date",
     .default_text = "send",
     .choices = "send,filter",
     .help = "Reference dialect: send the date range, which it takes for days of upload, or not"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_ADVANCED | TROLLEY_OPTION_PREFIX,
     .key = "param.",
     .help = "What a parameter is called on the wire: param.min_study_date = minStudyDate",
     .metavar = "WIRE"},
};
static const struct trolley_span mint_options = TROLLEY_SPAN(mint_option_table);

static const struct trolley_query_param mint_param_table[] = {
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_INT,
     .key = "limit",
     .help = "Most studies to return, 0 for all"},
};
static const struct trolley_span mint_params = TROLLEY_SPAN(mint_param_table);

static const struct trolley_query_type mint_type_table[] = {
    {.size = sizeof(struct trolley_query_type),
     .name = "mint",
     .base = "extended",
     .params = &mint_params,
     .summary = "What MINT servers can be asked for"},
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span mint_types = TROLLEY_SPAN(mint_type_table);

static void mint_destroy(void *self)
{
    struct mint *mint = self;

    if (!mint) return;
    if (mint->source.session) mint->source.http->close(mint->source.session);
    record_builder_free(mint->builder);
    free(mint);
}

static int32_t mint_configure(struct mint *mint, const struct trolley_config *config,
                              struct trolley_task *task)
{
    const struct trolley_dictionary_service *dictionary =
        mint->host->get_service(mint->host, TROLLEY_DICTIONARY_SERVICE);
    int64_t dialect = config->integer(config, "dialect", MINT_VITREA);
    int64_t page_size = config->integer(config, "page_size", 50);

    mint->source.http = mint->host->get_service(mint->host, TROLLEY_HTTP_SERVICE);
    mint->vr = dictionary ? dictionary->vr : NULL;
    mint->style.url = config->text(config, "url");
    if (dialect >= 0 && dialect < MINT_DIALECTS) mint->style.dialect = (enum mint_dialect)dialect;
    mint->style.send_dates = config->integer(config, "study_date", 0) == 0;
    mint->include_warns = config->integer(config, "include_check", 0) == 1;
    mint->client_filter = config->integer(config, "client_filter", 0) != 0;
    mint->page_size = page_size > 0 ? (uint64_t)page_size : 1;
    if (!mint->style.url) return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "mint needs url");
    if (!mint->source.http)
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host offers no HTTP");
    return names_read(&mint->style.names, mint->style.dialect, config, task);
}

static int32_t mint_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct mint *mint = calloc(1, sizeof *mint);
    int32_t r;

    (void)shared;
    if (!mint) return TROLLEY_ERR_NOMEM;
    mint->host = host;
    r = mint_configure(mint, config, task);
    if (r == 0) r = record_builder_new(&mint->builder);
    if (r == 0) r = mint->source.http->open(host, config, task, &mint->source.session);
    if (r < 0) {
        mint_destroy(mint);
        return r;
    }
    *self = mint;
    return 0;
}

static const void *mint_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = mint_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_searcher_ops mint_ops = {
    .size = sizeof mint_ops,
    .find = mint_find,
    .check = mint_check,
};

static const struct trolley_component mint_component = {
    .size = sizeof mint_component,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "MINT, the search of Vitrea Connection and of MINT's reference server",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &mint_options,
    .query_types = &mint_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = mint_create,
    .destroy = mint_destroy,
    .ops = &mint_ops,
    .get_interface = mint_get_interface,
};

static const struct trolley_component *const mint_components[] = {&mint_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "mint",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Searches over MINT",
        .components = mint_components,
    };

    return &plugin;
}
