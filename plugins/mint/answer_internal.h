/* answer_internal.h: shared by the parts of answer.h's reader: elements (answer.c), attributes
 * (answer_attribute.c), nodes that wait (answer_hold.c). SPDX-License-Identifier: MIT */
#ifndef MINT_ANSWER_INTERNAL_H
#define MINT_ANSWER_INTERNAL_H

#include <kit/xml.h>

#include "answer.h"
#include "sequence.h"

enum answer_state {
    ANSWER_AT_TOP,
    ANSWER_IN_RESULTS,
    ANSWER_IN_STUDY,
    ANSWER_IN_STUDY_SET,
    ANSWER_IN_SERIES_LIST,
    ANSWER_IN_SERIES,
    ANSWER_IN_SERIES_SET,
    ANSWER_IN_NORMALIZED_SET,
    ANSWER_IN_INSTANCE_LIST,
    ANSWER_IN_INSTANCE,
    ANSWER_IN_INSTANCE_SET,
    ANSWER_IN_ATTRIBUTE, /* of a node */
    ANSWER_IN_ITEM,
    ANSWER_IN_ITEM_SET,
    ANSWER_IN_ITEM_ATTRIBUTE,
    ANSWER_IN_NOTHING /* all that is not known, with what lies within */
};

/* One open element. */
struct answer_frame {
    enum answer_state state;
    bool leaf;  /* an attribute that has its value: items are not looked at */
    bool items; /* an attribute whose array of items is open */
};

struct answer {
    struct answer_settings settings;
    struct answer_handler handler;
    void *ctx;
    struct kit_xml *xml;
    struct answer_counts counts;
    const char *problem;
    struct answer_frame frames[ANSWER_DEPTH + 1];
    uint32_t depth;
    struct attributes study, series, normalized, instance;
    struct kit_buffer held_instances; /* of the open series */
    struct kit_buffer held_series;    /* of the open study, with their instances */
    bool study_settled, study_skipped, series_settled;
    uint64_t study_nodes; /* handed on */
    uint32_t tag;         /* of the attribute being read */
    char vr[4];
    struct sequence sequence;
    struct kit_buffer decoded;
};

int answer_fail(struct answer *answer, int status, const char *problem);

/* ---- attributes ---- */
int answer_attribute_begin(struct answer *answer, struct answer_frame *frame,
                           struct attributes *set, const struct kit_xml_element *element);
int answer_attribute_end(struct answer *answer, struct answer_frame *frame, struct attributes *set);
int answer_item_begin(struct answer *answer, struct answer_frame *parent);
int answer_item_end(struct answer *answer);
int answer_nested_begin(struct answer *answer, struct answer_frame *frame,
                        const struct kit_xml_element *element);
int answer_nested_end(struct answer *answer, struct answer_frame *frame);

/* ---- nodes ---- */
int answer_study_begin(struct answer *answer, const struct kit_xml_element *element);
int answer_study_end(struct answer *answer);
int answer_series_begin(struct answer *answer, const struct kit_xml_element *element);
int answer_series_end(struct answer *answer);
int answer_instance_begin(struct answer *answer, const struct kit_xml_element *element);
int answer_instance_end(struct answer *answer);
/* No more attributes of the study (of the series) are due: nodes that waited go on. */
int answer_study_settle(struct answer *answer);
int answer_series_settle(struct answer *answer);

#endif
