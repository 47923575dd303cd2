/* dicom_json.c: one element in the DICOM JSON model [PS3.18 F.2]. SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <kit/json.h>
#include <trolley/helpers.h>

#include "core/cli/format.h"

static bool vr_among(const char *vr, const char *list)
{
    const char *at;

    for (at = list; *at; at += at[2] ? 3 : 2)
        if (memcmp(at, vr, 2) == 0) return true;
    return false;
}

/* Is `text` a number as JSON writes it [RFC 8259 6]? "+1", "01", ".5" and "1." are not. */
static bool is_json_number(const char *text)
{
    text += *text == '-';
    if (!isdigit((unsigned char)*text)) return false;
    text += *text == '0' ? 1 : strspn(text, "0123456789");
    if (*text == '.') {
        if (!isdigit((unsigned char)text[1])) return false;
        text += 1 + strspn(text + 1, "0123456789");
    }
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '+' || text[1] == '-');
        if (!isdigit((unsigned char)*text)) return false;
        text += strspn(text, "0123456789");
    }
    return *text == '\0';
}

/* Ideographic and phonetic groups only where they are set [PS3.18 F.2.2]. */
static void person_name(struct kit_json *json, const char *text)
{
    static const char *const groups[] = {"Alphabetic", "Ideographic", "Phonetic"};
    size_t i;

    kit_json_open(json, NULL, '{');
    for (i = 0; i < 3; i++) {
        size_t length = i < 2 ? strcspn(text, "=") : strlen(text);
        char *group = length ? strndup(text, length) : NULL;

        if (length && !group) json->status = TROLLEY_ERR_NOMEM;
        if (group) kit_json_text(json, groups[i], group);
        free(group);
        text += length + (text[length] == '=');
    }
    kit_json_close(json);
}

static void value_write(struct kit_json *json, const char *vr, const char *text)
{
    if (!text || !*text)
        kit_json_raw(json, NULL, "null");
    else if (vr_among(vr, "PN"))
        person_name(json, text);
    else if (vr_among(vr, "DS FL FD IS SL SS SV UL US UV") && is_json_number(text))
        kit_json_raw(json, NULL, text);
    else
        kit_json_text(json, NULL, text);
}

/* The items of a sequence as the plugin wrote them, when they are JSON. */
static void sequence_write(struct kit_json *json, const char *text)
{
    cJSON *parsed = text ? cJSON_ParseWithOpts(text, NULL, 1) : NULL;
    char *copy = cJSON_IsArray(parsed) ? strdup(text) : NULL;

    cJSON_Delete(parsed);
    if (!copy) return;
    cJSON_Minify(copy);
    kit_json_raw(json, "Value", copy);
    free(copy);
}

static void values_write(struct kit_json *json, const char *vr, const struct trolley_span *values)
{
    uint32_t i;

    kit_json_open(json, "Value", '[');
    for (i = 0; i < values->count; i++)
        value_write(json, vr, trolley_span_text(values, i));
    kit_json_close(json);
}

int dicom_json_element(struct kit_buffer *out, const struct trolley_element *element)
{
    const char *vr = element->vr[0] ? element->vr : trolley_vr(element->tag);
    struct kit_json json = {.out = out};
    char name[3] = {vr[0], vr[1], '\0'};

    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "vr", name);
    if (element->flags & TROLLEY_ELEMENT_BULK_URI)
        kit_json_text(&json, "BulkDataURI", trolley_span_text(&element->values, 0));
    else if (element->flags & TROLLEY_ELEMENT_JSON)
        sequence_write(&json, trolley_span_text(&element->values, 0));
    else if (vr_among(name, "OB OD OF OL OV OW UN") && element->values.count)
        kit_json_text(&json, "InlineBinary", trolley_span_text(&element->values, 0));
    else if (element->values.count)
        values_write(&json, name, &element->values);
    kit_json_close(&json);
    return json.status;
}
