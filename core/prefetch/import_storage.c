/* import_storage.c: [storage ID] of type `template`. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <trolley/types.h>

#include "core/prefetch/import_own.h"

/* What dcm4chee uses where nothing is said. */
static const char default_format[] =
    "{now,date,yyyy/MM/dd}/{0020000D,hash}/{0020000E,hash}/{00080018,hash}";

const char *import_path_format(const struct ldif_entry *entry)
{
    const char *format = import_property(entry, "pathFormat");

    return format ? format : default_format;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The path of a file: URI [RFC 8089], percent-decoded, without a slash at its end. */
static int append_path(struct import *import, const struct ldif_entry *entry, const char *uri,
                       struct kit_buffer *out)
{
    const size_t begin = out->length;
    const char *path = uri;
    int r = 0;

    if (strncasecmp(path, "file:", 5) == 0) path += 5;
    if (strncmp(path, "//", 2) == 0) path += 2 + strcspn(path + 2, "/");
    if (*path != '/')
        return error_set(import->error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: line %d: storage \"%s\": \"%s\" is no folder on a disk (file:/...)",
                         import->options->file, entry->line, import_name(entry, "dcmStorageID"),
                         uri);
    for (; r == 0 && *path; path++) {
        const bool coded = *path == '%' && hex(path[1]) >= 0 && hex(path[2]) >= 0;
        const char c = coded ? (char)(hex(path[1]) << 4 | hex(path[2])) : *path;

        if (coded) path += 2;
        r = kit_buffer_append(out, &c, 1);
    }
    while (r == 0 && out->length > begin + 1 && out->data[out->length - 1] == '/')
        out->data[--out->length] = '\0';
    return r;
}

static int write_on_exists(struct import *import, struct kit_buffer *text,
                           const struct ldif_entry *entry)
{
    static const char *const known[] = {"replace", "random_path", "noop", "failure", NULL};
    const char *given = import_property(entry, "onExists");
    size_t i;

    for (i = 0; given && known[i]; i++)
        if (strcasecmp(given, known[i]) == 0) return import_line(text, "on_exists", known[i]);
    if (!given) return 0;
    return import_note(import, "storage \"%s\": onExists=%s is left out",
                       import_name(entry, "dcmStorageID"), given);
}

/* Properties that have no counterpart. */
static int note_left_out(struct import *import, const struct ldif_entry *entry)
{
    static const char *const taken[] = {"pathFormat", "checkMountFile", "onExists", NULL};
    const char *value;
    size_t i, j;
    int r = 0;

    for (i = 0; r == 0 && (value = ldif_value_at(entry, "dcmProperty", i)); i++) {
        const size_t length = strcspn(value, "=");

        for (j = 0; taken[j]; j++)
            if (strlen(taken[j]) == length && strncasecmp(value, taken[j], length) == 0) break;
        if (!taken[j])
            r = import_note(import, "storage \"%s\": left out: %.*s",
                            import_name(entry, "dcmStorageID"), (int)length, value);
    }
    return r;
}

static int write_section(struct import *import, struct kit_buffer *text,
                         const struct ldif_entry *entry, const char *more)
{
    const char *uri = ldif_value(entry, "dcmURI"), *format = import_property(entry, "pathFormat");
    struct kit_buffer name = {0}, resolved = {0}, path = {0};
    int r = kit_buffer_printf(&name, "%s%s", import_name(entry, "dcmStorageID"), more);

    if (r == 0) r = import_resolve(import, entry, uri ? uri : "", &resolved);
    if (r == 0) r = append_path(import, entry, resolved.data, &path);
    if (r == 0) r = kit_buffer_text(&path, more);
    if (r == 0) r = import_section(text, "storage", name.data);
    if (r == 0) r = import_line(text, "type", "template");
    if (r == 0) r = import_line(text, "path", path.data);
    kit_buffer_reset(&resolved);
    if (r == 0) r = import_resolve(import, entry, import_path_format(entry), &resolved);
    if (r == 0) r = import_line(text, "path_format", resolved.data);
    if (r == 0) r = import_line(text, "check_mount_file", import_property(entry, "checkMountFile"));
    if (r == 0) r = write_on_exists(import, text, entry);
    if (r == 0) r = import_line(text, "min_free", ldif_value(entry, "dcmStorageThreshold"));
    if (r == 0 && !format && !*more)
        r = import_note(import,
                        "storage \"%s\": it names no pathFormat: this is dcm4chee's default",
                        name.data);
    kit_buffer_free(&name);
    kit_buffer_free(&resolved);
    kit_buffer_free(&path);
    return r;
}

int import_storage(struct import *import, const struct ldif_entry *entry)
{
    int r = write_section(import, &import->text, entry, "");

    if (r == 0) r = note_left_out(import, entry);
    return r < 0 ? r : kit_buffer_text(&import->text, "\n");
}

int import_storage_copy(struct import *import, const char *id, unsigned number,
                        struct kit_buffer *ret_name)
{
    const struct ldif_entry *entry = import_find(import, "dcmStorage", "dcmStorageID", id);
    char more[32], section[600];
    int r;

    (void)snprintf(more, sizeof more, "-url%u", number);
    r = kit_buffer_printf(ret_name, "%s%s", id, more);
    if (r < 0) return r;
    /* Several exporters may share it. */
    (void)snprintf(section, sizeof section, "[storage %s]\n", ret_name->data);
    if (import->copies.data && strstr(import->copies.data, section)) return 0;
    r = write_section(import, &import->copies, entry, more);
    return r < 0 ? r : kit_buffer_text(&import->copies, "\n");
}
