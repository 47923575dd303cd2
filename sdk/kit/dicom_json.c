/* SPDX-License-Identifier: MIT */
#include "dicom_json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "buffer.h"
#include "json_stream.h"

struct kit_dicom_json {
    cJSON *root;
    struct trolley_element *elements;
    uint32_t count;
    const char **values; /* of all elements, one behind the other */
    uint32_t value_count;
    char **made; /* texts that cJSON does not own */
    uint32_t made_count;
};

static const char *const json_name_groups[] = {"Alphabetic", "Ideographic", "Phonetic"};

void kit_dicom_json_free(struct kit_dicom_json *data_set)
{
    uint32_t i;

    if (!data_set) return;
    for (i = 0; i < data_set->made_count; i++)
        free(data_set->made[i]);
    free(data_set->made);
    free(data_set->values);
    free(data_set->elements);
    cJSON_Delete(data_set->root);
    free(data_set);
}

static const cJSON *json_member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* "00100010" -> tag; false for any other name. */
static bool json_tag(const char *name, uint32_t *ret_tag)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    if (strlen(name) != 8 || strspn(name, digits) != 8) return false;
    *ret_tag = (uint32_t)strtoul(name, NULL, 16);
    return true;
}

static bool json_vr_valid(const char *vr)
{
    return vr && vr[0] >= 'A' && vr[0] <= 'Z' && vr[1] >= 'A' && vr[1] <= 'Z' && vr[2] == '\0';
}

static bool json_is_name(const cJSON *item)
{
    size_t i;

    for (i = 0; i < 3; i++)
        if (json_member(item, json_name_groups[i])) return true;
    return false;
}

static int json_keep(struct kit_dicom_json *data_set, char *text)
{
    if (!text) return TROLLEY_ERR_NOMEM;
    data_set->made[data_set->made_count++] = text;
    data_set->values[data_set->value_count++] = text;
    return 0;
}

/* A person name of up to three component groups, empty ones at its end left out. */
static int json_add_name(struct kit_dicom_json *data_set, const cJSON *item)
{
    struct kit_buffer name = {0};
    size_t i, length = 0;
    int r = kit_buffer_text(&name, "");

    for (i = 0; r == 0 && i < 3; i++) {
        const char *group = cJSON_GetStringValue(json_member(item, json_name_groups[i]));

        if (i) r = kit_buffer_text(&name, "=");
        if (r < 0 || !group || !*group) continue;
        r = kit_buffer_text(&name, group + (*group == KIT_JSON_NUMBER_MARK));
        length = name.length;
    }
    if (r < 0) {
        kit_buffer_free(&name);
        return r;
    }
    name.data[length] = '\0';
    return json_keep(data_set, kit_buffer_take(&name));
}

static int json_add_value(struct kit_dicom_json *data_set, const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);

    if (cJSON_IsObject(item)) return json_add_name(data_set, item);
    if (cJSON_IsArray(item)) return TROLLEY_ERR_PROTOCOL;
    if (text)
        text += *text == KIT_JSON_NUMBER_MARK;
    else
        text = cJSON_IsNull(item) ? "" : cJSON_IsTrue(item) ? "true" : "false";
    data_set->values[data_set->value_count++] = text;
    return 0;
}

/* Turns marked strings back into numbers, for printing. Depth is bounded by the stream. */
static int json_unmark(cJSON *item)
{
    cJSON *child;
    int r;

    if (item->string && item->string[0] == KIT_JSON_NUMBER_MARK) return TROLLEY_ERR_PROTOCOL;
    if (cJSON_IsString(item) && item->valuestring[0] == KIT_JSON_NUMBER_MARK) {
        memmove(item->valuestring, item->valuestring + 1, strlen(item->valuestring));
        item->type = (item->type & ~0xff) | cJSON_Raw;
    }
    for (child = item->child; child; child = child->next) {
        r = json_unmark(child);
        if (r < 0) return r;
    }
    return 0;
}

static int json_add_sequence(struct kit_dicom_json *data_set, cJSON *value)
{
    struct kit_buffer text = {0};
    bool array = cJSON_IsArray(value);
    char *printed;
    int r = json_unmark(value);

    if (r < 0) return r;
    printed = cJSON_PrintUnformatted(value);
    if (!printed) return TROLLEY_ERR_NOMEM;
    r = kit_buffer_text(&text, array ? "" : "[");
    if (r == 0) r = kit_buffer_text(&text, printed);
    if (r == 0) r = kit_buffer_text(&text, array ? "" : "]");
    cJSON_free(printed);
    if (r == 0) return json_keep(data_set, kit_buffer_take(&text));
    kit_buffer_free(&text);
    return r;
}

/* The first item of Value that is not null; NULL when there is none. */
static const cJSON *json_first(const cJSON *value)
{
    const cJSON *item = cJSON_IsArray(value) ? value->child : value;

    if (!cJSON_IsArray(value)) return cJSON_IsNull(item) ? NULL : item;
    while (item && cJSON_IsNull(item))
        item = item->next;
    return item;
}

/* Adds the values of one element and sets its flags. */
static int json_add_values(struct kit_dicom_json *data_set, struct trolley_element *element,
                           cJSON *value)
{
    const cJSON *first = json_first(value), *item;
    int r = 0;

    if (!first) {
        element->flags |= TROLLEY_ELEMENT_NULL;
        return 0;
    }
    if (cJSON_IsObject(first) && strcmp(element->vr, "PN") != 0 && !json_is_name(first)) {
        element->flags |= TROLLEY_ELEMENT_JSON;
        memcpy(element->vr, "SQ", 3);
        return json_add_sequence(data_set, value);
    }
    if (!cJSON_IsArray(value)) return json_add_value(data_set, value);
    for (item = value->child; r == 0 && item; item = item->next)
        r = json_add_value(data_set, item);
    return r;
}

/* Reads one member of the data set. */
static int json_add_element(struct kit_dicom_json *data_set, cJSON *member,
                            kit_dicom_json_vr_fn lookup)
{
    struct trolley_element *element = &data_set->elements[data_set->count];
    const char *vr = cJSON_GetStringValue(json_member(member, "vr"));
    cJSON *value = cJSON_GetObjectItemCaseSensitive(member, "Value");
    cJSON *uri = cJSON_GetObjectItemCaseSensitive(member, "BulkDataURI");
    uint32_t tag = 0, begin = data_set->value_count;
    int r;

    if (!member->string || !json_tag(member->string, &tag)) return 0;
    if (!cJSON_IsObject(member) && !cJSON_IsNull(member)) return TROLLEY_ERR_PROTOCOL;
    if (!value && json_member(member, "InlineBinary")) return 0;
    if (!json_vr_valid(vr)) vr = lookup ? lookup(tag) : NULL;
    element->size = sizeof *element;
    element->tag = tag;
    if (json_vr_valid(vr)) memcpy(element->vr, vr, 3);
    if (!value && cJSON_IsString(uri)) {
        element->flags |= TROLLEY_ELEMENT_BULK_URI;
        value = uri;
    }
    r = json_add_values(data_set, element, value);
    element->values.items = data_set->values + begin;
    element->values.count = data_set->value_count - begin;
    element->values.stride = sizeof *data_set->values;
    data_set->count++;
    return r;
}

static int json_compare(const void *a, const void *b)
{
    const struct trolley_element *left = a, *right = b;

    return (left->tag > right->tag) - (left->tag < right->tag);
}

const struct trolley_element *kit_dicom_json_find(const struct kit_dicom_json *data_set,
                                                  uint32_t tag)
{
    struct trolley_element key = {.tag = tag};

    return bsearch(&key, data_set->elements, data_set->count, sizeof key, json_compare);
}

/* Private elements (gggg,eexx) belong to the creator in (gggg,00ee) [PS3.5 7.8.1]. */
static void json_find_creators(struct kit_dicom_json *data_set)
{
    uint32_t i;

    for (i = 0; i < data_set->count; i++) {
        struct trolley_element *element = &data_set->elements[i];
        uint32_t block = (element->tag & 0xffff) >> 8;

        if (!(element->tag & 0x10000) || block < 0x10) continue;
        element->private_creator =
            kit_dicom_json_text(data_set, (element->tag & 0xffff0000) | block);
    }
}

/* Room for all elements and values of the object. */
static int json_reserve(struct kit_dicom_json *data_set)
{
    const cJSON *member;
    size_t elements = 1, values = 1;

    for (member = data_set->root->child; member; member = member->next) {
        const cJSON *value = json_member(member, "Value");

        elements++;
        values += cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) + 1 : 1;
    }
    data_set->elements = calloc(elements, sizeof *data_set->elements);
    data_set->values = calloc(values, sizeof *data_set->values);
    data_set->made = calloc(values, sizeof *data_set->made);
    if (!data_set->elements || !data_set->values || !data_set->made) return TROLLEY_ERR_NOMEM;
    return 0;
}

int kit_dicom_json_parse(const char *text, size_t length, kit_dicom_json_vr_fn vr,
                         struct kit_dicom_json **ret_data_set, const char **ret_problem)
{
    struct kit_dicom_json *data_set = calloc(1, sizeof *data_set);
    const char *problem = "malformed JSON";
    cJSON *member;
    int r = TROLLEY_ERR_NOMEM;

    if (!data_set) return r;
    r = TROLLEY_ERR_PROTOCOL;
    data_set->root = cJSON_ParseWithLength(text, length);
    if (!cJSON_IsObject(data_set->root)) goto out;
    problem = "malformed DICOM JSON: an attribute is not an object with Value";
    r = json_reserve(data_set);
    for (member = data_set->root->child; r == 0 && member; member = member->next)
        r = json_add_element(data_set, member, vr);
    if (r < 0) goto out;
    qsort(data_set->elements, data_set->count, sizeof *data_set->elements, json_compare);
    json_find_creators(data_set);
    *ret_data_set = data_set;
    return 0;
out:
    if (r == TROLLEY_ERR_PROTOCOL) *ret_problem = problem;
    kit_dicom_json_free(data_set);
    return r;
}

struct trolley_span kit_dicom_json_elements(const struct kit_dicom_json *data_set)
{
    struct trolley_span span = {data_set->elements, data_set->count, sizeof *data_set->elements};

    return span;
}

const char *kit_dicom_json_text(const struct kit_dicom_json *data_set, uint32_t tag)
{
    const struct trolley_element *element = kit_dicom_json_find(data_set, tag);

    if (!element || element->values.count == 0) return NULL;
    return *(const char *const *)element->values.items;
}
