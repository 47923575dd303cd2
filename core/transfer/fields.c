/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/transfer/session.h"

#define FIELDS_MAX 128
#define FIELD_CAP ((size_t)64 << 10)

bool transfer_token_valid(const char *text, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    if (!length) return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (!c || !strchr(marks, c))) return false;
    }
    return true;
}

/* Is this line, "Name: value" or curl's "Name;" for an empty value, the field of that name? */
static bool fields_is(const char *line, const char *name, size_t length)
{
    return strncasecmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ';');
}

static void fields_drop(struct curl_slist *node)
{
    explicit_bzero(node->data, strlen(node->data));
    node->next = NULL;
    curl_slist_free_all(node);
}

static void fields_remove(struct curl_slist **fields, const char *name, size_t length)
{
    while (*fields) {
        struct curl_slist *node = *fields;

        if (!fields_is(node->data, name, length)) {
            fields = &node->next;
            continue;
        }
        *fields = node->next;
        fields_drop(node);
    }
}

static size_t fields_count(const struct curl_slist *fields)
{
    size_t count = 0;

    for (; fields; fields = fields->next)
        count++;
    return count;
}

static int fields_put(struct curl_slist **fields, const char *name, size_t length,
                      const char *value)
{
    struct kit_buffer line = {.cap = FIELD_CAP};
    struct curl_slist *list = NULL;
    int r;

    if (!transfer_token_valid(name, length)) return TROLLEY_ERR_INVALID_ARG;
    if (value && strpbrk(value, "\r\n")) return TROLLEY_ERR_INVALID_ARG;
    fields_remove(fields, name, length);
    if (!value) return 0;
    if (fields_count(*fields) >= FIELDS_MAX) return TROLLEY_ERR_TOO_LARGE;
    r = kit_buffer_append(&line, name, length);
    if (r == 0) r = *value ? kit_buffer_printf(&line, ": %s", value) : kit_buffer_text(&line, ";");
    if (r == 0 && !(list = curl_slist_append(*fields, line.data))) r = TROLLEY_ERR_NOMEM;
    if (r == 0) *fields = list;
    if (line.data) explicit_bzero(line.data, line.length);
    kit_buffer_free(&line);
    return r;
}

int transfer_fields_set(struct curl_slist **fields, const char *name, const char *value)
{
    return fields_put(fields, name, strlen(name), value);
}

int transfer_fields_line(struct curl_slist **fields, const char *line)
{
    const char *colon = strchr(line, ':');

    if (!colon) return TROLLEY_ERR_INVALID_ARG;
    return fields_put(fields, line, (size_t)(colon - line), colon + 1 + strspn(colon + 1, " \t"));
}

const char *transfer_fields_get(const struct curl_slist *fields, const char *name)
{
    size_t length = strlen(name);

    for (; fields; fields = fields->next) {
        if (!fields_is(fields->data, name, length)) continue;
        return fields->data + length + 1 + strspn(fields->data + length + 1, " ");
    }
    return NULL;
}

void transfer_fields_free(struct curl_slist *fields)
{
    while (fields) {
        struct curl_slist *next = fields->next;

        fields_drop(fields);
        fields = next;
    }
}
