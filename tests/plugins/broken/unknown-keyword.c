/* unknown-keyword.c: a query type with an attribute that DICOM does not have.
 * SPDX-License-Identifier: MIT */
#include "../sound.h"

static const struct trolley_query_param param_table[] = {
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_ATTRIBUTE,
     .key = "PatientNam",
     .help = "misspelt"},
};
static const struct trolley_span params = TROLLEY_SPAN(param_table);

static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "own", .base = "query", .params = &params},
};
static const struct trolley_span types = TROLLEY_SPAN(type_table);

SOUND_SEARCHER("unknown-keyword", &sound_options, &types, sound_create, sound_destroy,
               &sound_searcher_ops, NULL);
