/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "trolley/types.h"

#define JSON_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Length of the UTF-8 sequence at `text`, 0 when it is invalid. */
static size_t json_sequence(const char *text, size_t left)
{
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

    return length <= left && kit_text_utf8_valid(text, length) ? length : 0;
}

static int json_escape(struct kit_buffer *out, unsigned char c)
{
    static const char plain[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *at = c ? strchr(plain, c) : NULL;

    if (at) return kit_buffer_printf(out, "\\%c", letters[at - plain]);
    return kit_buffer_printf(out, "\\u%04x", c);
}

static bool json_needs_escape(unsigned char c)
{
    return c < 0x20 || c == 0x7F || c == '"' || c == '\\';
}

/* The string's inside. Text that needs no change is appended in one go. */
static int json_content(struct kit_buffer *out, const char *text, size_t length)
{
    size_t i = 0, from = 0;
    int r = 0;

    while (r == 0 && i < length) {
        unsigned char c = (unsigned char)text[i];
        size_t step = json_needs_escape(c) ? 0 : json_sequence(text + i, length - i);
        if (step) {
            i += step;
            continue;
        }
        r = kit_buffer_append(out, text + from, i - from);
        if (r == 0)
            r = json_needs_escape(c) ? json_escape(out, c) : kit_buffer_text(out, JSON_REPLACEMENT);
        from = ++i;
    }
    return r < 0 ? r : kit_buffer_append(out, text + from, length - from);
}

int kit_json_string_n(struct kit_buffer *out, const char *text, size_t length)
{
    size_t start = out->length;
    int r;

    if (!text) return kit_buffer_text(out, "null");
    r = kit_buffer_text(out, "\"");
    if (r == 0) r = json_content(out, text, length);
    if (r == 0) r = kit_buffer_text(out, "\"");
    if (r < 0 && out->data) {
        out->length = start;
        out->data[start] = '\0';
    }
    return r;
}

int kit_json_string(struct kit_buffer *out, const char *text)
{
    return kit_json_string_n(out, text, text ? strlen(text) : 0);
}

static void json_put(struct kit_json *json, int r)
{
    if (json->status == 0) json->status = r;
}

/* What stands before a value: comma and key. False when there is or was an error. */
static bool json_begin(struct kit_json *json, const char *key)
{
    bool in_object = json->depth > 0 && json->closers[json->depth - 1] == '}';

    if (json->status < 0) return false;
    if (in_object != (key != NULL)) {
        json->status = TROLLEY_ERR_INVALID_ARG;
        return false;
    }
    if (json->depth > 0 && json->filled[json->depth])
        json_put(json, kit_buffer_text(json->out, ","));
    json->filled[json->depth] = true;
    if (key && json->status == 0) json_put(json, kit_json_string(json->out, key));
    if (key && json->status == 0) json_put(json, kit_buffer_text(json->out, ":"));
    return json->status == 0;
}

void kit_json_open(struct kit_json *json, const char *key, char bracket)
{
    if (!json_begin(json, key)) return;
    if (json->depth == KIT_JSON_DEPTH || (bracket != '{' && bracket != '[')) {
        json->status =
            json->depth == KIT_JSON_DEPTH ? TROLLEY_ERR_TOO_LARGE : TROLLEY_ERR_INVALID_ARG;
        return;
    }
    json->closers[json->depth++] = bracket == '{' ? '}' : ']';
    json->filled[json->depth] = false;
    json_put(json, kit_buffer_append(json->out, &bracket, 1));
}

void kit_json_close(struct kit_json *json)
{
    if (json->status < 0) return;
    if (json->depth == 0) {
        json->status = TROLLEY_ERR_INVALID_ARG;
        return;
    }
    json_put(json, kit_buffer_append(json->out, &json->closers[--json->depth], 1));
}

void kit_json_text(struct kit_json *json, const char *key, const char *text)
{
    if (json_begin(json, key)) json_put(json, kit_json_string(json->out, text));
}

void kit_json_uint(struct kit_json *json, const char *key, uint64_t number)
{
    if (json_begin(json, key)) json_put(json, kit_buffer_printf(json->out, "%" PRIu64, number));
}

void kit_json_bool(struct kit_json *json, const char *key, bool yes)
{
    if (json_begin(json, key)) json_put(json, kit_buffer_text(json->out, yes ? "true" : "false"));
}

void kit_json_raw(struct kit_json *json, const char *key, const char *text)
{
    if (json_begin(json, key)) json_put(json, kit_buffer_text(json->out, text));
}
