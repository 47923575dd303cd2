/* news.c: the rules applied to arrivals that other processes told of. SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"
#include "core/prefetch/watch.h"

/* The news of one study, of one kind, with one searcher. */
struct news {
    struct prefetch_news last; /* its texts point into `texts` */
    struct news_item {
        struct news_item *next;
        int64_t at_ms;
        char series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
    } * first, **end;
    char study[KIT_UID_MAX + 1];
    char *searcher;
    bool shallow; /* some name no instance */
};

static int news_take(void *ctx, const struct prefetch_news *told)
{
    struct news *news = ctx;
    struct news_item *item = calloc(1, sizeof *item);

    if (!item) return TROLLEY_ERR_NOMEM;
    item->at_ms = told->at_ms;
    (void)snprintf(item->series, sizeof item->series, "%s", told->series ? told->series : "");
    (void)snprintf(item->instance, sizeof item->instance, "%s",
                   told->instance ? told->instance : "");
    *news->end = item;
    news->end = &item->next;
    news->last.id = told->id;
    news->last.kind = told->kind;
    news->shallow = news->shallow || !told->instance;
    if (news->study[0]) return 0;
    (void)snprintf(news->study, sizeof news->study, "%s", told->study);
    news->last.study = news->study;
    if (told->searcher) {
        news->searcher = strdup(told->searcher);
        if (!news->searcher) return TROLLEY_ERR_NOMEM;
        news->last.searcher = news->searcher;
    }
    return 0;
}

static void news_free(struct news *news)
{
    struct news_item *item;

    while ((item = news->first)) {
        news->first = item->next;
        free(item);
    }
    free(news->searcher);
}

/* The rules, all in one transaction. */
static int news_arrive(const struct prefetch_watching *watching, const struct news *news,
                       const struct trolley_tree *tree, uint32_t *ret_tasks,
                       struct trolley_error *error)
{
    const struct trolley_node *node = tree ? trolley_tree_study(tree, news->study) : NULL;
    const struct news_item *item;
    uint32_t tasks = 0, all = 0;
    int r = prefetch_store_begin(watching->store, error);

    if (r < 0) return r;
    for (item = news->first; r == 0 && item; item = item->next) {
        const struct prefetch_arrival arrival = {
            .kind = news->last.kind,
            .study = news->study,
            .series = item->series[0] ? item->series : NULL,
            .instance = item->instance[0] ? item->instance : NULL,
            .at_ms = item->at_ms,
            .node = node,
        };

        r = prefetch_arrive(watching->store, watching->settings, &arrival, &tasks, error);
        all += tasks;
    }
    if (r == 0) r = prefetch_store_news_done(watching->store, &news->last, error);
    r = prefetch_store_end(watching->store, r, error);
    if (r == 0) *ret_tasks = all;
    return r;
}

/* They are told again, as they were told first, behind whatever else there is. */
static void news_behind(const struct prefetch_watching *watching, const struct news *news)
{
    const struct news_item *item;
    int r = prefetch_store_begin(watching->store, NULL);

    if (r < 0) return;
    for (item = news->first; r == 0 && item; item = item->next) {
        struct prefetch_news again = news->last;

        again.series = item->series;
        again.instance = item->instance;
        again.at_ms = item->at_ms;
        r = prefetch_store_news_add(watching->store, &again, NULL);
    }
    (void)prefetch_store_end(watching->store, r, NULL);
}

int prefetch_news_apply(const struct prefetch_watching *watching, uint32_t *ret_tasks,
                        struct trolley_error *error)
{
    struct news news = {.end = &news.first};
    struct trolley_tree *tree = NULL;
    uint32_t depth = prefetch_rules_depth(watching->settings);
    int r = prefetch_store_news_peek(watching->store, news_take, &news, error);

    if (r > 0) {
        bool ask = prefetch_rules_ask(watching->settings) ||
                   (news.shallow && depth == TROLLEY_LEVEL_INSTANCE);

        r = 0;
        if (ask && news.searcher)
            r = prefetch_ask_study(watching->asking, watching->asking_ctx, watching->settings,
                                   news.searcher, news.study, depth, &tree, error);
        if (r == 0) r = news_arrive(watching, &news, tree, ret_tasks, error);
        if (r < 0) news_behind(watching, &news);
        if (r == 0) r = 1;
    } else if (r == TROLLEY_ERR_NOMEM) {
        (void)error_set(error, r, "out of memory");
    }
    trolley_tree_free(tree);
    news_free(&news);
    return r;
}
