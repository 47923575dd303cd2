/* ask.h: asking searchers about studies. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_ASK_H
#define CORE_PREFETCH_ASK_H

#include "core/plugin/setup.h"
#include "core/prefetch/settings.h"

/* Instances of searchers, for one thread, made when first asked and kept. */
struct prefetch_ask;

/* What asks: prefetch_ask_query with an asker as ctx, or a test's. *ret_tree is the caller's. */
typedef int (*prefetch_asking)(void *ctx, const char *searcher,
                               const struct trolley_query_builder *query,
                               struct trolley_tree **ret_tree, struct trolley_error *error);

/* `cancel` and `remark` (may be NULL) are borrowed. */
int prefetch_ask_new(struct trolley_setup *setup, const atomic_int *cancel,
                     trolley_remark_sink remark, void *remark_ctx, struct prefetch_ask **ret_ask,
                     struct trolley_error *error);
void prefetch_ask_free(struct prefetch_ask *ask);

/* Nothing is returned of an answer that ended early. */
int prefetch_ask_query(void *ask, const char *searcher, const struct trolley_query_builder *query,
                       struct trolley_tree **ret_tree, struct trolley_error *error);

/*
 * A study down to `depth` (enum trolley_level: series or instance), with what the rules' conditions
 * look at and the numbers of instances: one question for the series, one more for each series'
 * instances. A study that is not there gives an empty tree.
 */
int prefetch_ask_study(prefetch_asking asking, void *ctx, const struct prefetch_settings *settings,
                       const char *searcher, const char *study, uint32_t depth,
                       struct trolley_tree **ret_tree, struct trolley_error *error);

#endif
