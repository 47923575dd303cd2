/* Attributes and the items of sequences. SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <kit/base64.h>
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

#include "answer_internal.h"

/* Eight hexadecimal digits in either case. */
static bool attribute_tag(const struct kit_xml_element *element, uint32_t *ret_tag)
{
    const char *text = kit_xml_value(element, "tag");

    if (!text || strlen(text) != 8 || strspn(text, "0123456789abcdefABCDEF") != 8) return false;
    *ret_tag = (uint32_t)strtoul(text, NULL, 16);
    return true;
}

static void attribute_vr(const struct answer *answer, const struct kit_xml_element *element,
                         uint32_t tag, char ret_vr[4])
{
    const char *vr = kit_xml_value(element, "vr");

    if (!vr || strlen(vr) != 2 || !isupper((unsigned char)vr[0]) || !isupper((unsigned char)vr[1]))
        vr = answer->settings.vr ? answer->settings.vr(tag) : NULL;
    memset(ret_vr, 0, 4);
    if (vr && strlen(vr) == 2) memcpy(ret_vr, vr, 2);
}

static int attribute_keep(void *ctx, const void *data, size_t length)
{
    return kit_buffer_append(ctx, data, length);
}

/* Text that XML cannot hold comes as base64, and so do binary values: those no record can hold. */
static int attribute_add_bytes(struct answer *answer, struct attributes *set, const char *bytes)
{
    static const char binary[] = "AT FD FL OB OD OF OL OV OW SL SS SV UL UN US UV";
    struct kit_base64 base64 = {0};
    size_t length;
    int r;

    if (!*bytes) return attributes_add(set, answer->tag, answer->vr, NULL);
    if (!*answer->vr || strstr(binary, answer->vr)) return 0;
    kit_buffer_reset(&answer->decoded);
    r = kit_base64_push(&base64, bytes, strlen(bytes), attribute_keep, &answer->decoded);
    if (r == 0 && kit_base64_finish(&base64) < 0) r = TROLLEY_ERR_PROTOCOL;
    if (r == TROLLEY_ERR_PROTOCOL) {
        answer->counts.malformed++;
        return 0;
    }
    length = answer->decoded.length;
    if (r < 0 || length == 0) return r;
    if (memchr(answer->decoded.data, '\0', length) ||
        !kit_text_utf8_valid(answer->decoded.data, length)) {
        answer->counts.malformed++;
        return 0;
    }
    return attributes_add(set, answer->tag, answer->vr, answer->decoded.data);
}

int answer_attribute_begin(struct answer *answer, struct answer_frame *frame,
                           struct attributes *set, const struct kit_xml_element *element)
{
    const char *value = kit_xml_value(element, "val");
    const char *bytes = kit_xml_value(element, "bytes");

    if (!attribute_tag(element, &answer->tag)) {
        answer->counts.malformed++;
        frame->state = ANSWER_IN_NOTHING;
        return 0;
    }
    if (kit_xml_value(element, "bid")) {
        frame->state = ANSWER_IN_NOTHING;
        return 0;
    }
    if ((set == &answer->study && answer->study_nodes > 0) ||
        (set == &answer->series && answer->series_settled))
        answer->counts.late++;
    attribute_vr(answer, element, answer->tag, answer->vr);
    if (strcmp(answer->vr, "SQ") == 0) return 0;
    frame->leaf = value || bytes;
    if (value) return attributes_add(set, answer->tag, answer->vr, value);
    return bytes ? attribute_add_bytes(answer, set, bytes) : 0;
}

int answer_attribute_end(struct answer *answer, struct answer_frame *frame, struct attributes *set)
{
    struct sequence *sequence = &answer->sequence;

    if (frame->leaf) return 0;
    if (!frame->items) return attributes_add(set, answer->tag, answer->vr, NULL);
    kit_json_close(&sequence->json);
    if (sequence->json.status < 0) return sequence->json.status;
    return attributes_add_json(set, answer->tag, sequence->text.data);
}

static int attribute_status(struct answer *answer)
{
    int r = answer->sequence.json.status;

    return r == TROLLEY_ERR_TOO_LARGE ? answer_fail(answer, r, "sequences are nested too deep") : r;
}

int answer_item_begin(struct answer *answer, struct answer_frame *parent)
{
    struct kit_json *json = &answer->sequence.json;

    if (!parent->items && parent->state == ANSWER_IN_ATTRIBUTE) sequence_begin(&answer->sequence);
    if (!parent->items && parent->state == ANSWER_IN_ITEM_ATTRIBUTE)
        kit_json_open(json, "Value", '[');
    parent->items = true;
    kit_json_open(json, NULL, '{');
    return attribute_status(answer);
}

int answer_item_end(struct answer *answer)
{
    kit_json_close(&answer->sequence.json);
    return attribute_status(answer);
}

int answer_nested_begin(struct answer *answer, struct answer_frame *frame,
                        const struct kit_xml_element *element)
{
    const char *value = kit_xml_value(element, "val");
    const char *bytes = kit_xml_value(element, "bytes");
    uint32_t tag;
    char vr[4];

    if (!attribute_tag(element, &tag) || kit_xml_value(element, "bid")) {
        frame->state = ANSWER_IN_NOTHING;
        return 0;
    }
    attribute_vr(answer, element, tag, vr);
    sequence_open(&answer->sequence, tag, vr);
    if (strcmp(vr, "SQ") == 0) return attribute_status(answer);
    frame->leaf = value || bytes;
    if (value)
        sequence_values(&answer->sequence, vr, value);
    else if (bytes && *bytes)
        kit_json_text(&answer->sequence.json, "InlineBinary", bytes);
    return attribute_status(answer);
}

int answer_nested_end(struct answer *answer, struct answer_frame *frame)
{
    if (frame->items) kit_json_close(&answer->sequence.json);
    kit_json_close(&answer->sequence.json);
    return attribute_status(answer);
}
