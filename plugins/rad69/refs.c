/* SPDX-License-Identifier: MIT */
#include "refs.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

static int refs_compare(const void *a, const void *b)
{
    const struct trolley_ref *x = a, *y = b;
    int order = strcmp(x->study, y->study);

    if (order == 0) order = strcmp(x->series, y->series);
    return order ? order : strcmp(x->instance, y->instance);
}

int refs_copy(const struct trolley_span *span, struct trolley_ref **ret_items)
{
    struct trolley_ref *items = calloc(span->count ? span->count : 1, sizeof *items);
    uint32_t i;
    int r = 0;

    if (!items) return TROLLEY_ERR_NOMEM;
    for (i = 0; r == 0 && i < span->count; i++) {
        struct trolley_ref *ref = &items[i];

        r = trolley_read_open(ref, sizeof *ref, trolley_span_at(span, i), sizeof *ref);
        if (r == 0 && (!ref->study || !ref->series || !ref->instance)) r = TROLLEY_ERR_INVALID_ARG;
    }
    if (r < 0) {
        free(items);
        return r;
    }
    qsort(items, span->count, sizeof *items, refs_compare);
    *ret_items = items;
    return 0;
}

uint32_t refs_in_series(const struct refs *refs)
{
    uint32_t i = 1;

    while (i < refs->count && strcmp(refs->items[i].study, refs->items[0].study) == 0 &&
           strcmp(refs->items[i].series, refs->items[0].series) == 0)
        i++;
    return i;
}

uint32_t refs_find(const struct refs *refs, const char *instance, uint32_t hint)
{
    uint32_t i, at;

    for (i = 0; i < refs->count; i++) {
        at = (hint % refs->count + i) % refs->count;
        if (strcmp(refs->items[at].instance, instance) == 0) return at;
    }
    return REFS_NONE;
}

uint32_t refs_find_series(const struct refs *refs, const char *series)
{
    uint32_t i;

    for (i = 0; i < refs->count; i++)
        if (strcmp(refs->items[i].series, series) == 0) return i;
    return REFS_NONE;
}
