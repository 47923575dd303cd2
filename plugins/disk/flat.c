/* flat.c: the storage SOPUID.dcm. SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "storage.h"

static int flat_dir(const struct trolley_meta *meta, char *dir, size_t size)
{
    (void)meta;
    (void)snprintf(dir, size, ".");
    return 0;
}

static int32_t flat_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    (void)host;
    (void)shared;
    return disk_create("flat", flat_dir, config, task, self);
}

static const struct trolley_component flat_storage = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "files as SOPUID.dcm, all in one folder",
    .options = &disk_options,
    .create = flat_create,
    .destroy = disk_destroy,
    .ops = &disk_ops,
};

static const struct trolley_component *const components[] = {&flat_storage, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "flat",
    .version = TROLLEY_VERSION,
    .license = "MIT",
    .summary = "storage on disk, all files in one folder",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
