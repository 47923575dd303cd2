/* folder.c: the plugin `folder`, searcher and downloader over DICOM files on disk.
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "fetch.h"
#include "find.h"
#include "shared.h"

/* An instance has nothing of its own: all it needs is shared. */
static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    (void)host;
    (void)config;
    (void)task;
    *self = shared;
    return TROLLEY_OK;
}

static void destroy(void *self)
{
    (void)self;
}

static int32_t ping(void *self, struct trolley_task *task)
{
    return folder_reach(self, task);
}

static const struct trolley_ping_interface ping_interface = {
    .size = sizeof(struct trolley_ping_interface),
    .ping = ping,
};

static const void *get_interface(void *self, const char *id)
{
    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping_interface : NULL;
}

#define ATTRIBUTE(keyword, text)                                                     \
    {                                                                                \
        .size = sizeof(struct trolley_query_param), .type = TROLLEY_PARAM_ATTRIBUTE, \
        .key = (keyword), .help = (text)                                             \
    }

static const struct trolley_query_param dicom_params[] = {
    ATTRIBUTE("Modality", "a series of this modality"),
    ATTRIBUTE("ProtocolName", "the series' protocol"),
    ATTRIBUTE("StudyID", "the study's own number"),
};
static const struct trolley_span dicom_params_span = TROLLEY_SPAN(dicom_params);

static const struct trolley_query_type types[] = {
    {
        .size = sizeof(struct trolley_query_type),
        .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
        .name = "dicom",
        .base = "extended",
        .params = &dicom_params_span,
        .summary = "any attribute, matched as C-FIND does",
    },
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span types_span = TROLLEY_SPAN(types);

#define ALL_LEVELS                                                                      \
    (TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) | \
     TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE))

static const struct trolley_searcher_ops searcher_ops = {
    .size = sizeof(struct trolley_searcher_ops),
    .find = folder_find,
    .check = folder_check,
};

static const struct trolley_component searcher = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "finds studies, series and instances in a folder of DICOM files",
    .options = &folder_options,
    .query_types = &types_span,
    .levels = ALL_LEVELS,
    .open = folder_open,
    .close = folder_close,
    .create = create,
    .destroy = destroy,
    .ops = &searcher_ops,
    .get_interface = get_interface,
};

static const struct trolley_downloader_ops downloader_ops = {
    .size = sizeof(struct trolley_downloader_ops),
    .fetch = folder_fetch,
};

static const struct trolley_component downloader = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "copies instances from a folder of DICOM files",
    .options = &folder_options,
    .levels = ALL_LEVELS,
    .open = folder_open,
    .close = folder_close,
    .create = create,
    .destroy = destroy,
    .ops = &downloader_ops,
    .get_interface = get_interface,
};

static const struct trolley_component *const components[] = {&searcher, &downloader, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "folder",
    .version = TROLLEY_VERSION,
    .license = "MIT",
    .summary = "DICOM files on disk, no server needed",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
