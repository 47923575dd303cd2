/* peer.c: one component used by another through config->peer. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/plugin/setup.h"
#include "core/retrieve/search.h"

struct peer {
    struct trolley_peer abi;
    struct peer *next;
    struct instance *instance;
};

/* The query as the peer takes it: by the type it names, where the peer has that and it fits, else
 * by the first type that fits. */
static int peer_accept(const struct peer *peer, const struct trolley_query *query,
                       struct query_view **ret_view, struct trolley_error *error)
{
    const struct trolley_span *types = instance_query_types(peer->instance);
    const uint32_t levels = instance_levels(peer->instance);

    if (query->type && query_view_new(query, query->type, types, levels, ret_view, NULL) == 0)
        return 0;
    return query_view_new(query, NULL, types, levels, ret_view, error);
}

static int32_t peer_find(struct trolley_peer *abi, const struct trolley_query *query,
                         const struct trolley_record_sink *sink, struct trolley_task *task)
{
    struct peer *peer = abi->impl;
    struct search_counts counts;
    struct trolley_error error;
    struct query_view *view;
    int r = peer_accept(peer, query, &view, &error);

    if (r < 0)
        return trolley_fail(task, r, "%s: %s", peer->instance->component->title, error.message);
    r = search_query(peer->instance, query_view_query(view), sink, task, &counts);
    query_view_free(view);
    return r;
}

static const struct trolley_span *peer_query_types(struct trolley_peer *abi)
{
    const struct peer *peer = abi->impl;

    return instance_query_types(peer->instance);
}

static uint32_t peer_levels(struct trolley_peer *abi)
{
    const struct peer *peer = abi->impl;

    return instance_levels(peer->instance);
}

int32_t component_peer(const struct trolley_config *config, const char *key,
                       struct trolley_task *abi_task, struct trolley_peer **ret_peer)
{
    struct component *owner = component_of(config), *component;
    const char *name = component_text(owner, key);
    struct trolley_error error;
    struct task task;
    struct peer *peer;
    int r;

    if (!owner->creating)
        return trolley_fail(abi_task, TROLLEY_ERR_INVALID_ARG, "peer() belongs into create");
    if (!name) return trolley_fail(abi_task, TROLLEY_ERR_NOT_FOUND, "key `%s` is not set", key);
    r = component_get(owner->setup, "searcher", name, &component, &error);
    if (r < 0) return trolley_fail(abi_task, r, "%s", error.message);
    peer = calloc(1, sizeof *peer);
    if (!peer) return TROLLEY_ERR_NOMEM;
    task_init(&task, component->title, &owner->setup->cancelled, NULL, NULL);
    r = instance_new(component, &task, &peer->instance, &error);
    task_clear(&task);
    if (r < 0) {
        free(peer);
        return trolley_fail(abi_task, r, "%s", error.message);
    }
    peer->abi.size = sizeof peer->abi;
    peer->abi.impl = peer;
    peer->abi.find = peer_find;
    peer->abi.query_types = peer_query_types;
    peer->abi.levels = peer_levels;
    peer->next = owner->creating->peers;
    owner->creating->peers = peer;
    *ret_peer = &peer->abi;
    return 0;
}

bool instance_fuzzy(const struct instance *instance)
{
    const struct peer *peer;

    if (component_integer(instance->component, "fuzzymatching", 0) != 0) return true;
    for (peer = instance->peers; peer; peer = peer->next)
        if (instance_fuzzy(peer->instance)) return true;
    return false;
}

void peers_free(struct peer *peers)
{
    while (peers) {
        struct peer *next = peers->next;

        instance_free(peers->instance);
        free(peers);
        peers = next;
    }
}
