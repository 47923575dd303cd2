/* SPDX-License-Identifier: MIT */
#include "query_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct trolley_query_param limit_params[] = {PARAM(INT, "limit")};
const struct trolley_span query_fixture_limit = TROLLEY_SPAN(limit_params);
static const struct trolley_query_param web_params[] = {PARAM(INT, "limit"), PARAM(INT, "offset"),
                                                        PARAM(BOOL, "fuzzymatching"),
                                                        PARAM(DATE, "seen_date")};
static const struct trolley_span web_span = TROLLEY_SPAN(web_params);

static const struct trolley_query_type all_types[] = {
    TYPE(.name = "query"),
    TYPE(.name = "extended"),
    TYPE(.name = "limited", .base = "extended", .params = &query_fixture_limit),
    TYPE(.name = "web", .base = "query", .params = &web_span, .flags = TROLLEY_QUERY_ANY_ATTRIBUTE),
};
const struct trolley_span query_fixture_all = TROLLEY_SPAN(all_types);

struct trolley_query_builder *query_fixture_build(const char *const *texts)
{
    struct trolley_query_builder *query = NULL;
    struct trolley_error error = {0};
    char key[64];

    assert_int_equal(trolley_query_new(&query, &error), 0);
    for (; *texts; texts++) {
        size_t length = strcspn(*texts, "=");

        (void)snprintf(key, sizeof key, "%.*s", (int)length, *texts);
        if (trolley_query_set(query, key, *texts + length + 1, &error) < 0)
            fail_msg("%s", error.message);
    }
    return query;
}
