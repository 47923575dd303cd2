/* c-get: downloads by C-GET, over the association that asked [PS3.4 C.4.3].
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "association.h"
#include "contexts.h"
#include "group.h"

struct get {
    struct dimse_settings settings;
    struct association *association; /* kept open from one fetch to the next; NULL for none */
    struct contexts contexts;        /* what it offered */
};

static const struct trolley_option get_option_table[] = {DIMSE_COMMON_OPTIONS};
static const struct trolley_span get_options = TROLLEY_SPAN(get_option_table);

/* ---- associations ---- */

static int get_open(struct get *get, struct trolley_task *task)
{
    association_close(get->association);
    get->association = NULL;
    return association_open(&get->settings, get->contexts.items, get->contexts.count, task,
                            &get->association);
}

/* The contexts that a round offers for the group. False behind the last. */
static bool get_contexts(struct get *get, const struct group *group, unsigned round)
{
    if (group->class_unknown) return contexts_broad(&get->contexts, round);
    return contexts_exact(&get->contexts, group->classes, group->class_count,
                          group->refs[0].transfer_syntax, round);
}

/* An association that takes the group's classes: the one that is open, if it does. */
static int get_associate(struct get *get, const struct group *group, struct trolley_task *task)
{
    const char *syntax = group->refs[0].transfer_syntax;
    bool alive = get->association && association_use(get->association, task);
    bool fit = contexts_cover(&get->contexts, group->classes, group->class_count) &&
               (!syntax || strcmp(syntax, get->contexts.first_syntax) == 0);

    if (group->class_unknown) fit = get->contexts.class_count == 0;
    if (alive && fit && get->contexts.round == 0) return 0;
    (void)get_contexts(get, group, 0);
    return get_open(get, task);
}

/* ---- one group ---- */

static int get_retrieve(struct get *get, struct group *group,
                        const struct trolley_dataset_sink *sink, struct retrieve_result *ret_result)
{
    const struct retrieve_request request = {
        .refs = group->items,
        .count = group->count,
        .sink = sink,
        .failed = group_failed,
        .ctx = group,
    };

    return association_retrieve(get->association, &request, ret_result);
}

/* What failed may lack a context, where not all were offered: it is asked for in further ones, each
 * round on an association of its own. */
static int get_other_contexts(struct get *get, struct group *group,
                              const struct trolley_dataset_sink *sink, struct trolley_task *task,
                              struct retrieve_result *result)
{
    struct group *rest = malloc(sizeof *rest);
    unsigned round;
    int r = 0;

    if (!rest) return TROLLEY_ERR_NOMEM;
    for (round = 1; r == 0 && result->stop == 0 && get_contexts(get, group, round); round++) {
        size_t count = group->failed_count;
        char(*failed)[KIT_UID_MAX + 1];

        if (!group_of_failed(group, rest)) break;
        r = get_open(get, task);
        if (r == 0) r = get_retrieve(get, rest, sink, result);
        if (r < 0) {
            group->failed_count = count;
            group_free(rest);
            break;
        }
        /* The list that is left replaces the one that was asked for. */
        failed = group->failed;
        group->failed = rest->failed;
        group->failed_count = rest->failed_count;
        group->failed_room = rest->failed_room;
        group->failed_cut = rest->failed_cut;
        free(failed);
    }
    free(rest);
    /* The first answer stands where the peer does not care for more. */
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

static int get_group(struct get *get, struct group *group, const struct trolley_dataset_sink *sink,
                     struct trolley_task *task)
{
    struct retrieve_result result;
    int r = get_associate(get, group, task);

    if (r == 0) r = get_retrieve(get, group, sink, &result);
    if (r == 0 && group->failed_count) r = get_other_contexts(get, group, sink, task, &result);
    return r < 0 ? r : group_report(group, &result, "C-GET", "", sink, task);
}

static int32_t get_fetch(void *self, const struct trolley_span *refs,
                         const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct group *group = malloc(sizeof *group);
    bool *done = calloc((size_t)refs->count + 1, sizeof *done);
    int r = group && done ? 0 : TROLLEY_ERR_NOMEM;

    while (r == 0) {
        r = task->cancelled(task) ? TROLLEY_ERR_CANCELLED : group_next(refs, done, group);
        if (r <= 0) break;
        r = get_group(self, group, sink, task);
        group_free(group);
    }
    free(done);
    free(group);
    return r;
}

/* ---- the rest ---- */

static uint32_t get_preferred_level(void *self)
{
    (void)self;
    return TROLLEY_LEVEL_SERIES;
}

static uint32_t get_batch(void *self)
{
    (void)self;
    return GROUP_REFS;
}

static uint32_t get_group_level(void *self)
{
    (void)self;
    return TROLLEY_LEVEL_SERIES;
}

static int32_t get_ping(void *self, struct trolley_task *task)
{
    static const struct dimse_context contexts[] = {{UID_VERIFICATION, NULL, false, false}};
    struct get *get = self;
    struct association *association;
    int r = association_open(&get->settings, contexts, 1, task, &association);

    if (r < 0) return r;
    r = association_echo(association);
    association_close(association);
    return r;
}

static void get_destroy(void *self)
{
    struct get *get = self;

    if (!get) return;
    association_close(get->association);
    free(get);
}

static int32_t get_create(const struct trolley_host *host, const struct trolley_config *config,
                          void *shared, struct trolley_task *task, void **self)
{
    struct get *get = calloc(1, sizeof *get);
    int r;

    (void)shared;
    if (!get) return TROLLEY_ERR_NOMEM;
    r = dimse_settings_read(host, config, task, &get->settings);
    if (r < 0) {
        get_destroy(get);
        return r;
    }
    *self = get;
    return 0;
}

static const void *get_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = get_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops get_ops = {
    .size = sizeof get_ops,
    .fetch = get_fetch,
    .preferred_level = get_preferred_level,
    .batch = get_batch,
    .group_level = get_group_level,
};

static const struct trolley_component get_component = {
    .size = sizeof get_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "C-GET: instances come over the association that asked for them",
    .options = &get_options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = get_create,
    .destroy = get_destroy,
    .ops = &get_ops,
    .get_interface = get_get_interface,
};

static const struct trolley_component *const get_components[] = {&get_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "c-get",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Downloads over DIMSE's C-GET",
        .components = get_components,
    };

    return &plugin;
}
