/* tree.h: building the study tree. Reading it: trolley.h. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_TREE_H
#define CORE_MODEL_TREE_H

#include "core/trolley.h"

int tree_new(struct trolley_tree **ret_tree);

/*
 * Merges one record: each attribute goes to the level of its DICOM module (dictionary_level; at
 * most the record's level). Text is copied. UIDs are trimmed of padding and checked.
 * @param ret_conflicts  may be NULL; number of attributes that contradicted what was there (the
 * first value stays)
 * Errors: PROTOCOL when a UID of the record's level or above is absent or malformed; INVALID_ARG
 * for a malformed record; NOMEM; TOO_LARGE past the tree's cap of 2 GiB.
 */
int tree_add(struct trolley_tree *tree, const struct trolley_record *record,
             uint32_t *ret_conflicts, struct trolley_error *error);

#endif
