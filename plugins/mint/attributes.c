/* SPDX-License-Identifier: MIT */
#include "attributes.h"

#include <string.h>
#include <trolley/types.h>

/* What stands before the values in the packed bytes. */
struct attribute_head {
    uint32_t tag, flags, count, length; /* length: with the NULs, rounded up */
    char vr[4];
};

#define ATTRIBUTE_ALIGN sizeof(uint32_t)

/* VRs whose text is one value, backslashes and all [PS3.5 6.2]. */
static bool attribute_is_single(const char *vr)
{
    static const char *const single[] = {"LT", "ST", "UT", "UR"};

    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (strcmp(vr, single[i]) == 0) return true;
    return false;
}

static int attributes_append(struct attributes *set, struct attribute_head *head, const char *text,
                             size_t length)
{
    static const char padding[ATTRIBUTE_ALIGN];
    size_t rounded = (length + 1 + ATTRIBUTE_ALIGN - 1) / ATTRIBUTE_ALIGN * ATTRIBUTE_ALIGN;
    int r;

    set->bytes.cap = ATTRIBUTES_BYTES;
    if (length >= ATTRIBUTES_BYTES) return TROLLEY_ERR_TOO_LARGE;
    head->length = (uint32_t)rounded;
    r = kit_buffer_append(&set->bytes, head, sizeof *head);
    if (r == 0) r = kit_buffer_append(&set->bytes, text, length);
    if (r == 0) r = kit_buffer_append(&set->bytes, padding, rounded - length);
    return r;
}

int attributes_add(struct attributes *set, uint32_t tag, const char *vr, const char *text)
{
    struct attribute_head head = {.tag = tag, .count = 1};
    bool is_uid = strcmp(vr, "UI") == 0;
    size_t length = text ? strlen(text) : 0, begin;
    char *values;
    int r;

    while (is_uid && length > 0 && text[length - 1] == ' ')
        length--;
    if (strlen(vr) == 2) memcpy(head.vr, vr, 2);
    if (length == 0) {
        head.count = 0;
        head.flags = TROLLEY_ELEMENT_NULL;
    }
    begin = set->bytes.length + sizeof head;
    r = attributes_append(set, &head, text ? text : "", length);
    if (r < 0 || length == 0 || attribute_is_single(vr)) return r;
    values = set->bytes.data + begin;
    for (size_t i = 0; i < length; i++) {
        if (values[i] != '\\') continue;
        values[i] = '\0';
        head.count++;
    }
    memcpy(set->bytes.data + begin - sizeof head, &head, sizeof head);
    return 0;
}

int attributes_add_json(struct attributes *set, uint32_t tag, const char *json)
{
    struct attribute_head head = {
        .tag = tag, .flags = TROLLEY_ELEMENT_JSON, .count = 1, .vr = "SQ"};

    return attributes_append(set, &head, json, strlen(json));
}

void attributes_reset(struct attributes *set)
{
    kit_buffer_reset(&set->bytes);
}

void attributes_free(struct attributes *set)
{
    kit_buffer_free(&set->bytes);
}

bool attributes_next(const struct kit_buffer *bytes, size_t *offset, struct attribute *ret)
{
    struct attribute_head head;

    if (*offset + sizeof head > bytes->length) return false;
    memcpy(&head, bytes->data + *offset, sizeof head);
    ret->tag = head.tag;
    ret->flags = head.flags;
    ret->count = head.count;
    memcpy(ret->vr, head.vr, sizeof ret->vr);
    ret->values = bytes->data + *offset + sizeof head;
    *offset += sizeof head + head.length;
    return true;
}

bool attributes_find(const struct attributes *set, uint32_t tag, struct attribute *ret)
{
    struct attribute attribute;
    size_t offset = 0;
    bool found = false;

    while (attributes_next(&set->bytes, &offset, &attribute)) {
        if (attribute.tag != tag) continue;
        *ret = attribute;
        found = true;
    }
    return found;
}

const char *attributes_text(const struct attributes *set, uint32_t tag)
{
    struct attribute attribute;

    return attributes_find(set, tag, &attribute) && attribute.count ? attribute.values : NULL;
}
