/* Records made of several nodes' attributes. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "attributes.h"

#define RECORD_VALUES 65536                  /* most values of one record */
#define RECORD_SLOTS (4 * ATTRIBUTES_RECORD) /* a power of two */

/* Where the element of a tag stands, valid in its generation only. */
struct record_slot {
    uint32_t generation, tag, at;
};

struct record_builder {
    struct trolley_element elements[ATTRIBUTES_RECORD];
    const char *values[RECORD_VALUES];
    struct record_slot slots[RECORD_SLOTS];
    uint32_t count, value_count, generation;
};

int record_builder_new(struct record_builder **ret_builder)
{
    struct record_builder *builder = calloc(1, sizeof *builder);

    if (!builder) return TROLLEY_ERR_NOMEM;
    *ret_builder = builder;
    return 0;
}

void record_builder_free(struct record_builder *builder)
{
    free(builder);
}

/* The element of a tag: the one that is there, or a new one; NULL past the bound. */
static struct trolley_element *record_element(struct record_builder *builder, uint32_t tag)
{
    uint32_t at = (tag * UINT32_C(0x9e3779b1)) >> 18; /* the upper 14 bits: RECORD_SLOTS */
    struct record_slot *slot;

    for (;; at = (at + 1) & (RECORD_SLOTS - 1)) {
        slot = &builder->slots[at];
        if (slot->generation != builder->generation) break;
        if (slot->tag == tag) return &builder->elements[slot->at];
    }
    if (builder->count == ATTRIBUTES_RECORD) return NULL;
    *slot = (struct record_slot){builder->generation, tag, builder->count};
    return &builder->elements[builder->count++];
}

static int record_add(struct record_builder *builder, const struct attribute *attribute)
{
    struct trolley_element *element = record_element(builder, attribute->tag);
    const char **values = builder->values + builder->value_count;
    const char *text = attribute->values;

    if (!element || attribute->count > RECORD_VALUES - builder->value_count)
        return TROLLEY_ERR_TOO_LARGE;
    for (uint32_t i = 0; i < attribute->count; i++) {
        values[i] = text;
        text += strlen(text) + 1;
    }
    builder->value_count += attribute->count;
    *element = (struct trolley_element){
        .size = sizeof *element,
        .tag = attribute->tag,
        .flags = attribute->flags,
        .values = {values, attribute->count, sizeof *values},
    };
    memcpy(element->vr, attribute->vr, sizeof element->vr);
    return 0;
}

int record_builder_emit(struct record_builder *builder, uint32_t level,
                        const struct attributes *const *sets, uint32_t count,
                        const struct trolley_record_sink *sink)
{
    struct trolley_record record = {.size = sizeof record, .level = level};

    builder->count = builder->value_count = 0;
    if (++builder->generation == 0) {
        memset(builder->slots, 0, sizeof builder->slots);
        builder->generation = 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct attribute attribute;
        size_t offset = 0;

        while (attributes_next(&sets[i]->bytes, &offset, &attribute)) {
            int r = record_add(builder, &attribute);

            if (r < 0) return r;
        }
    }
    record.elements =
        (struct trolley_span){builder->elements, builder->count, sizeof *builder->elements};
    return sink->record(sink->ctx, &record);
}
