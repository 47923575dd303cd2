/* orders.c: exports of what a query finds, and rehearsals. SPDX-License-Identifier: MIT */
#include "core/model/error.h"
#include "core/prefetch/ask.h"
#include "core/prefetch/export.h"
#include "core/prefetch/prefetch.h"

static int orders_searcher(const struct trolley_prefetch *prefetch, const char *exporter,
                           const char **ret_searcher, struct trolley_error *error)
{
    const struct prefetch_exporter *found = prefetch_exporter_get(prefetch->settings, exporter);

    if (!found)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "there is no section [exporter %s]",
                         exporter);
    if (!found->searcher)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "[exporter %s] names no searcher, so there is nobody to ask", exporter);
    *ret_searcher = found->searcher;
    return 0;
}

int trolley_prefetch_export_query(struct trolley_prefetch *prefetch,
                                  const struct trolley_prefetch_order *order,
                                  const struct trolley_query_builder *query, int32_t dry,
                                  int (*each)(void *ctx, const char *study, int64_t id,
                                              uint32_t merged),
                                  void *ctx, struct trolley_error *error)
{
    struct trolley_prefetch_order one = *order;
    const struct trolley_node *node;
    struct trolley_tree *tree = NULL;
    struct prefetch_ask *ask = NULL;
    const char *searcher = NULL;
    uint32_t merged;
    int64_t id;
    int r = orders_searcher(prefetch, order->exporter, &searcher, error);

    if (r == 0)
        r = prefetch_ask_new(prefetch->setup, &prefetch->setup->cancelled, NULL, NULL, &ask, error);
    if (r == 0) r = prefetch_ask_query(ask, searcher, query, &tree, error);
    one.series = one.instance = NULL;
    for (node = r == 0 ? trolley_tree_first(tree) : NULL; r == 0 && node;
         node = trolley_node_next(node)) {
        one.study = trolley_node_uid(node);
        id = merged = 0;
        if (!dry) r = trolley_prefetch_export(prefetch, &one, &id, &merged, error);
        if (r == 0) r = each(ctx, one.study, id, merged);
    }
    trolley_tree_free(tree);
    prefetch_ask_free(ask);
    return r;
}

struct rehearsal {
    int (*each)(void *ctx, const char *url);
    void *ctx;
};

static int rehearsal_url(void *ctx, const struct prefetch_request *request, const char *url)
{
    const struct rehearsal *rehearsal = ctx;

    (void)request;
    return rehearsal->each(rehearsal->ctx, url);
}

int trolley_prefetch_rehearse(struct trolley_prefetch *prefetch,
                              const struct trolley_prefetch_order *order,
                              int (*each)(void *ctx, const char *url), void *ctx,
                              struct trolley_error *error)
{
    struct rehearsal rehearsal = {each, ctx};
    const struct prefetch_export_callbacks callbacks = {.ctx = &rehearsal,
                                                        .rehearsed = rehearsal_url};
    const struct prefetch_scope scope = {order->study, order->series, order->instance};
    const struct prefetch_exporter *exporter =
        prefetch_exporter_get(prefetch->settings, order->exporter);
    struct prefetch_engine *engine = NULL;
    struct prefetch_result result = {0};
    int r;

    if (!exporter)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "there is no section [exporter %s]",
                         order->exporter);
    r = prefetch_engine_new(prefetch->setup, prefetch->settings, &engine, error);
    if (r == 0)
        r = prefetch_export(engine, exporter, &scope, &callbacks, &prefetch->setup->cancelled,
                            &result, error);
    prefetch_engine_free(engine);
    if (r == 0 && result.outcome == PREFETCH_FAILED)
        r = error_set(error, TROLLEY_ERR_REMOTE, "%s", result.message);
    return r;
}
