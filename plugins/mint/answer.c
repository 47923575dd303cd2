/* The elements of an answer. SPDX-License-Identifier: MIT */
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

#include "answer_internal.h"

#define MINT_SPACE "http://medical.nema.org/mint"

#define IN_RESULTS (1u << ANSWER_RESULTS)
#define IN_LIST (1u << ANSWER_LIST)
#define IN_STUDY (1u << ANSWER_STUDY)

/* Which element may stand in which: only direct children count. */
static const struct answer_rule {
    unsigned grammars;
    enum answer_state parent;
    const char *name;
    enum answer_state state;
} answer_rules[] = {
    {IN_RESULTS, ANSWER_IN_INSTANCE, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_RESULTS, ANSWER_IN_SERIES, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_RESULTS, ANSWER_IN_STUDY, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_RESULTS, ANSWER_IN_SERIES, "instance", ANSWER_IN_INSTANCE},
    {IN_RESULTS, ANSWER_IN_STUDY, "series", ANSWER_IN_SERIES},
    {IN_RESULTS | IN_LIST, ANSWER_IN_RESULTS, "study", ANSWER_IN_STUDY},
    {IN_RESULTS | IN_LIST, ANSWER_AT_TOP, "studySearchResults", ANSWER_IN_RESULTS},
    {IN_STUDY, ANSWER_IN_INSTANCE_SET, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_STUDY, ANSWER_IN_INSTANCE, "attributes", ANSWER_IN_INSTANCE_SET},
    {IN_STUDY, ANSWER_IN_INSTANCE_LIST, "instance", ANSWER_IN_INSTANCE},
    {IN_STUDY, ANSWER_IN_NORMALIZED_SET, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_STUDY, ANSWER_IN_SERIES_SET, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_STUDY, ANSWER_IN_STUDY_SET, "attr", ANSWER_IN_ATTRIBUTE},
    {IN_STUDY, ANSWER_IN_SERIES, "attributes", ANSWER_IN_SERIES_SET},
    {IN_STUDY, ANSWER_IN_SERIES, "normalizedInstanceAttributes", ANSWER_IN_NORMALIZED_SET},
    {IN_STUDY, ANSWER_IN_SERIES, "instances", ANSWER_IN_INSTANCE_LIST},
    {IN_STUDY, ANSWER_IN_SERIES_LIST, "series", ANSWER_IN_SERIES},
    {IN_STUDY, ANSWER_IN_STUDY, "attributes", ANSWER_IN_STUDY_SET},
    {IN_STUDY, ANSWER_IN_STUDY, "seriesList", ANSWER_IN_SERIES_LIST},
    {IN_STUDY, ANSWER_AT_TOP, "study", ANSWER_IN_STUDY},
    {IN_RESULTS | IN_STUDY, ANSWER_IN_ATTRIBUTE, "item", ANSWER_IN_ITEM},
    {IN_RESULTS | IN_STUDY, ANSWER_IN_ITEM_ATTRIBUTE, "item", ANSWER_IN_ITEM},
    {IN_RESULTS | IN_STUDY, ANSWER_IN_ITEM, "attributes", ANSWER_IN_ITEM_SET},
    {IN_RESULTS | IN_STUDY, ANSWER_IN_ITEM, "attr", ANSWER_IN_ITEM_ATTRIBUTE},
    {IN_RESULTS | IN_STUDY, ANSWER_IN_ITEM_SET, "attr", ANSWER_IN_ITEM_ATTRIBUTE},
};

int answer_fail(struct answer *answer, int status, const char *problem)
{
    answer->problem = problem;
    return status;
}

static enum answer_state answer_next_state(const struct answer *answer, enum answer_state parent,
                                           const struct kit_xml_element *element)
{
    if (parent == ANSWER_IN_NOTHING || strcmp(element->space, MINT_SPACE) != 0)
        return ANSWER_IN_NOTHING;
    for (size_t i = 0; i < sizeof answer_rules / sizeof *answer_rules; i++) {
        const struct answer_rule *rule = &answer_rules[i];

        if (rule->parent == parent && rule->grammars & 1u << answer->settings.grammar &&
            strcmp(rule->name, element->name) == 0)
            return rule->state;
    }
    return ANSWER_IN_NOTHING;
}

/* Is this left out whole: told so by the server, or below the level asked for? */
static bool answer_passes_by(const struct answer *answer, enum answer_state state,
                             const struct kit_xml_element *element)
{
    uint32_t level = answer->settings.level;

    if (kit_xml_value(element, "exclude")) return true;
    if (state == ANSWER_IN_SERIES) return level < TROLLEY_LEVEL_SERIES || answer->study_skipped;
    if (state == ANSWER_IN_NORMALIZED_SET || state == ANSWER_IN_INSTANCE)
        return level < TROLLEY_LEVEL_INSTANCE;
    return false;
}

/* The node whose attributes stand in an element of that state. */
static struct attributes *answer_set(struct answer *answer, enum answer_state state)
{
    switch (state) {
    case ANSWER_IN_STUDY:
    case ANSWER_IN_STUDY_SET:
        return &answer->study;
    case ANSWER_IN_SERIES:
    case ANSWER_IN_SERIES_SET:
        return &answer->series;
    case ANSWER_IN_NORMALIZED_SET:
        return &answer->normalized;
    default:
        return &answer->instance;
    }
}

static int answer_enter(struct answer *answer, struct answer_frame *frame,
                        const struct kit_xml_element *element)
{
    struct answer_frame *parent = frame - 1;

    switch (frame->state) {
    case ANSWER_IN_STUDY:
        return answer_study_begin(answer, element);
    case ANSWER_IN_SERIES:
        return answer_series_begin(answer, element);
    case ANSWER_IN_INSTANCE:
        return answer_instance_begin(answer, element);
    case ANSWER_IN_ATTRIBUTE:
        return answer_attribute_begin(answer, frame, answer_set(answer, parent->state), element);
    case ANSWER_IN_ITEM:
        if (!parent->leaf) return answer_item_begin(answer, parent);
        frame->state = ANSWER_IN_NOTHING;
        return 0;
    case ANSWER_IN_ITEM_ATTRIBUTE:
        return answer_nested_begin(answer, frame, element);
    default:
        return 0;
    }
}

static int answer_leave(struct answer *answer, struct answer_frame *frame)
{
    switch (frame->state) {
    case ANSWER_IN_STUDY:
        return answer_study_end(answer);
    case ANSWER_IN_STUDY_SET:
        return answer_study_settle(answer);
    case ANSWER_IN_SERIES:
        return answer_series_end(answer);
    case ANSWER_IN_INSTANCE_LIST:
        return answer_series_settle(answer);
    case ANSWER_IN_INSTANCE:
        return answer_instance_end(answer);
    case ANSWER_IN_ATTRIBUTE:
        return answer_attribute_end(answer, frame, answer_set(answer, frame[-1].state));
    case ANSWER_IN_ITEM:
        return answer_item_end(answer);
    case ANSWER_IN_ITEM_ATTRIBUTE:
        return answer_nested_end(answer, frame);
    default:
        return 0;
    }
}

static int answer_start(void *ctx, const struct kit_xml_element *element)
{
    struct answer *answer = ctx;
    enum answer_state parent = answer->frames[answer->depth].state;
    struct answer_frame *frame = &answer->frames[++answer->depth];

    memset(frame, 0, sizeof *frame);
    frame->state = answer_next_state(answer, parent, element);
    if (answer->depth == 1 && frame->state == ANSWER_IN_NOTHING)
        return answer_fail(answer, TROLLEY_ERR_PROTOCOL,
                           answer->settings.grammar == ANSWER_STUDY
                               ? "the root element is no study of MINT"
                               : "the root element is no studySearchResults of MINT");
    if (frame->state != ANSWER_IN_NOTHING && answer_passes_by(answer, frame->state, element))
        frame->state = ANSWER_IN_NOTHING;
    return answer_enter(answer, frame, element);
}

static int answer_end(void *ctx, const char *name, const char *space)
{
    struct answer *answer = ctx;
    int r;

    (void)name, (void)space;
    r = answer_leave(answer, &answer->frames[answer->depth]);
    answer->depth--;
    return r;
}

int answer_new(const struct answer_settings *settings, const struct answer_handler *handler,
               void *ctx, struct answer **ret_answer)
{
    static const struct kit_xml_handler xml = {.start = answer_start, .end = answer_end};
    static const struct kit_xml_limits limits = {.document = UINT64_MAX, .depth = ANSWER_DEPTH};
    struct answer *answer = calloc(1, sizeof *answer);
    int r;

    if (!answer) return TROLLEY_ERR_NOMEM;
    answer->settings = *settings;
    answer->handler = *handler;
    answer->ctx = ctx;
    answer->held_instances.cap = answer->held_series.cap = 2 * ANSWER_HOLD_MOST;
    answer->decoded.cap = ATTRIBUTES_BYTES;
    r = kit_xml_new(&limits, &xml, answer, &answer->xml);
    if (r < 0) {
        answer_free(answer);
        return r;
    }
    *ret_answer = answer;
    return 0;
}

void answer_free(struct answer *answer)
{
    if (!answer) return;
    kit_xml_free(answer->xml);
    attributes_free(&answer->study);
    attributes_free(&answer->series);
    attributes_free(&answer->normalized);
    attributes_free(&answer->instance);
    kit_buffer_free(&answer->held_instances);
    kit_buffer_free(&answer->held_series);
    kit_buffer_free(&answer->decoded);
    sequence_free(&answer->sequence);
    free(answer);
}

int answer_push(struct answer *answer, const void *data, size_t length)
{
    return kit_xml_push(answer->xml, data, length);
}

int answer_finish(struct answer *answer)
{
    return kit_xml_finish(answer->xml);
}

const char *answer_problem(const struct answer *answer)
{
    return answer->problem ? answer->problem : kit_xml_problem(answer->xml);
}

const struct answer_counts *answer_counts(const struct answer *answer)
{
    return &answer->counts;
}
