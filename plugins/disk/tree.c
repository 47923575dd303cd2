/* tree.c: the storage STUDYUID/SERIESUID/SOPUID.dcm. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "kit/uid.h"
#include "storage.h"

static int tree_dir(const struct trolley_meta *meta, char *dir, size_t size)
{
    if (!meta->study || !kit_uid_valid(meta->study)) return TROLLEY_ERR_INVALID_ARG;
    if (!meta->series || !kit_uid_valid(meta->series)) return TROLLEY_ERR_INVALID_ARG;
    (void)snprintf(dir, size, "%s/%s", meta->study, meta->series);
    return 0;
}

static int32_t tree_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    (void)host;
    (void)shared;
    return disk_create("tree", tree_dir, config, task, self);
}

static const void *tree_get_interface(void *self, const char *id)
{
    static const struct trolley_lacks_interface lacks = {.size = sizeof lacks, .lacks = disk_lacks};

    (void)self;
    return strcmp(id, TROLLEY_LACKS_INTERFACE) == 0 ? &lacks : NULL;
}

static const struct trolley_component tree_storage = {
    .size = sizeof(struct trolley_component),
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "files as STUDYUID/SERIESUID/SOPUID.dcm",
    .options = &disk_options,
    .create = tree_create,
    .destroy = disk_destroy,
    .ops = &disk_ops,
    .get_interface = tree_get_interface,
};

static const struct trolley_component *const components[] = {&tree_storage, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof(struct trolley_plugin),
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "tree",
    .version = TROLLEY_VERSION,
    .license = "MIT",
    .summary = "storage on disk, a folder a study and series",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
