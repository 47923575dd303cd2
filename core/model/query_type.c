/* Query types: the host's own, and what parameters a type has. SPDX-License-Identifier: MIT */
#include <string.h>

#include <trolley/helpers.h>

#include "core/model/query.h"
#include "core/model/query_builder.h"

/* Bases of bases; more is a circle. */
#define QUERY_MAX_BASES 8

#define ATTRIBUTE(keyword, text)                                                     \
    {                                                                                \
        .size = sizeof(struct trolley_query_param), .type = TROLLEY_PARAM_ATTRIBUTE, \
        .key = (keyword), .help = (text)                                             \
    }
#define DATE(name, text)                                                                       \
    {                                                                                          \
        .size = sizeof(struct trolley_query_param), .type = TROLLEY_PARAM_DATE, .key = (name), \
        .help = (text)                                                                         \
    }

static const struct trolley_query_param query_params[] = {
    ATTRIBUTE("StudyInstanceUID", "the study, or several"),
    ATTRIBUTE("AccessionNumber", "number of the order at the department"),
    ATTRIBUTE("PatientName", "family^given, with wildcards"),
    ATTRIBUTE("PatientID", "the hospital's number of the patient"),
    ATTRIBUTE("ModalitiesInStudy", "CT, MR, ...: any of the study's modalities"),
    ATTRIBUTE("SeriesInstanceUID", "the series, or several"),
    DATE(QUERY_MIN_STUDY_DATE, "study made on this day or later"),
    DATE(QUERY_MAX_STUDY_DATE, "study made on this day or earlier"),
};
static const struct trolley_span query_params_span = TROLLEY_SPAN(query_params);

static const struct trolley_query_param extended_params[] = {
    ATTRIBUTE("InstitutionName", "where the images were made"),
    ATTRIBUTE("PatientSex", "M, F or O"),
    ATTRIBUTE("StudyDescription", "what the study is called"),
    ATTRIBUTE("SeriesDescription", "what the series is called"),
    ATTRIBUTE("InstitutionalDepartmentName", "the department within the institution"),
    ATTRIBUTE("PatientBirthDate", "day or range of days"),
};
static const struct trolley_span extended_params_span = TROLLEY_SPAN(extended_params);

static const struct trolley_query_type query_builtins[] = {
    {
        .size = sizeof(struct trolley_query_type),
        .name = "query",
        .params = &query_params_span,
        .summary = "what every searcher understands",
    },
    {
        .size = sizeof(struct trolley_query_type),
        .name = "extended",
        .base = "query",
        .params = &extended_params_span,
        .summary = "query, and more of patient, study and series",
    },
};

const struct trolley_query_type *trolley_query_type_builtin(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof query_builtins / sizeof query_builtins[0]; i++)
        if (strcmp(query_builtins[i].name, name) == 0) return &query_builtins[i];
    return NULL;
}

/* A type listed by its name alone means the builtin of that name. */
static const struct trolley_query_type *query_type_resolve(const struct trolley_query_type *type)
{
    const struct trolley_query_type *builtin;

    if (type->base || type->params) return type;
    builtin = trolley_query_type_builtin(type->name);
    return builtin ? builtin : type;
}

static const struct trolley_query_type *query_type_base(const struct trolley_query_type *type,
                                                        const struct trolley_span *types)
{
    uint32_t i, count = types ? types->count : 0;

    if (!type->base) return NULL;
    for (i = 0; i < count; i++) {
        const struct trolley_query_type *other = trolley_span_at(types, i);

        if (other != type && strcmp(other->name, type->base) == 0) return other;
    }
    return trolley_query_type_builtin(type->base);
}

uint32_t trolley_query_type_params(const struct trolley_query_type *type, const struct trolley_span *types,
                           void (*each)(void *ctx, const struct trolley_query_param *param),
                           void *ctx)
{
    const struct trolley_query_type *chain[QUERY_MAX_BASES];
    uint32_t flags = 0, depth = 0, i;

    for (; type && depth < QUERY_MAX_BASES; type = query_type_base(chain[depth - 1], types)) {
        flags |= type->flags;
        chain[depth++] = query_type_resolve(type);
    }
    while (depth > 0) {
        type = chain[--depth];
        for (i = 0; each && type->params && i < type->params->count; i++)
            each(ctx, trolley_span_at(type->params, i));
    }
    return flags;
}
