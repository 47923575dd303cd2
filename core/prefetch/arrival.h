/* arrival.h: the rules applied to what arrived. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_ARRIVAL_H
#define CORE_PREFETCH_ARRIVAL_H

#include "core/prefetch/settings.h"
#include "core/prefetch/store.h"

/* What arrived. Borrowed. */
struct prefetch_arrival {
    uint32_t kind;                         /* enum trolley_prefetch_arrival_kind */
    const char *study, *series, *instance; /* series, instance NULL: all below, or unknown */
    int64_t at_ms;
    const struct trolley_node *node; /* of the study, with what is known of it; NULL: nothing */
    /* Of a study's arrival: which of its series it is about. NULL: all. */
    bool (*about)(void *ctx, const struct trolley_node *series);
    void *ctx;
};

/*
 * Makes and moves the tasks of every rule that the arrival concerns: its kind (reoccurred,
 * export_previous_entity), the rule's schedule, its conditions. Where several rules name one
 * exporter, the widest entity wins, the first of equals. Of an arrival wider than a rule's entity,
 * each series or instance that `node` has below it is one; where it has none the task is as wide as
 * the arrival. All of it is one transaction. Conditions that cannot be decided hold, and the log
 * says so. *ret_tasks (may be NULL): how many tasks were made or moved.
 */
int prefetch_arrive(struct prefetch_store *store, const struct prefetch_settings *settings,
                    const struct prefetch_arrival *arrival, uint32_t *ret_tasks,
                    struct trolley_error *error);

/*
 * How deep a study must be known (enum trolley_level) for the rules: the deepest of their entities
 * and of the attributes that their conditions look at. 0: nothing but what arrived.
 */
uint32_t prefetch_rules_depth(const struct prefetch_settings *settings);

/* Do conditions ask for attributes at all? */
bool prefetch_rules_ask(const struct prefetch_settings *settings);

/* Has the query return what the conditions look at, as far as objects of `level` have it. */
int prefetch_rules_include(const struct prefetch_settings *settings, uint32_t level,
                           struct trolley_query_builder *query, struct trolley_error *error);

#endif
