/* SPDX-License-Identifier: MIT */
#include "core/check/mock_peer.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/check/sample.h"
#include "core/check/values.h"

static int32_t peer_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    (void)host, (void)config, (void)shared, (void)task;
    *self = NULL;
    return 0;
}

static void peer_destroy(void *self)
{
    (void)self;
}

static int32_t peer_find(void *self, const struct trolley_query *query,
                         const struct trolley_record_sink *sink, struct trolley_task *task)
{
    static const uint32_t tags[] = {0x0020000d, 0x00080020, 0x00100010, 0x00100020,
                                    0x0020000e, 0x00080060, 0x00080018, 0x00080016};
    struct trolley_element elements[sizeof tags / sizeof tags[0]];
    const char *values[sizeof tags / sizeof tags[0]];
    const uint32_t count = query->level == TROLLEY_LEVEL_STUDY    ? 4
                           : query->level == TROLLEY_LEVEL_SERIES ? 6
                                                                  : 8;
    const struct trolley_record record = {
        sizeof record, query->level, {elements, count, sizeof elements[0]}};
    uint32_t i;

    (void)self, (void)task;
    memset(elements, 0, sizeof elements);
    for (i = 0; i < count; i++) {
        values[i] = sample_value(tags[i]);
        elements[i].size = sizeof elements[i];
        elements[i].tag = tags[i];
        memcpy(elements[i].vr, trolley_vr(tags[i]), 2);
        elements[i].values = (struct trolley_span){&values[i], 1, sizeof values[i]};
    }
    return sink->record(sink->ctx, &record);
}

static const struct trolley_query_type peer_type_table[] = {
    {.size = sizeof(struct trolley_query_type),
     .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
     .name = "any",
     .base = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "extended"},
    {.size = sizeof(struct trolley_query_type), .name = "query"},
};
static const struct trolley_span peer_types = TROLLEY_SPAN(peer_type_table);

static const struct trolley_searcher_ops peer_ops = {.size = sizeof peer_ops, .find = peer_find};

static const struct trolley_component peer_component = {
    .size = sizeof peer_component,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "knows the sample",
    .query_types = &peer_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .create = peer_create,
    .destroy = peer_destroy,
    .ops = &peer_ops,
};

int mock_peer_init(struct component *peer, struct trolley_setup *setup)
{
    const struct config_entry type = {"type", VALUES_PEER, 0};
    const struct config_section written = {
        .kind = "searcher", .name = VALUES_PEER, .entries = &type, .count = 1};
    const struct trolley_span *tables[] = {config_host_options("searcher"), NULL};
    int r;

    peer->setup = setup;
    peer->plugin = peer_component;
    peer->name = strdup(VALUES_PEER);
    peer->title = strdup(VALUES_PEER);
    if (!peer->name || !peer->title) return TROLLEY_ERR_NOMEM;
    r = section_resolve(NULL, &written, tables, &peer->section, NULL);
    if (r < 0) return r;
    peer->config = *section_config(peer->section);
    peer->config.section = peer->name;
    peer->opened = true;
    setup->components = peer;
    return 0;
}

void mock_peer_clear(struct component *peer)
{
    section_free(peer->section);
    free(peer->name);
    free(peer->title);
}
