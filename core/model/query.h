/* query.h: queries inside the host: what the builder of trolley.h holds, the acceptance rule,
 * matching again. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_QUERY_H
#define CORE_MODEL_QUERY_H

#include "core/trolley.h"

/* The host's own types "query" and "extended", by name; NULL for others. */
const struct trolley_query_type *query_type_builtin(const char *name);

/*
 * The acceptance rule: the first of `types` (span of struct trolley_query_type, in order of
 * preference) that covers every key set; or the type that the builder forces. *ret_query borrows
 * from the builder and is valid until the builder changes. A searcher's `types` may name a base
 * that is another of its types or a builtin. Errors: UNSUPPORTED_PARAM: the message says for each
 * type which keys stood in the way; a level not in `levels`.
 */
int query_accept(const struct trolley_query_builder *builder, const struct trolley_span *types,
                 uint32_t levels, const struct trolley_query **ret_query,
                 struct trolley_error *error);

/* Builder functions without user syntax, for the host's own queries (expansion). */
int query_set_uid(struct trolley_query_builder *builder, uint32_t level_of_uid, const char *uid,
                  struct trolley_error *error);
uint32_t query_level(const struct trolley_query_builder *builder);

/* The parameters of a type, base by base: calls each(ctx, param). Names of bases resolve among
 * `types` and builtins. Returns the flags of all of them or-ed together. */
uint32_t query_type_params(const struct trolley_query_type *type, const struct trolley_span *types,
                           void (*each)(void *ctx, const struct trolley_query_param *param),
                           void *ctx);

enum query_match { QUERY_MATCH_YES, QUERY_MATCH_NO };

/*
 * Re-applies a query to one record [PS3.4 C.2.2.2]: NO when an attribute that came back contradicts
 * a key. `seen`: one byte for each of query->keys, set to 1 where the attribute came back (a key
 * whose attribute never comes back cannot be checked). Parameters without a tag are looked at only
 * where they are the host's (min_study_date, max_study_date). ModalitiesInStudy matches when any of
 * its values does.
 */
enum query_match query_match_record(const struct trolley_query *query,
                                    const struct trolley_record *record, uint8_t *seen);

#endif
