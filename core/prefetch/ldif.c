/* SPDX-License-Identifier: MIT */
#include "core/prefetch/ldif.h"

#include <kit/buffer.h>
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <trolley/types.h>

#define COUNT_MAX 100000 /* entries of a file, attributes of an entry */

/* A file on its way through the reader. */
struct reader {
    const char *at, *end;
    int line;               /* of the logical line's beginning */
    int next_line;          /* of what `at` points at */
    struct kit_buffer text; /* one logical line */
    struct ldif *ldif;
    bool open; /* the last entry is being read */
    struct trolley_error *error;
};

static int fault(const struct reader *reader, const char *what)
{
    return error_set(reader->error, TROLLEY_ERR_INVALID_CONFIG, "line %d: %s", reader->line, what);
}

static int no_memory(const struct reader *reader)
{
    return error_set(reader->error, TROLLEY_ERR_NOMEM, "out of memory");
}

/* ---- lines ---- */

/* One physical line without its end. */
static void physical_line(struct reader *reader, const char **ret_text, size_t *ret_length)
{
    const char *stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    size_t length = (size_t)((stop ? stop : reader->end) - reader->at);

    *ret_text = reader->at;
    reader->at = stop ? stop + 1 : reader->end;
    reader->next_line++;
    if (length && (*ret_text)[length - 1] == '\r') length--;
    *ret_length = length;
}

/* The next logical line in reader->text: those that begin with a space belong to the one before. 1,
 * 0 at the end, or negative. */
static int logical_line(struct reader *reader)
{
    const char *text;
    size_t length;
    int r;

    if (reader->at == reader->end) return 0;
    kit_buffer_reset(&reader->text);
    reader->line = reader->next_line;
    physical_line(reader, &text, &length);
    r = kit_buffer_append(&reader->text, text, length);
    while (r == 0 && length && reader->at < reader->end && *reader->at == ' ') {
        size_t more;

        physical_line(reader, &text, &more);
        r = kit_buffer_append(&reader->text, text + 1, more - 1);
    }
    return r < 0 ? no_memory(reader) : 1;
}

/* ---- values ---- */

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Decodes in place [RFC 4648 4]. False when it is none, or holds a NUL. */
static bool base64_decode(char *text)
{
    size_t length = strlen(text), in = 0, out = 0;
    unsigned bits = 0, count = 0;

    while (length && text[length - 1] == '=')
        length--;
    for (; in < length; in++) {
        const int digit = base64_digit(text[in]);

        if (digit < 0) return false;
        bits = (bits << 6 | (unsigned)digit) & 0xffffff;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        text[out] = (char)(bits >> count);
        if (text[out++] == '\0') return false;
    }
    text[out] = '\0';
    return length % 4 != 1;
}

/* Splits "name: value" in place. */
static int split_line(struct reader *reader, char **ret_name, char **ret_value)
{
    char *name = reader->text.data, *colon = strchr(name, ':'), *value, *option;

    if (!colon || colon == name) return fault(reader, "neither `attribute: value` nor a comment");
    if (strlen(name) != reader->text.length) return fault(reader, "a NUL in the text");
    *colon = '\0';
    value = colon + 1;
    if (*value == '<') return fault(reader, "values from URLs (`:<`) are not read");
    if (*value == ':') {
        value += 1 + strspn(value + 1, " ");
        if (!base64_decode(value)) return fault(reader, "the base64 value is malformed");
    } else {
        value += strspn(value, " ");
    }
    if (!kit_text_utf8_valid(value, strlen(value))) return fault(reader, "the value is not UTF-8");
    option = strchr(name, ';');
    if (option) *option = '\0';
    *ret_name = name;
    *ret_value = value;
    return 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The value of a DN's first part [RFC 4514 2.4, 3]; free() it. NULL when out of memory. */
static char *dn_name(const char *dn)
{
    const char *at = strchr(dn, '=');
    char *name = strdup(at ? at + 1 + strspn(at + 1, " ") : dn), *out = name, *last = name;
    bool quoted = false;

    if (!name) return NULL;
    for (at = name; *at && (quoted || (*at != ',' && *at != '+')); at++) {
        if (*at == '"') {
            quoted = !quoted;
            continue;
        }
        if (*at == '\\' && hex(at[1]) >= 0 && hex(at[1]) + hex(at[2]) > 0 && hex(at[2]) >= 0) {
            *out++ = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
            last = out;
            continue;
        }
        if (*at == '\\' && at[1]) {
            at++;
            last = out + 1;
        }
        *out++ = *at;
        if (out[-1] != ' ') last = out;
    }
    *last = '\0';
    return name;
}

/* ---- entries ---- */

static int begin_entry(struct reader *reader, const char *dn)
{
    struct ldif *ldif = reader->ldif;
    struct ldif_entry *entry, *entries;

    if (ldif->count == COUNT_MAX) return fault(reader, "too many entries");
    entries = realloc(ldif->entries, (ldif->count + 1) * sizeof *entries);
    if (!entries) return no_memory(reader);
    ldif->entries = entries;
    entry = &entries[ldif->count];
    memset(entry, 0, sizeof *entry);
    entry->dn = strdup(dn);
    entry->name = dn_name(dn);
    entry->line = reader->line;
    ldif->count++;
    reader->open = true;
    return entry->dn && entry->name ? 0 : no_memory(reader);
}

static int add_attribute(struct reader *reader, const char *name, const char *value)
{
    struct ldif_entry *entry = &reader->ldif->entries[reader->ldif->count - 1];
    struct ldif_attribute *made;

    if (entry->count == COUNT_MAX) return fault(reader, "too many attributes");
    made = realloc(entry->attributes, (entry->count + 1) * sizeof *made);
    if (!made) return no_memory(reader);
    entry->attributes = made;
    made += entry->count;
    *made = (struct ldif_attribute){strdup(name), strdup(value), reader->line};
    entry->count++;
    return made->name && made->value ? 0 : no_memory(reader);
}

static int take_line(struct reader *reader)
{
    char *name = NULL, *value = NULL;
    int r;

    if (reader->text.length == 0) {
        reader->open = false;
        return 0;
    }
    if (reader->text.data[0] == '#') return 0;
    if (reader->open && strcmp(reader->text.data, "-") == 0) return 0;
    r = split_line(reader, &name, &value);
    if (r < 0) return r;
    if (strcasecmp(name, "dn") == 0) {
        if (reader->open)
            return fault(reader, "an entry within an entry: an empty line is missing");
        return begin_entry(reader, value);
    }
    if (!reader->open && strcasecmp(name, "version") == 0 && reader->ldif->count == 0) return 0;
    if (!reader->open) return fault(reader, "an entry begins with `dn:`");
    if (strcasecmp(name, "changetype") == 0) {
        reader->ldif->entries[reader->ldif->count - 1].change = strcasecmp(value, "add") != 0;
        return 0;
    }
    return add_attribute(reader, name, value);
}

int ldif_read(const char *text, size_t length, struct ldif **ret_ldif, struct trolley_error *error)
{
    struct reader reader = {.at = text,
                            .end = text + length,
                            .next_line = 1,
                            .text = {.cap = LDIF_FILE_MAX},
                            .error = error};
    int r;

    if (length > LDIF_FILE_MAX)
        return error_set(error, TROLLEY_ERR_TOO_LARGE, "larger than %zu MiB", LDIF_FILE_MAX >> 20);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) reader.at += 3;
    reader.ldif = calloc(1, sizeof *reader.ldif);
    if (!reader.ldif) return no_memory(&reader);
    while ((r = logical_line(&reader)) > 0) {
        r = take_line(&reader);
        if (r < 0) break;
    }
    kit_buffer_free(&reader.text);
    if (r < 0)
        ldif_free(reader.ldif);
    else
        *ret_ldif = reader.ldif;
    return r;
}

void ldif_free(struct ldif *ldif)
{
    size_t i, j;

    for (i = 0; ldif && i < ldif->count; i++) {
        struct ldif_entry *entry = &ldif->entries[i];

        for (j = 0; j < entry->count; j++) {
            free((char *)(uintptr_t)entry->attributes[j].name);
            free((char *)(uintptr_t)entry->attributes[j].value);
        }
        free(entry->attributes);
        free((char *)(uintptr_t)entry->dn);
        free((char *)(uintptr_t)entry->name);
    }
    if (ldif) free(ldif->entries);
    free(ldif);
}

const char *ldif_value_at(const struct ldif_entry *entry, const char *name, size_t i)
{
    size_t j;

    for (j = 0; j < entry->count; j++)
        if (strcasecmp(entry->attributes[j].name, name) == 0 && i-- == 0)
            return entry->attributes[j].value;
    return NULL;
}

const char *ldif_value(const struct ldif_entry *entry, const char *name)
{
    return ldif_value_at(entry, name, 0);
}

bool ldif_has_class(const struct ldif_entry *entry, const char *object_class)
{
    const char *value;
    size_t i;

    for (i = 0; (value = ldif_value_at(entry, "objectClass", i)); i++)
        if (strcasecmp(value, object_class) == 0) return true;
    return false;
}
