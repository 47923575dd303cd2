/* trolley.h: a [trolley NAME] in memory. SPDX-License-Identifier: MIT */
#ifndef CORE_RETRIEVE_TROLLEY_H
#define CORE_RETRIEVE_TROLLEY_H

#include "core/plugin/setup.h"

struct trolley {
    struct trolley_setup *setup;
    char *name;              /* of the section; NULL when it was composed */
    struct section *section; /* has the names; of a composed one it stands in no file */
    const char *searcher;    /* section names, borrowed from section; NULL when not set */
    const char *expander;
    const char *storage;
    struct trolley_span downloaders;      /* of const char * */
    bool counts_suffice;                  /* expected = counts */
    struct component *searcher_component; /* opened at first use */
    struct instance *searcher_instance;
};

/* INVALID_CONFIG: it names nothing for that key (searcher, downloader, storage); `hint` is added to
 * the message. */
int retrieve_lacks(const struct trolley *trolley, const char *key, const char *hint,
                   struct trolley_error *error);

/* An instance of the searcher for the calling thread of find; made once. INVALID_CONFIG when there
 * is none. */
int retrieve_searcher(struct trolley *trolley, struct task *task, struct instance **ret_instance,
                      struct trolley_error *error);

/* trolley_find that also says whether asking again may help: ret_failure is set on failure. */
int retrieve_find(struct trolley *trolley, const struct trolley_query_builder *query,
                  trolley_remark_sink remark, void *remark_ctx,
                  struct trolley_find_result *ret_result, struct task_failure *ret_failure,
                  struct trolley_error *error);

#endif
