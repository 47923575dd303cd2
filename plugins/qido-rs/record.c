/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <trolley/helpers.h>

#include "plugins/dataset/attribute.h"

struct record_build {
    const struct kit_dicom_json *object;
    struct trolley_element *elements;
    uint32_t count;
};

static void record_add(struct record_build *build, const struct trolley_element *element)
{
    build->elements[build->count++] = *element;
}

/* The UID of an upper level, unless the object has one. `uid` must outlive the record. */
static void record_add_uid(struct record_build *build, uint32_t tag, const char *const *uid)
{
    struct trolley_element element = {
        .size = sizeof element, .tag = tag, .vr = "UI", .values = {uid, 1, sizeof *uid}};

    if (*uid && !kit_dicom_json_text(build->object, tag)) record_add(build, &element);
}

/* What the answer above tells of its own level and the object does not. */
static void record_add_above(struct record_build *build, const struct kit_dicom_json *above,
                             uint32_t level)
{
    struct trolley_span span;
    uint32_t i;

    if (!above) return;
    span = kit_dicom_json_elements(above);
    for (i = 0; i < span.count; i++) {
        const struct trolley_element *element = trolley_span_at(&span, i);

        if (attribute_level(element->tag) != level || element->tag == attribute_uid(level))
            continue;
        if (!kit_dicom_json_find(build->object, element->tag)) record_add(build, element);
    }
}

int record_deliver(const struct trolley_record_sink *sink, uint32_t level,
                   const struct kit_dicom_json *object, const struct record_above *above)
{
    struct record_build build = {.object = object};
    struct trolley_span own = kit_dicom_json_elements(object);
    struct trolley_record record = {.size = sizeof record, .level = level};
    size_t most = (size_t)own.count + 2;
    uint32_t i;
    int r;

    if (above->study_object) most += kit_dicom_json_elements(above->study_object).count;
    if (above->series_object) most += kit_dicom_json_elements(above->series_object).count;
    build.elements = calloc(most, sizeof *build.elements);
    if (!build.elements) return TROLLEY_ERR_NOMEM;
    for (i = 0; i < own.count; i++)
        record_add(&build, trolley_span_at(&own, i));
    record_add_uid(&build, TAG_STUDY_UID, &above->study);
    record_add_uid(&build, TAG_SERIES_UID, &above->series);
    record_add_above(&build, above->study_object, TROLLEY_LEVEL_STUDY);
    record_add_above(&build, above->series_object, TROLLEY_LEVEL_SERIES);
    record.elements.items = build.elements;
    record.elements.count = build.count;
    record.elements.stride = sizeof *build.elements;
    r = sink->record(sink->ctx, &record);
    free(build.elements);
    return r;
}
