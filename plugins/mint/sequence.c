/* SPDX-License-Identifier: MIT */
#include "sequence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attributes.h"

void sequence_begin(struct sequence *sequence)
{
    kit_buffer_reset(&sequence->text);
    sequence->text.cap = ATTRIBUTES_BYTES / 2;
    memset(&sequence->json, 0, sizeof sequence->json);
    sequence->json.out = &sequence->text;
    kit_json_open(&sequence->json, NULL, '[');
}

void sequence_free(struct sequence *sequence)
{
    kit_buffer_free(&sequence->text);
    kit_buffer_free(&sequence->value);
}

void sequence_open(struct sequence *sequence, uint32_t tag, const char *vr)
{
    char key[9];

    (void)snprintf(key, sizeof key, "%08" PRIX32, tag);
    kit_json_open(&sequence->json, key, '{');
    if (*vr) kit_json_text(&sequence->json, "vr", vr);
}

/* A number as JSON writes them [RFC 8259 6]. */
static bool sequence_is_number(const char *text, size_t length)
{
    size_t i = length > 0 && *text == '-' ? 1 : 0;
    size_t begin = i;

    while (i < length && text[i] >= '0' && text[i] <= '9')
        i++;
    if (i == begin || (text[begin] == '0' && i - begin > 1)) return false;
    if (i < length && text[i] == '.') {
        begin = ++i;
        while (i < length && text[i] >= '0' && text[i] <= '9')
            i++;
        if (i == begin) return false;
    }
    if (i < length && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < length && (text[i] == '+' || text[i] == '-')) i++;
        begin = i;
        while (i < length && text[i] >= '0' && text[i] <= '9')
            i++;
        if (i == begin) return false;
    }
    return i == length;
}

static bool sequence_vr_is_one_of(const char *vr, const char *list)
{
    const char *at = strlen(vr) == 2 ? strstr(list, vr) : NULL;

    return at != NULL;
}

static int sequence_name(struct kit_buffer *out, const char *text, size_t length)
{
    static const char *const groups[] = {"Alphabetic", "Ideographic", "Phonetic"};
    const char *end = text + length;
    bool first = true;
    int r = kit_buffer_text(out, "{");

    for (size_t i = 0; r == 0 && i < 3 && text <= end; i++) {
        const char *stop = memchr(text, '=', (size_t)(end - text));
        size_t n = (size_t)((stop ? stop : end) - text);

        if (n > 0) {
            r = kit_buffer_printf(out, "%s\"%s\":", first ? "" : ",", groups[i]);
            if (r == 0) r = kit_json_string_n(out, text, n);
            first = false;
        }
        text += n + 1;
    }
    return r < 0 ? r : kit_buffer_text(out, "}");
}

static int sequence_value(struct kit_buffer *out, const char *vr, const char *text, size_t length)
{
    if (length == 0) return kit_buffer_text(out, "null");
    if (strcmp(vr, "PN") == 0) return sequence_name(out, text, length);
    if (sequence_vr_is_one_of(vr, "FL FD SL SS UL US") && sequence_is_number(text, length))
        return kit_buffer_append(out, text, length);
    return kit_json_string_n(out, text, length);
}

void sequence_values(struct sequence *sequence, const char *vr, const char *text)
{
    bool single = sequence_vr_is_one_of(vr, "LT ST UT UR");
    struct kit_json *json = &sequence->json;

    if (!*text) return;
    sequence->value.cap = ATTRIBUTES_BYTES;
    kit_json_open(json, "Value", '[');
    while (json->status == 0) {
        size_t length = single ? strlen(text) : strcspn(text, "\\");
        int r;

        kit_buffer_reset(&sequence->value);
        r = sequence_value(&sequence->value, vr, text, length);
        if (r < 0)
            json->status = r;
        else
            kit_json_raw(json, NULL, sequence->value.data);
        if (!text[length]) break;
        text += length + 1;
    }
    kit_json_close(json);
}
