/* wado-rs-metadata: downloads what instances say of themselves, without bulk data, over DICOMweb
 * [PS3.18 10.4.1.1.2]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "metadata.h"
#include "metadata_dcmtk.h"

static const struct trolley_option metadata_option_table[] = {
    SERVICE_OPTION_URL,
    SERVICE_OPTION_REQUEST,
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .key = "format",
     .default_text = "dicom",
     .choices = "dicom,json",
     .help = "Files of DICOM Part 10, or of JSON as the server sent it"},
};
static const struct trolley_span metadata_options = TROLLEY_SPAN(metadata_option_table);

static void metadata_destroy(void *self)
{
    struct metadata *metadata = self;

    if (!metadata) return;
    service_close(&metadata->service);
    free(metadata);
}

static int32_t metadata_create(const struct trolley_host *host, const struct trolley_config *config,
                               void *shared, struct trolley_task *task, void **self)
{
    const struct trolley_dictionary_service *dictionary =
        host->get_service(host, TROLLEY_DICTIONARY_SERVICE);
    struct metadata *metadata = calloc(1, sizeof *metadata);
    int32_t r;

    (void)shared;
    if (!metadata) return TROLLEY_ERR_NOMEM;
    metadata_dcmtk_init();
    metadata->service.resource = "/metadata";
    metadata->service.retrieve = metadata_retrieve;
    metadata->vr = dictionary ? dictionary->vr : NULL;
    metadata->json = config->integer(config, "format", 0) == 1;
    metadata->delivers.size = sizeof metadata->delivers;
    metadata->delivers.variant = "metadata";
    metadata->delivers.content_type =
        metadata->json ? "application/dicom+json" : "application/dicom";
    r = service_open(&metadata->service, host, config, task);
    if (r < 0) {
        metadata_destroy(metadata);
        return r;
    }
    *self = metadata;
    return 0;
}

static const struct trolley_meta *metadata_delivers(void *self)
{
    return &((struct metadata *)self)->delivers;
}

static const void *metadata_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = service_ping};
    static const struct trolley_delivers_interface delivers = {.size = sizeof delivers,
                                                               .delivers = metadata_delivers};

    (void)self;
    if (strcmp(id, TROLLEY_DELIVERS_INTERFACE) == 0) return &delivers;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops metadata_ops = {
    .size = sizeof metadata_ops,
    .fetch = service_fetch,
    .preferred_level = service_preferred_level,
    .batch = service_batch,
};

static const struct trolley_component metadata_component = {
    .size = sizeof metadata_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "WADO-RS metadata, all attributes but bulk data",
    .flags = TROLLEY_COMPONENT_HTTP,
    .options = &metadata_options,
    .levels = SERVICE_LEVELS,
    .create = metadata_create,
    .destroy = metadata_destroy,
    .ops = &metadata_ops,
    .get_interface = metadata_get_interface,
};

static const struct trolley_component *const metadata_components[] = {&metadata_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "wado-rs-metadata",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Downloads metadata over DICOMweb's WADO-RS",
        .components = metadata_components,
    };

    return &plugin;
}
