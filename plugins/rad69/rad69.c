/* rad69: downloads instances from image repositories of XDS-I.b [IHE RAD TF-2 4.69].
 * SPDX-License-Identifier: MIT */
#include <kit/uid.h>
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "fetch.h"

#define RAD69_WORDS_MAX 64 /* transfer syntaxes and errors to ignore together */

static const char rad69_separators[] = ", \t";

static const struct trolley_option rad69_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "url",
     .help = "Endpoint of the imaging document source that takes RetrieveImagingDocumentSet"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_BOOL,
     .key = "request_per_series",
     .default_text = "yes",
     .help = "Ask for one series at a time; no: for as many of a study as the host hands over"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "repository_unique_id",
     .default_text = "1.3.6.1.4.1000",
     .help = "RepositoryUniqueId of each document",
     .metavar = "UID"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "home_community_id",
     .help = "HomeCommunityId of each document, as it is to be sent: urn:oid:...",
     .metavar = "URN"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_LIST,
     .key = "transfer_syntax_uids",
     .default_text = "1.2.840.10008.1.2.4.70, 1.2.840.10008.1.2, 1.2.840.10008.1.2.1",
     .help = "Transfer syntaxes that are taken, the one liked best first",
     .metavar = "UID"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_LIST,
     .key = "errors_to_ignore",
     .help = "Errors of the server, such as XDSMissingDocument, that do not count as failures",
     .metavar = "CODE"},
};
static const struct trolley_span rad69_options = TROLLEY_SPAN(rad69_option_table);

/* Appends the words of a list's values, which commas may separate too, to the `count` ones there.
 */
static int rad69_read_words(struct rad69 *rad69, const struct trolley_config *config,
                            const char *key, size_t *count)
{
    const struct trolley_span list = config->list(config, key);
    uint32_t i;

    for (i = 0; i < list.count; i++) {
        const char *at = trolley_span_text(&list, i);

        for (;;) {
            size_t length;

            at += strspn(at, rad69_separators);
            length = strcspn(at, rad69_separators);
            if (length == 0) break;
            if (*count == RAD69_WORDS_MAX) return TROLLEY_ERR_INVALID_CONFIG;
            rad69->words[*count] = strndup(at, length);
            if (!rad69->words[*count]) return TROLLEY_ERR_NOMEM;
            (*count)++;
            at += length;
        }
    }
    return 0;
}

static int rad69_read_lists(struct rad69 *rad69, const struct trolley_config *config,
                            struct trolley_task *task)
{
    size_t count = 0, i;
    int r;

    rad69->words = calloc(RAD69_WORDS_MAX, sizeof *rad69->words);
    if (!rad69->words) return TROLLEY_ERR_NOMEM;
    r = rad69_read_words(rad69, config, "transfer_syntax_uids", &count);
    rad69->settings.syntaxes = (const char *const *)rad69->words;
    rad69->settings.syntax_count = count;
    if (r == 0) r = rad69_read_words(rad69, config, "errors_to_ignore", &count);
    rad69->ignore.codes = rad69->settings.syntaxes + rad69->settings.syntax_count;
    rad69->ignore.count = count - rad69->settings.syntax_count;
    if (r == TROLLEY_ERR_INVALID_CONFIG)
        return trolley_fail(task, r, "more than %d transfer_syntax_uids and errors_to_ignore",
                            RAD69_WORDS_MAX);
    for (i = 0; r == 0 && i < rad69->settings.syntax_count; i++)
        if (!kit_uid_valid(rad69->words[i]))
            r = trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                             "key `transfer_syntax_uids`: `%s` is no UID", rad69->words[i]);
    return r;
}

static void rad69_destroy(void *self)
{
    struct rad69 *rad69 = self;
    size_t i;

    if (!rad69) return;
    if (rad69->session) rad69->http->close(rad69->session);
    for (i = 0; rad69->words && i < RAD69_WORDS_MAX; i++)
        free(rad69->words[i]);
    free(rad69->words);
    free(rad69);
}

static int rad69_setup(struct rad69 *rad69, const struct trolley_host *host,
                       const struct trolley_config *config, struct trolley_task *task)
{
    int r = rad69_read_lists(rad69, config, task);

    if (r < 0) return r;
    rad69->settings.url = config->text(config, "url");
    rad69->settings.repository = config->text(config, "repository_unique_id");
    rad69->settings.community = config->text(config, "home_community_id");
    rad69->request_per_series = config->integer(config, "request_per_series", 1) != 0;
    rad69->http = host->get_service(host, TROLLEY_HTTP_SERVICE);
    if (!rad69->settings.url || !rad69->settings.repository)
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "rad69 needs url and repository_unique_id");
    if (!rad69->http) return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED, "the host offers no HTTP");
    return rad69->http->open(host, config, task, &rad69->session);
}

static int32_t rad69_create(const struct trolley_host *host, const struct trolley_config *config,
                            void *shared, struct trolley_task *task, void **self)
{
    struct rad69 *rad69 = calloc(1, sizeof *rad69);
    int r;

    (void)shared;
    if (!rad69) return TROLLEY_ERR_NOMEM;
    r = rad69_setup(rad69, host, config, task);
    if (r < 0) {
        rad69_destroy(rad69);
        return r;
    }
    *self = rad69;
    return 0;
}

static uint32_t rad69_batch(void *self)
{
    (void)self;
    return RAD69_BATCH;
}

static uint32_t rad69_group_level(void *self)
{
    return ((struct rad69 *)self)->request_per_series ? TROLLEY_LEVEL_SERIES : TROLLEY_LEVEL_STUDY;
}

static const void *rad69_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = rad69_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops rad69_ops = {
    .size = sizeof rad69_ops,
    .fetch = rad69_fetch,
    .batch = rad69_batch,
    .group_level = rad69_group_level,
};

static const struct trolley_component rad69_component = {
    .size = sizeof rad69_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "RAD-69 of XDS-I.b: SOAP, the instances of a series as one stream",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &rad69_options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = rad69_create,
    .destroy = rad69_destroy,
    .ops = &rad69_ops,
    .get_interface = rad69_get_interface,
};

static const struct trolley_component *const rad69_components[] = {&rad69_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "rad69",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Downloads by RAD-69, Retrieve Imaging Document Set",
        .components = rad69_components,
    };

    return &plugin;
}
