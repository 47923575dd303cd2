/* dicom-qr: searches by C-FIND [PS3.4 C.4.1]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "search.h"

static const struct trolley_option qr_option_table[] = {
    DIMSE_COMMON_OPTIONS,
    DIMSE_OPTION_MORE(TROLLEY_OPTION_CHOICE, "model", "study",
                      "Information model: Study Root or Patient Root", .choices = "study,patient"),
    DIMSE_OPTION_MORE(TROLLEY_OPTION_BOOL, "relational", "yes",
                      "Offer relational queries: series and instances without their study",
                      .flags = TROLLEY_OPTION_ADVANCED),
    DIMSE_OPTION_MORE(TROLLEY_OPTION_STRING, "charset", NULL,
                      "Specific Character Set of answers that name none",
                      .flags = TROLLEY_OPTION_ADVANCED, .metavar = "TERMS"),
};
static const struct trolley_span qr_options = TROLLEY_SPAN(qr_option_table);

static const struct trolley_query_param qr_param_table[] = {
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_ATTRIBUTE,
     .key = "Modality",
     .help = "Modality of a series"},
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_ATTRIBUTE,
     .key = "ProtocolName",
     .help = "Protocol of a series"},
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_ATTRIBUTE,
     .key = "StudyID",
     .help = "The study's identifier at its department"},
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_INT,
     .key = "limit",
     .help = "Most objects to return; the rest of the search is cancelled"},
};
static const struct trolley_span qr_params = TROLLEY_SPAN(qr_param_table);

static const struct trolley_query_type qr_type_table[] = {
    {.size = sizeof(struct trolley_query_type),
     .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
     .name = "dicom",
     .base = "extended",
     .params = &qr_params,
     .summary = "C-FIND, each key at its own level, down the hierarchy where needed"},
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span qr_types = TROLLEY_SPAN(qr_type_table);

static void qr_destroy(void *self)
{
    struct qr *qr = self;

    if (!qr) return;
    association_close(qr->association);
    free(qr);
}

static int32_t qr_create(const struct trolley_host *host, const struct trolley_config *config,
                         void *shared, struct trolley_task *task, void **self)
{
    struct qr *qr = calloc(1, sizeof *qr);
    const char *charset = config->text(config, "charset");
    int r;

    (void)shared;
    if (!qr) return TROLLEY_ERR_NOMEM;
    qr->charset = charset ? charset : "";
    qr->relational = config->integer(config, "relational", 1) != 0;
    r = dimse_settings_read(host, config, task, &qr->settings);
    qr->settings.patient_root = config->integer(config, "model", 0) == 1;
    if (r < 0) {
        qr_destroy(qr);
        return r;
    }
    *self = qr;
    return 0;
}

static const void *qr_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = qr_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_searcher_ops qr_ops = {
    .size = sizeof qr_ops,
    .find = qr_find,
    .check = qr_check,
};

static const struct trolley_component qr_component = {
    .size = sizeof qr_component,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "C-FIND, DICOM's search for studies, series and instances",
    .options = &qr_options,
    .query_types = &qr_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = qr_create,
    .destroy = qr_destroy,
    .ops = &qr_ops,
    .get_interface = qr_get_interface,
};

static const struct trolley_component *const qr_components[] = {&qr_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "dicom-qr",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Searches over DIMSE's C-FIND",
        .components = qr_components,
    };

    return &plugin;
}
