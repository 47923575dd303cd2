/* SPDX-License-Identifier: MIT */
#include "media_type.h"

#include <string.h>
#include <strings.h>

#include "trolley/types.h"

static const char media_type_space[] = " \t\r\n";

/* Copies the value at `text` to `out` unless that is NULL, and returns what follows it, NULL when a
 * quote is not closed. *ret_length is the value's length, which may be over size - 1. */
static const char *media_type_value(const char *text, char *out, size_t size, size_t *ret_length)
{
    bool quoted = *text == '"';
    size_t length = 0, trimmed = 0;

    for (text += quoted; *text && *text != (quoted ? '"' : ';'); text++) {
        if (quoted && *text == '\\' && text[1]) text++;
        if (out && length + 1 < size) out[length] = *text;
        length++;
        if (quoted || !strchr(media_type_space, *text)) trimmed = length;
    }
    if (quoted && *text++ != '"') return NULL;
    if (out && trimmed < size) out[trimmed] = '\0';
    *ret_length = trimmed;
    return text;
}

bool kit_media_type_is(const char *value, const char *type)
{
    size_t length = strlen(type);

    if (!value) return false;
    value += strspn(value, media_type_space);
    if (strncasecmp(value, type, length) != 0) return false;
    if (length && type[length - 1] == '/') return true;
    value += length;
    value += strspn(value, media_type_space);
    return *value == '\0' || *value == ';';
}

int kit_media_type_param(const char *value, const char *name, char *ret_text, size_t size)
{
    const char *at = value ? strchr(value, ';') : NULL;
    size_t length;

    while (at) {
        const char *key = at + 1 + strspn(at + 1, media_type_space);
        size_t key_length = strcspn(key, "=; \t\r\n");
        const char *text = key + key_length;
        bool wanted = strlen(name) == key_length && strncasecmp(key, name, key_length) == 0;

        text += strspn(text, media_type_space);
        if (*text == '=') {
            text++;
            text += strspn(text, media_type_space);
            /* Measured first: out-parameters stay untouched on failure. */
            at = media_type_value(text, NULL, 0, &length);
            if (!at) return TROLLEY_ERR_PROTOCOL;
            if (wanted && length >= size) return TROLLEY_ERR_TOO_LARGE;
            if (wanted) (void)media_type_value(text, ret_text, size, &length);
            if (wanted) return 0;
            text = at;
        }
        at = strchr(text, ';');
    }
    return TROLLEY_ERR_NOT_FOUND;
}
