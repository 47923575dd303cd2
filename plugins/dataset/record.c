/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

static bool has_one_value(const char *vr)
{
    return strcmp(vr, "LT") == 0 || strcmp(vr, "ST") == 0 || strcmp(vr, "UT") == 0 ||
           strcmp(vr, "UR") == 0 || strcmp(vr, "SQ") == 0;
}

int value_list_set(struct value_list *list, const char *vr, const char *text)
{
    struct value_list made = {strdup(text), NULL, 1};
    char *at = made.text;
    uint32_t i;

    if (!made.text) return TROLLEY_ERR_NOMEM;
    if (!has_one_value(vr))
        for (; *at; at++)
            made.count += *at == '\\';
    if (!*text) made.count = 0;
    made.items = calloc(made.count + 1, sizeof *made.items);
    if (!made.items) {
        free(made.text);
        return TROLLEY_ERR_NOMEM;
    }
    at = made.text;
    for (i = 0; i < made.count; i++) {
        char *stop = i + 1 < made.count ? strchr(at, '\\') : NULL;

        made.items[i] = at;
        if (!stop) break;
        *stop = '\0';
        at = stop + 1;
    }
    *list = made;
    return 0;
}

void value_list_free(struct value_list *list)
{
    free(list->text);
    free(list->items);
    memset(list, 0, sizeof *list);
}

struct trolley_span value_list_span(const struct value_list *list)
{
    return (struct trolley_span){list->items, list->count, (uint32_t)sizeof list->items[0]};
}

int record_add(struct record *record, uint32_t tag, const char *vr, const char *text, bool json,
               const char *private_creator)
{
    struct trolley_element *element = &record->elements[record->count];
    struct value_list *list = &record->lists[record->count];
    char *creator = record->creators[record->count];
    uint32_t i;
    int r;

    for (i = 0; i < record->count; i++)
        if (record->elements[i].tag == tag) return 0;
    if (record->count == RECORD_ELEMENTS_MAX) return TROLLEY_ERR_TOO_LARGE;
    r = value_list_set(list, json ? "SQ" : vr, text);
    if (r < 0) return r;
    memset(element, 0, sizeof *element);
    element->size = (uint32_t)sizeof *element;
    element->tag = tag;
    (void)snprintf(element->vr, sizeof element->vr, "%.2s", vr);
    (void)snprintf(creator, sizeof record->creators[0], "%s",
                   private_creator ? private_creator : "");
    element->private_creator = private_creator ? creator : NULL;
    element->flags = json ? TROLLEY_ELEMENT_JSON : list->count ? 0 : TROLLEY_ELEMENT_NULL;
    element->values = value_list_span(list);
    record->count++;
    return 0;
}

void record_reset(struct record *record)
{
    while (record->count)
        value_list_free(&record->lists[--record->count]);
}
