/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <string.h>
#include <trolley/types.h>

enum {
    MODALITIES_IN_STUDY = 0x00080061,
    SOP_CLASSES_IN_STUDY = 0x00080062,
    STUDY_RELATED_SERIES = 0x00201206,
    STUDY_RELATED_INSTANCES = 0x00201208,
    SERIES_RELATED_INSTANCES = 0x00201209
};

bool facts_is_computed(uint32_t tag)
{
    return tag == MODALITIES_IN_STUDY || tag == SOP_CLASSES_IN_STUDY ||
           tag == STUDY_RELATED_SERIES || tag == STUDY_RELATED_INSTANCES ||
           tag == SERIES_RELATED_INSTANCES;
}

const char *facts_vr(uint32_t tag)
{
    if (tag == MODALITIES_IN_STUDY) return "CS";
    return tag == SOP_CLASSES_IN_STUDY ? "UI" : "IS";
}

/* Appends a value to those joined with '\' unless it is among them. */
static int add_once(struct kit_buffer *joined, const char *value)
{
    size_t length = strlen(value);
    const char *at = joined->length ? joined->data : NULL;
    int r = 0;

    while (at) {
        if (strncmp(at, value, length) == 0 && (at[length] == '\\' || !at[length])) return 0;
        at = strchr(at, '\\');
        if (at) at++;
    }
    if (joined->length) r = kit_buffer_text(joined, "\\");
    return r < 0 ? r : kit_buffer_text(joined, value);
}

static int add_column(struct kit_buffer *joined, const struct index_instance *instance,
                      uint32_t tag)
{
    const char *text = "";

    if (index_value(instance, index_find_column(tag), &text) != 1 || !*text) return 0;
    return add_once(joined, text);
}

int facts_gather(struct facts *facts, const struct index *index, size_t at)
{
    const struct index_instance *all = index->instances;
    struct index_range range;
    size_t i;
    int r = 0;

    if (facts->study == all[at].study) return 0;
    range = index_below(index, all[at].study, NULL, NULL);
    kit_buffer_reset(&facts->modalities);
    kit_buffer_reset(&facts->sop_classes);
    facts->study = all[at].study;
    facts->series = 0;
    facts->instances = range.end - range.first;
    for (i = range.first; i < range.end && r == 0; i++) {
        const struct index_instance *before = i > range.first ? &all[i - 1] : NULL;

        if (!before || all[i].series != before->series) facts->series++;
        /* Neighbours mostly agree, and equal rows have one address. */
        if (!before || all[i].rows[INDEX_SERIES_ROW] != before->rows[INDEX_SERIES_ROW])
            r = add_column(&facts->modalities, &all[i], 0x00080060);
        if (r == 0) r = add_column(&facts->sop_classes, &all[i], 0x00080016);
    }
    if (r < 0) facts->study = NULL;
    return r;
}

int facts_text(const struct facts *facts, const struct index *index, size_t at, uint32_t tag,
               struct kit_buffer *out)
{
    const struct index_instance *instance = &index->instances[at];
    struct index_range range;

    switch (tag) {
    case MODALITIES_IN_STUDY:
        return kit_buffer_append(out, facts->modalities.data, facts->modalities.length);
    case SOP_CLASSES_IN_STUDY:
        return kit_buffer_append(out, facts->sop_classes.data, facts->sop_classes.length);
    case STUDY_RELATED_SERIES:
        return kit_buffer_printf(out, "%zu", facts->series);
    case STUDY_RELATED_INSTANCES:
        return kit_buffer_printf(out, "%zu", facts->instances);
    default:
        range = index_below(index, instance->study, instance->series, NULL);
        return kit_buffer_printf(out, "%zu", range.end - range.first);
    }
}

void facts_free(struct facts *facts)
{
    kit_buffer_free(&facts->modalities);
    kit_buffer_free(&facts->sop_classes);
    facts->study = NULL;
}
