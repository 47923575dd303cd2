/* query.h: queries inside the host: what the builder of trolley.h holds, the acceptance rule,
 * matching again. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_QUERY_H
#define CORE_MODEL_QUERY_H

#include <stdbool.h>

#include "core/trolley.h"

/* A query as a searcher gets it, made from another one by the acceptance rule. */
struct query_view;

/*
 * The acceptance rule: the first of `types` (span of struct trolley_query_type, in order of
 * preference) that covers every key of `query`; or the type named `forced` (NULL: none). A type's
 * base may be another of `types` or a builtin. min_study_date and max_study_date become a range of
 * StudyDate where a type has that attribute and not them. `levels` is a set of
 * TROLLEY_LEVEL_BIT.
 * @param ret_view  borrows keys and texts of `query`; free with query_view_free.
 * Errors: UNSUPPORTED_PARAM: the message says for each type which keys stood in the way; a level
 * not in `levels`; a forced type not in `types`.
 */
int query_view_new(const struct trolley_query *query, const char *forced,
                   const struct trolley_span *types, uint32_t levels, struct query_view **ret_view,
                   struct trolley_error *error);
const struct trolley_query *query_view_query(const struct query_view *view);
void query_view_free(struct query_view *view);

/*
 * The acceptance rule on a builder. *ret_query belongs to the builder and is valid until the
 * builder changes or is freed. Errors: those of query_view_new.
 */
int query_accept(const struct trolley_query_builder *builder, const struct trolley_span *types,
                 uint32_t levels, const struct trolley_query **ret_query,
                 struct trolley_error *error);

/* Builder functions without user syntax, for the host's own queries (expansion). The level is an
 * enum trolley_level: of the UID that is set, or of the records wanted. */
int query_set_uid(struct trolley_query_builder *builder, uint32_t level_of_uid, const char *uid,
                  struct trolley_error *error);
uint32_t query_level(const struct trolley_query_builder *builder);

enum query_match { QUERY_MATCH_YES, QUERY_MATCH_NO };

/*
 * Re-applies a query to one record [PS3.4 C.2.2.2]: NO when an attribute that came back contradicts
 * a key. `seen`: one byte for each of query->keys, set to 1 where the attribute came back (a key
 * whose attribute never comes back cannot be checked). Parameters without a tag are looked at only
 * where they are the host's (min_study_date, max_study_date). ModalitiesInStudy matches when any of
 * its values does. Not checked, as if they had not come back: attributes within sequences, bulk
 * data, and person names when the query asks for fuzzy matching [PS3.18 8.3.4.2], or says nothing
 * of it and `fuzzy` is the searcher's own way.
 */
enum query_match query_match_record(const struct trolley_query *query,
                                    const struct trolley_record *record, bool fuzzy,
                                    uint8_t *seen);

#endif
