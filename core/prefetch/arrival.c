/* SPDX-License-Identifier: MIT */
#include "core/prefetch/arrival.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/model/dictionary.h"
#include "core/model/error.h"
#include "core/model/log.h"
#include "core/prefetch/condition.h"
#include "core/prefetch/schedule.h"

#define ARRIVAL_TAGS \
    64 /* of the conditions of one rule; what is beyond is taken as an instance's */

/* ---- what rules ask for --------------------------------------------------------------------- */

static uint32_t entity_level(enum prefetch_entity entity)
{
    return entity == PREFETCH_STUDY    ? TROLLEY_LEVEL_STUDY
           : entity == PREFETCH_SERIES ? TROLLEY_LEVEL_SERIES
                                       : TROLLEY_LEVEL_INSTANCE;
}

/* The deepest level of what a rule's conditions look at; 0 without any. */
static uint32_t condition_depth(const struct prefetch_rule *rule)
{
    uint32_t tags[ARRIVAL_TAGS], count, depth = 0, i;

    if (!rule->conditions) return 0;
    count = prefetch_condition_tags(rule->conditions, tags, ARRIVAL_TAGS);
    if (count > ARRIVAL_TAGS) return TROLLEY_LEVEL_INSTANCE;
    for (i = 0; i < count; i++) {
        uint32_t level = dictionary_level(tags[i]);

        if (level > depth) depth = level;
    }
    return depth;
}

uint32_t prefetch_rules_depth(const struct prefetch_settings *settings)
{
    uint32_t i, depth = 0;

    for (i = 0; i < settings->rule_count; i++) {
        const struct prefetch_rule *rule = &settings->rules[i];
        uint32_t entity = entity_level(rule->entity), condition = condition_depth(rule);

        if (entity > depth) depth = entity;
        if (condition > depth) depth = condition;
    }
    return depth;
}

bool prefetch_rules_ask(const struct prefetch_settings *settings)
{
    uint32_t i;

    for (i = 0; i < settings->rule_count; i++)
        if (settings->rules[i].conditions) return true;
    return false;
}

int prefetch_rules_include(const struct prefetch_settings *settings, uint32_t level,
                           struct trolley_query_builder *query, struct trolley_error *error)
{
    uint32_t tags[ARRIVAL_TAGS], count, i, j;
    char key[16];
    int r = 0;

    for (i = 0; r == 0 && i < settings->rule_count; i++) {
        if (!settings->rules[i].conditions) continue;
        count = prefetch_condition_tags(settings->rules[i].conditions, tags, ARRIVAL_TAGS);
        for (j = 0; r == 0 && j < count && j < ARRIVAL_TAGS; j++) {
            if (dictionary_level(tags[j]) > level) continue;
            (void)snprintf(key, sizeof key, "%08" PRIX32, tags[j]);
            r = trolley_query_include(query, key, error);
        }
    }
    return r;
}

/* ---- conditions ----------------------------------------------------------------------------- */

static bool condition_says(const struct prefetch_rule *rule, const struct trolley_node *node)
{
    struct trolley_error error = {0};
    int r = prefetch_condition_holds(rule->conditions, node, &error);

    if (r < 0)
        log_write(TROLLEY_LOG_WARNING, "prefetch",
                  "[rule %s]: its conditions cannot be decided, and are taken as met: %s",
                  rule->name, error.message);
    return r != 0;
}

/* Of an attribute that objects below have, one of them is enough. */
static bool condition_below(const struct prefetch_rule *rule, const struct trolley_node *node,
                            uint32_t depth)
{
    const struct trolley_node *child;

    if (!node || trolley_node_level(node) >= depth || !trolley_node_first_child(node))
        return condition_says(rule, node);
    for (child = trolley_node_first_child(node); child; child = trolley_node_next(child))
        if (condition_below(rule, child, depth)) return true;
    return false;
}

static bool condition_met(const struct prefetch_rule *rule, const struct trolley_node *node)
{
    return !rule->conditions || condition_below(rule, node, condition_depth(rule));
}

/* ---- one rule and one exporter -------------------------------------------------------------- */

struct arriving {
    struct prefetch_store *store;
    const struct prefetch_arrival *arrival;
    const struct prefetch_rule *rule;
    const struct prefetch_exporter *exporter;
    uint32_t tasks;
    struct trolley_error *error;
};

static int arriving_task(struct arriving *arriving, const char *series, const char *instance,
                         const struct trolley_node *node)
{
    const struct prefetch_rule *rule = arriving->rule;
    const struct prefetch_key key = {arriving->exporter->id,
                                     {arriving->arrival->study, series, instance}};
    const struct prefetch_when when = {arriving->arrival->at_ms, rule->delay_ms, rule->max_delay_ms,
                                       rule->jitter_ms, arriving->exporter->schedule};
    int64_t id;

    if (!condition_met(rule, node)) return 0;
    arriving->tasks++;
    return prefetch_store_arrive(arriving->store, &key, &when, &id, arriving->error);
}

/* Every instance of a series that is known. */
static int arriving_instances(struct arriving *arriving, const struct trolley_node *series)
{
    const struct trolley_node *node = trolley_node_first_child(series);
    int r = 0;

    if (!node) return arriving_task(arriving, trolley_node_uid(series), NULL, series);
    for (; r == 0 && node; node = trolley_node_next(node))
        r = arriving_task(arriving, trolley_node_uid(series), trolley_node_uid(node), node);
    return r;
}

/* A study's arrival for a narrower rule: every series that it is about. */
static int arriving_series(struct arriving *arriving)
{
    const struct prefetch_arrival *arrival = arriving->arrival;
    const struct trolley_node *node;
    int r = 0;

    for (node = trolley_node_first_child(arrival->node); r == 0 && node;
         node = trolley_node_next(node)) {
        if (arrival->about && !arrival->about(arrival->ctx, node)) continue;
        if (arriving->rule->entity == PREFETCH_SERIES)
            r = arriving_task(arriving, trolley_node_uid(node), NULL, node);
        else
            r = arriving_instances(arriving, node);
    }
    return r;
}

static int arriving_rule(struct arriving *arriving)
{
    const struct prefetch_arrival *arrival = arriving->arrival;
    const enum prefetch_entity entity = arriving->rule->entity;
    const struct trolley_node *node = arrival->node, *series = NULL, *instance = NULL;

    if (node && arrival->series) series = trolley_node_child(node, arrival->series);
    if (series && arrival->instance) instance = trolley_node_child(series, arrival->instance);
    if (!arrival->series && entity != PREFETCH_STUDY && node && trolley_node_first_child(node))
        return arriving_series(arriving);
    if (arrival->series && !arrival->instance && entity == PREFETCH_INSTANCE && series)
        return arriving_instances(arriving, series);
    /* The conditions are asked of what arrived, however wide the task is. */
    if (arrival->instance)
        node = instance;
    else if (arrival->series)
        node = series;
    return arriving_task(arriving, entity >= PREFETCH_SERIES ? arrival->series : NULL,
                         entity >= PREFETCH_INSTANCE ? arrival->instance : NULL, node);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool rule_names(const struct prefetch_rule *rule, const struct prefetch_exporter *exporter)
{
    uint32_t i;

    for (i = 0; i < rule->exporter_count; i++)
        if (rule->exporters[i] == exporter) return true;
    return false;
}

static bool rule_takes(const struct prefetch_rule *rule, const struct prefetch_arrival *arrival)
{
    switch (arrival->kind) {
    case TROLLEY_PREFETCH_REPLACED:
        if (rule->reoccurred == PREFETCH_NEVER) return false;
        break;
    case TROLLEY_PREFETCH_AGAIN:
        if (rule->reoccurred != PREFETCH_ALWAYS) return false;
        break;
    case TROLLEY_PREFETCH_PREVIOUS:
        if (!rule->export_previous_entity) return false;
        break;
    default:
        break;
    }
    return prefetch_schedule_open(rule->schedule, arrival->at_ms);
}

/* The rules of one exporter, the widest first, until one of them made a task. */
static int arrive_exporter(struct arriving *arriving, const struct prefetch_settings *settings)
{
    uint32_t before = arriving->tasks, i;
    int entity, r;

    for (entity = PREFETCH_STUDY; entity <= PREFETCH_INSTANCE; entity++) {
        for (i = 0; i < settings->rule_count; i++) {
            const struct prefetch_rule *rule = &settings->rules[i];

            if ((int)rule->entity != entity || !rule_names(rule, arriving->exporter) ||
                !rule_takes(rule, arriving->arrival))
                continue;
            arriving->rule = rule;
            r = arriving_rule(arriving);
            if (r < 0 || arriving->tasks > before) return r;
        }
    }
    return 0;
}

int prefetch_arrive(struct prefetch_store *store, const struct prefetch_settings *settings,
                    const struct prefetch_arrival *arrival, uint32_t *ret_tasks,
                    struct trolley_error *error)
{
    struct arriving arriving = {.store = store, .arrival = arrival, .error = error};
    uint32_t i;
    int r = prefetch_store_begin(store, error);

    if (r < 0) return r;
    for (i = 0; r == 0 && i < settings->exporter_count; i++) {
        arriving.exporter = &settings->exporters[i];
        r = arrive_exporter(&arriving, settings);
    }
    r = prefetch_store_end(store, r, error);
    if (r == 0 && ret_tasks) *ret_tasks = arriving.tasks;
    return r;
}
