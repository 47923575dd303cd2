/* SPDX-License-Identifier: MIT */
#include "core/prefetch/ask.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/query.h"
#include "core/model/tree.h"
#include "core/prefetch/arrival.h"
#include "core/retrieve/search.h"

#define TAG_STUDY UINT32_C(0x0020000d)
#define TAG_SERIES UINT32_C(0x0020000e)
#define TAG_INSTANCE UINT32_C(0x00080018)

struct asked {
    struct asked *next;
    const char *name; /* of the searcher's section; belongs to its component */
    struct instance *instance;
};

struct prefetch_ask {
    struct trolley_setup *setup;
    const atomic_int *cancel;
    trolley_remark_sink remark;
    void *remark_ctx;
    struct asked *asked;
};

int prefetch_ask_new(struct trolley_setup *setup, const atomic_int *cancel,
                     trolley_remark_sink remark, void *remark_ctx, struct prefetch_ask **ret_ask,
                     struct trolley_error *error)
{
    struct prefetch_ask *ask = calloc(1, sizeof *ask);

    if (!ask) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    *ask = (struct prefetch_ask){
        .setup = setup, .cancel = cancel, .remark = remark, .remark_ctx = remark_ctx};
    *ret_ask = ask;
    return 0;
}

void prefetch_ask_free(struct prefetch_ask *ask)
{
    struct asked *asked;

    if (!ask) return;
    while ((asked = ask->asked)) {
        ask->asked = asked->next;
        instance_free(asked->instance);
        free(asked);
    }
    free(ask);
}

static int ask_instance(struct prefetch_ask *ask, const char *searcher, struct task *task,
                        struct instance **ret_instance, struct trolley_error *error)
{
    struct component *component = NULL;
    struct asked *asked;
    int r;

    for (asked = ask->asked; asked; asked = asked->next) {
        if (strcmp(asked->name, searcher) != 0) continue;
        *ret_instance = asked->instance;
        return 0;
    }
    r = component_get(ask->setup, "searcher", searcher, &component, error);
    if (r < 0) return r;
    asked = calloc(1, sizeof *asked);
    if (!asked) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    asked->name = component->name;
    task->component = component->title;
    r = instance_new(component, task, &asked->instance, error);
    if (r < 0) {
        free(asked);
        return r;
    }
    asked->next = ask->asked;
    ask->asked = asked;
    *ret_instance = asked->instance;
    return 0;
}

static int32_t ask_record(void *ctx, const struct trolley_record *record)
{
    struct trolley_error error;
    int r = tree_add(ctx, record, NULL, &error);

    return r == TROLLEY_ERR_PROTOCOL ? 0 : r;
}

int prefetch_ask_query(void *ctx, const char *searcher, const struct trolley_query_builder *query,
                       struct trolley_tree **ret_tree, struct trolley_error *error)
{
    struct prefetch_ask *ask = ctx;
    struct trolley_tree *tree = NULL;
    struct search_counts counts;
    struct instance *instance = NULL;
    struct task task;
    int r = tree_new(&tree);
    const struct trolley_record_sink sink = {tree, ask_record};

    if (r < 0) return error_set(error, r, "out of memory");
    task_init(&task, "prefetch", ask->cancel, ask->remark, ask->remark_ctx);
    r = ask_instance(ask, searcher, &task, &instance, error);
    if (r == 0) {
        task.component = instance->component->title;
        r = search_builder(instance, query, &sink, &task, &counts, error);
    }
    task_clear(&task);
    if (r < 0)
        trolley_tree_free(tree);
    else
        *ret_tree = tree;
    return r;
}

/* ---- studies -------------------------------------------------------------------------------- */

/* The objects of `level` below a study, or below one of its series. */
static int ask_below(prefetch_asking asking, void *ctx, const struct prefetch_settings *settings,
                     const char *searcher, uint32_t level, const char *study, const char *series,
                     struct trolley_tree **ret_tree, struct trolley_error *error)
{
    struct trolley_query_builder *query;
    int r = trolley_query_new(&query, error);

    if (r < 0) return r;
    r = trolley_query_set(query, "StudyInstanceUID", study, error);
    if (r == 0 && series) r = trolley_query_set(query, "SeriesInstanceUID", series, error);
    if (r == 0)
        r = trolley_query_set_level(query, level == TROLLEY_LEVEL_SERIES ? "series" : "instance",
                                    error);
    if (r == 0 && level == TROLLEY_LEVEL_SERIES)
        r = trolley_query_include(query, "NumberOfSeriesRelatedInstances", error);
    if (r == 0) r = prefetch_rules_include(settings, level, query, error);
    if (r == 0) r = asking(ctx, searcher, query, ret_tree, error);
    trolley_query_free(query);
    return r;
}

/* Adds an instance and all that is known of it to the tree of its study. */
static int ask_graft(struct trolley_tree *tree, const struct trolley_node *node,
                     struct trolley_error *error)
{
    const char *const uids[] = {trolley_node_uid(trolley_node_parent(trolley_node_parent(node))),
                                trolley_node_uid(trolley_node_parent(node)),
                                trolley_node_uid(node)};
    static const uint32_t tags[] = {TAG_STUDY, TAG_SERIES, TAG_INSTANCE};
    struct trolley_element *elements, *element;
    struct trolley_record record = {.size = sizeof record, .level = TROLLEY_LEVEL_INSTANCE};
    uint32_t own = 0, i;
    int r;

    while (trolley_node_element(node, own))
        own++;
    elements = calloc(own + 3, sizeof *elements);
    if (!elements) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (i = 0; i < own; i++)
        elements[i] = *trolley_node_element(node, i);
    for (i = 0; i < 3; i++) {
        element = &elements[own + i];
        element->size = sizeof *element;
        element->tag = tags[i];
        element->values = (struct trolley_span){&uids[i], 1, sizeof uids[i]};
    }
    record.elements = (struct trolley_span){elements, own + 3, sizeof *elements};
    r = tree_add(tree, &record, NULL, error);
    free(elements);
    return r;
}

static int ask_instances(prefetch_asking asking, void *ctx,
                         const struct prefetch_settings *settings, const char *searcher,
                         const char *study, const struct trolley_node *series,
                         struct trolley_tree *tree, struct trolley_error *error)
{
    struct trolley_tree *below = NULL;
    const struct trolley_node *node = NULL;
    int r = ask_below(asking, ctx, settings, searcher, TROLLEY_LEVEL_INSTANCE, study,
                      trolley_node_uid(series), &below, error);

    if (r < 0) return r;
    node = trolley_tree_study(below, study);
    if (node) node = trolley_node_child(node, trolley_node_uid(series));
    for (node = node ? trolley_node_first_child(node) : NULL; r == 0 && node;
         node = trolley_node_next(node))
        r = ask_graft(tree, node, error);
    trolley_tree_free(below);
    return r;
}

int prefetch_ask_study(prefetch_asking asking, void *ctx, const struct prefetch_settings *settings,
                       const char *searcher, const char *study, uint32_t depth,
                       struct trolley_tree **ret_tree, struct trolley_error *error)
{
    struct trolley_tree *tree = NULL;
    const struct trolley_node *node;
    int r =
        ask_below(asking, ctx, settings, searcher, TROLLEY_LEVEL_SERIES, study, NULL, &tree, error);

    if (r < 0) return r;
    node = trolley_tree_study(tree, study);
    for (node = node && depth > TROLLEY_LEVEL_SERIES ? trolley_node_first_child(node) : NULL;
         r == 0 && node; node = trolley_node_next(node))
        r = ask_instances(asking, ctx, settings, searcher, study, node, tree, error);
    if (r < 0)
        trolley_tree_free(tree);
    else
        *ret_tree = tree;
    return r;
}
