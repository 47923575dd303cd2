/*
 * expand.h: from what was asked (a query, or references) to what is expected, study by study, by
 * asking the searcher. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_EXPAND_H
#define CORE_RETRIEVE_EXPAND_H

#include "core/retrieve/naming.h"
#include "core/retrieve/trolley.h"

/* Reads references as a source gives them, study by study. */
struct ref_reader {
    trolley_ref_source source;
    void *ctx;
    struct trolley_ref ahead; /* read, not used yet; texts are copies */
    char study[KIT_UID_MAX + 1], series[KIT_UID_MAX + 1], instance[KIT_UID_MAX + 1];
    char sop_class[KIT_UID_MAX + 1], transfer_syntax[KIT_UID_MAX + 1];
    bool has_ahead;
    int bad; /* the next reference is none: why, with its words */
    struct trolley_error error;
};

/*
 * The next study with all references that follow each other and belong to it, expanded to instances
 * where a searcher can name them. 1 with *ret_study, 0 at the end, negative on failure of the
 * source (INVALID_ARG: a malformed UID). A searcher that fails leaves entries with its failure, so
 * that the study is reported and the next one goes on. One that cannot name instances is asked how
 * many there are. With `naming` set the study may be begun, and its names are still to be asked for
 * (counts_name_all).
 */
int expand_next(struct ref_reader *reader, struct expander *expander, struct study **ret_study,
                struct trolley_error *error);

/* A source over the deepest objects of a tree that a find of `level` returned. */
struct tree_source {
    const struct trolley_node *study, *series, *instance;
    uint32_t level;
};
void tree_source_init(struct tree_source *source, const struct trolley_tree *tree, uint32_t level);
int tree_source_next(void *ctx, struct trolley_ref *ref, struct trolley_error *error);

#endif
