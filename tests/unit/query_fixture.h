/* query_fixture.h: query types of a searcher that takes much, and queries from texts.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_QUERY_FIXTURE_H
#define TESTS_QUERY_FIXTURE_H

#include <trolley/helpers.h>

#include "core/model/query.h"

#define PARAM(kind, name)                                                                       \
    {                                                                                           \
        .size = sizeof(struct trolley_query_param), .type = TROLLEY_PARAM_##kind, .key = (name) \
    }
#define TYPE(...)                                              \
    {                                                          \
        .size = sizeof(struct trolley_query_type), __VA_ARGS__ \
    }

/* query, extended, limited (and limit), web (any attribute, and limit, offset, fuzzymatching,
 * seen_date): the narrowest first. */
extern const struct trolley_span query_fixture_all;
extern const struct trolley_span query_fixture_limit; /* the parameters of "limited": limit */

/* Builds a query of "KEY=VALUE" texts, ended by NULL; the caller frees it. */
struct trolley_query_builder *query_fixture_build(const char *const *texts);

#endif
