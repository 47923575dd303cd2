/* Nodes, and how they wait for what belongs to the nodes above. SPDX-License-Identifier: MIT */
#include <string.h>
#include <trolley/types.h>

#include "answer_internal.h"

/* What stands before a series in held_series: the lengths of its own attributes, of the normalised
 * ones and of its instances. */
struct held_series {
    uint32_t series, normalized, instances;
};

static int node_emit(struct answer *answer, const struct attributes *series,
                     const struct attributes *normalized, const struct attributes *instance)
{
    const struct attributes *sets[] = {&answer->study, series, normalized, instance};
    uint32_t count = answer->settings.level == TROLLEY_LEVEL_INSTANCE ? 4 : answer->settings.level;

    answer->counts.nodes++;
    answer->study_nodes++;
    return answer->handler.node(answer->ctx, sets, count);
}

/* A set that reads bytes kept elsewhere. */
static struct attributes node_view(const char *bytes, size_t length)
{
    union {
        const char *from;
        char *to;
    } data = {.from = bytes};

    return (struct attributes){.bytes = {.data = data.to, .length = length}};
}

static int node_emit_instances(struct answer *answer, const struct attributes *series,
                               const struct attributes *normalized, const char *at, size_t length)
{
    const char *end;

    if (length == 0) return 0;
    for (end = at + length; at < end && !answer->study_skipped;) {
        struct attributes instance;
        uint32_t n;
        int r;

        memcpy(&n, at, sizeof n);
        instance = node_view(at + sizeof n, n);
        at += sizeof n + n;
        r = node_emit(answer, series, normalized, &instance);
        if (r < 0) return r;
    }
    return 0;
}

static int node_emit_series(struct answer *answer)
{
    const char *at = answer->held_series.data;
    const char *end;
    int r = 0;

    if (answer->held_series.length == 0) return 0;
    end = at + answer->held_series.length;
    while (r == 0 && at < end && !answer->study_skipped) {
        struct held_series held;
        struct attributes series, normalized;

        memcpy(&held, at, sizeof held);
        at += sizeof held;
        series = node_view(at, held.series);
        normalized = node_view(at + held.series, held.normalized);
        at += held.series + held.normalized;
        r = answer->settings.level == TROLLEY_LEVEL_SERIES
                ? node_emit(answer, &series, NULL, NULL)
                : node_emit_instances(answer, &series, &normalized, at, held.instances);
        at += held.instances;
    }
    kit_buffer_reset(&answer->held_series);
    return r;
}

/* ---- settling ---- */

int answer_study_settle(struct answer *answer)
{
    int r;

    if (answer->study_settled || !attributes_text(&answer->study, MINT_STUDY_UID)) return 0;
    answer->study_settled = true;
    r = answer->handler.study(answer->ctx, &answer->study);
    if (r < 0) return r;
    answer->study_skipped = r == ANSWER_SKIP;
    return node_emit_series(answer);
}

int answer_series_settle(struct answer *answer)
{
    int r;

    if (!answer->study_settled || !attributes_text(&answer->series, MINT_SERIES_UID)) return 0;
    answer->series_settled = true;
    r = node_emit_instances(answer, &answer->series, &answer->normalized,
                            answer->held_instances.data, answer->held_instances.length);
    kit_buffer_reset(&answer->held_instances);
    return r;
}

/* Has all come that the query asked of a node of that level? */
static bool node_is_complete(const struct answer *answer, const struct attributes *set,
                             uint32_t level)
{
    uint32_t uid = level == TROLLEY_LEVEL_STUDY ? MINT_STUDY_UID : MINT_SERIES_UID;
    struct attribute found;

    if (!attributes_text(set, uid)) return false;
    for (uint32_t i = 0; i < answer->settings.wanted_count[level]; i++)
        if (!attributes_find(set, answer->settings.wanted[level][i], &found)) return false;
    return true;
}

/* Once enough waits, what is there must do; without a UID it cannot. */
static int node_press(struct answer *answer)
{
    size_t held = answer->held_series.length + answer->held_instances.length;
    int r = 0;

    if (held < ANSWER_HOLD) return 0;
    if (held >= ANSWER_HOLD_MOST || node_is_complete(answer, &answer->study, TROLLEY_LEVEL_STUDY))
        r = answer_study_settle(answer);
    if (r < 0 || answer->settings.level < TROLLEY_LEVEL_INSTANCE) goto out;
    if (held >= ANSWER_HOLD_MOST || node_is_complete(answer, &answer->series, TROLLEY_LEVEL_SERIES))
        r = answer_series_settle(answer);
out:
    held = answer->held_series.length + answer->held_instances.length;
    if (r == 0 && held >= ANSWER_HOLD_MOST)
        r = answer_fail(answer, TROLLEY_ERR_TOO_LARGE,
                        "a study's or series' UID stands behind too many objects");
    return r;
}

/* ---- beginnings and ends ---- */

static int node_add_private(struct answer *answer, const char *uuid, const char *modified)
{
    int r = 0;

    if (!uuid && !modified) return 0;
    r = attributes_add(&answer->study, ANSWER_TAG_CREATOR, "LO", ANSWER_CREATOR);
    if (r == 0 && uuid) r = attributes_add(&answer->study, ANSWER_TAG_UUID, "LO", uuid);
    if (r == 0 && modified) r = attributes_add(&answer->study, ANSWER_TAG_MODIFIED, "LO", modified);
    return r;
}

/* A UID or the like that stands as an XML attribute of the node. */
static int node_add_value(struct attributes *set, uint32_t tag,
                          const struct kit_xml_element *element, const char *name)
{
    const char *value = kit_xml_value(element, name);

    return value ? attributes_add(set, tag, "UI", value) : 0;
}

int answer_study_begin(struct answer *answer, const struct kit_xml_element *element)
{
    const char *uuid = kit_xml_value(element, "studyUUID");
    const char *modified = kit_xml_value(element, "lastModified");
    int r;

    answer->counts.studies++;
    answer->study_settled = answer->study_skipped = false;
    answer->study_nodes = 0;
    attributes_reset(&answer->study);
    kit_buffer_reset(&answer->held_series);
    if (answer->settings.grammar == ANSWER_LIST)
        return answer->handler.listed(answer->ctx, uuid ? uuid : "", modified ? modified : "");
    r = node_add_value(&answer->study, MINT_STUDY_UID, element, "studyInstanceUID");
    if (r < 0 || !answer->settings.identify) return r;
    return node_add_private(answer, uuid ? uuid : answer->settings.uuid,
                            modified ? modified : answer->settings.modified);
}

int answer_study_end(struct answer *answer)
{
    int r;

    if (answer->settings.grammar == ANSWER_LIST) return 0;
    if (!attributes_text(&answer->study, MINT_STUDY_UID)) {
        answer->counts.no_uid++;
        return 0;
    }
    r = answer_study_settle(answer);
    if (r < 0 || answer->study_skipped) return r;
    if (answer->settings.level == TROLLEY_LEVEL_STUDY) return node_emit(answer, NULL, NULL, NULL);
    if (answer->study_nodes == 0) answer->counts.childless++;
    return 0;
}

int answer_series_begin(struct answer *answer, const struct kit_xml_element *element)
{
    answer->series_settled = false;
    attributes_reset(&answer->series);
    attributes_reset(&answer->normalized);
    kit_buffer_reset(&answer->held_instances);
    return node_add_value(&answer->series, MINT_SERIES_UID, element, "seriesInstanceUID");
}

static int series_hold(struct answer *answer)
{
    const struct held_series held = {(uint32_t)answer->series.bytes.length,
                                     (uint32_t)answer->normalized.bytes.length,
                                     (uint32_t)answer->held_instances.length};
    struct kit_buffer *out = &answer->held_series;
    int r = kit_buffer_append(out, &held, sizeof held);

    if (r == 0) r = kit_buffer_append(out, answer->series.bytes.data, held.series);
    if (r == 0) r = kit_buffer_append(out, answer->normalized.bytes.data, held.normalized);
    if (r == 0) r = kit_buffer_append(out, answer->held_instances.data, held.instances);
    kit_buffer_reset(&answer->held_instances);
    return r < 0 ? r : node_press(answer);
}

int answer_series_end(struct answer *answer)
{
    if (!attributes_text(&answer->series, MINT_SERIES_UID)) {
        answer->counts.no_uid++;
        kit_buffer_reset(&answer->held_instances);
        return 0;
    }
    if (!answer->study_settled) return series_hold(answer);
    if (answer->study_skipped) return 0;
    if (answer->settings.level == TROLLEY_LEVEL_SERIES)
        return node_emit(answer, &answer->series, NULL, NULL);
    return answer_series_settle(answer);
}

int answer_instance_begin(struct answer *answer, const struct kit_xml_element *element)
{
    int r;

    attributes_reset(&answer->instance);
    r = node_add_value(&answer->instance, MINT_INSTANCE_UID, element, "sopInstanceUID");
    if (r < 0) return r;
    return node_add_value(&answer->instance, MINT_TRANSFER_SYNTAX, element, "transferSyntaxUID");
}

int answer_instance_end(struct answer *answer)
{
    uint32_t length = (uint32_t)answer->instance.bytes.length;
    int r;

    if (!attributes_text(&answer->instance, MINT_INSTANCE_UID)) {
        answer->counts.no_uid++;
        return 0;
    }
    if (answer->study_skipped) return 0;
    if (answer->series_settled)
        return node_emit(answer, &answer->series, &answer->normalized, &answer->instance);
    r = kit_buffer_append(&answer->held_instances, &length, sizeof length);
    if (r == 0) r = kit_buffer_append(&answer->held_instances, answer->instance.bytes.data, length);
    return r < 0 ? r : node_press(answer);
}
