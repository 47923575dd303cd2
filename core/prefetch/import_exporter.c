/* import_exporter.c: [exporter ID]: its URLs, and which of them would write the same files.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <trolley/types.h>

#include "core/prefetch/import_own.h"

/* Property NAME, or NAME.N for a further URL. */
static const char *numbered(const struct ldif_entry *entry, const char *name, unsigned number)
{
    char key[64];

    if (number)
        (void)snprintf(key, sizeof key, "%s.%u", name, number);
    else
        (void)snprintf(key, sizeof key, "%s", name);
    return import_property(entry, key);
}

/* `wado:WEBAPP` with the property WadoService: the web application's URL comes by --set. */
static int resolve_web_application(struct import *import, const struct ldif_entry *entry,
                                   const char *name, unsigned number, struct kit_buffer *url)
{
    const char *base = import_set(import, name), *service = numbered(entry, "WadoService", number);
    int r;

    if (!base)
        return error_set(import->error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: line %d: exporter \"%s\" names the web application %s: give its URL "
                         "with --set %s=http://...",
                         import->options->file, entry->line, import_name(entry, "dcmExporterID"),
                         name, name);
    r = kit_buffer_text(url, base);
    return r < 0 || !service ? r : import_resolve(import, entry, service, url);
}

/* The URL behind "wado:" (optional for url.N), resolved and rewritten; appended. */
static int make_url(struct import *import, const struct ldif_entry *entry, const char *text,
                    unsigned number, struct kit_buffer *url)
{
    const size_t begin = url->length;
    int r;

    if (strncasecmp(text, "wado:", 5) == 0) text += 5;
    if (strstr(text, "://") || strstr(text, "${"))
        r = import_resolve(import, entry, text, url);
    else
        r = resolve_web_application(import, entry, text, number, url);
    return r < 0 ? r : import_rewrite(import, url, begin);
}

/* ---- what would be written to the same path ---- */

/* Does a path format tell apart what two URLs bring? Their placeholders say which of UIDs and frame
 * are known to each; what is not known reads alike. */
static bool told_apart(const char *format, const char *a, const char *b)
{
    static const struct {
        const char *placeholder, *tag, *keyword;
    } known[] = {{"[0]", "{0020000D", "{StudyInstanceUID"},
                 {"[1]", "{0020000E", "{SeriesInstanceUID"},
                 {"[2]", "{00080018", "{SOPInstanceUID"},
                 {"[3]", "{00081160", "{ReferencedFrameNumber"}};
    size_t i;

    if (strstr(format, "{rnd") || strstr(format, ",rnd") || strstr(format, ",uuid") ||
        strstr(format, ",uid"))
        return true;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((strcasestr(format, known[i].tag) || strstr(format, known[i].keyword)) &&
            !strstr(a, known[i].placeholder) != !strstr(b, known[i].placeholder))
            return true;
    return false;
}

static const char *storage_of(const struct ldif_entry *entry, unsigned number)
{
    const char *storage = numbered(entry, "StorageID", number);

    return storage ? storage : import_property(entry, "StorageID");
}

/* The URL whose files this one would write again; -1 when there is none. */
static int collides_with(const struct import *import, const struct ldif_entry *entry,
                         const char *const *urls, unsigned number)
{
    const char *storage = storage_of(entry, number);
    const struct ldif_entry *target =
        storage ? import_find(import, "dcmStorage", "dcmStorageID", storage) : NULL;
    unsigned i;

    for (i = 0; target && i < number; i++) {
        const char *other = storage_of(entry, i);

        if (other && strcmp(other, storage) == 0 &&
            !told_apart(import_path_format(target), urls[i], urls[number]))
            return (int)i;
    }
    return -1;
}

/* ---- lines ---- */

static int write_numbered(struct kit_buffer *text, const char *key, unsigned number,
                          const char *value)
{
    char name[64];

    if (number)
        (void)snprintf(name, sizeof name, "%s.%u", key, number);
    else
        (void)snprintf(name, sizeof name, "%s", key);
    return import_line(text, name, value);
}

static int write_storage_of(struct import *import, const struct ldif_entry *entry,
                            const char *const *urls, unsigned number)
{
    const char *storage = numbered(entry, "StorageID", number), *wanted = storage_of(entry, number);
    const int other = collides_with(import, entry, urls, number);
    struct kit_buffer copy = {0};
    int r = 0;

    if (!wanted) return 0;
    if (!import_find(import, "dcmStorage", "dcmStorageID", wanted)) {
        if (!storage) return 0;
        return import_note(import,
                           "exporter \"%s\": storage \"%s\" is not in the file: what comes "
                           "is not kept",
                           import_name(entry, "dcmExporterID"), storage);
    }
    if (other >= 0) {
        char name[24] = "the main URL";

        if (other > 0) (void)snprintf(name, sizeof name, "url.%d", other);
        r = import_storage_copy(import, wanted, number, &copy);
        if (r == 0)
            r = import_note(
                import,
                "exporter \"%s\": url.%u would write the files of %s in storage \"%s\": "
                "storage.%u gives it one of its own, \"%s\"",
                import_name(entry, "dcmExporterID"), number, name, wanted, number, copy.data);
        storage = copy.data;
    } else if (storage) {
        r = import_want(import, "storage", storage);
    }
    if (r == 0) r = write_numbered(&import->text, "storage", number, storage);
    kit_buffer_free(&copy);
    return r;
}

static int write_url(struct import *import, const struct ldif_entry *entry, const char *const *urls,
                     unsigned number)
{
    int r = write_numbered(&import->text, number ? "url" : "uri", number, urls[number]);

    if (r == 0)
        r = write_numbered(&import->text, "accept", number, numbered(entry, "Accept", number));
    if (r == 0)
        r = write_numbered(&import->text, "accept_encoding", number,
                           numbered(entry, "Accept-Encoding", number));
    if (r == 0)
        r = write_numbered(&import->text, "cache_control", number,
                           numbered(entry, "Cache-Control", number));
    return r < 0 ? r : write_storage_of(import, entry, urls, number);
}

/* Properties and attributes that have no counterpart. */
static int note_left_out(struct import *import, const struct ldif_entry *entry)
{
    static const char *const taken[] = {
        "URL", "Accept", "Accept-Encoding", "Cache-Control", "StorageID", "WadoService", NULL};
    static const char *const attributes[] = {
        "objectClass", "dcmExporterID", "dcmURI",           "dcmQueueName",
        "dcmProperty", "dcmSchedule",   "dicomDescription", NULL};
    struct kit_buffer list = {0};
    size_t i, j;
    int r = 0;

    for (i = 0; r == 0 && i < entry->count; i++) {
        const struct ldif_attribute *attribute = &entry->attributes[i];
        const bool property = strcasecmp(attribute->name, "dcmProperty") == 0;
        const char *name = property ? attribute->value : attribute->name;
        const size_t length = property ? strcspn(name, "=.") : strlen(name);
        const char *const *known = property ? taken : attributes;

        for (j = 0; known[j]; j++)
            if (strlen(known[j]) == length && strncasecmp(name, known[j], length) == 0) break;
        if (!known[j])
            r = kit_buffer_printf(&list, "%s%.*s", list.length ? ", " : "", (int)length, name);
    }
    if (r == 0 && list.length)
        r = import_note(import, "exporter \"%s\": left out: %s",
                        import_name(entry, "dcmExporterID"), list.data);
    kit_buffer_free(&list);
    return r;
}

/* All URLs of the exporter, NUL-separated in `room`. A gap in the numbers ends them, and is told.
 */
static int collect_urls(struct import *import, const struct ldif_entry *entry,
                        struct kit_buffer *room, unsigned *ret_count)
{
    const char *text = ldif_value(entry, "dcmURI");
    unsigned number, gap;
    int r = 0;

    for (number = 0; r == 0 && text && number < IMPORT_URLS_MAX; number++) {
        r = make_url(import, entry, text, number, room);
        if (r == 0) r = kit_buffer_append(room, "", 1);
        *ret_count = number + 1;
        text = numbered(entry, "URL", number + 1);
    }
    for (gap = *ret_count + 1; r == 0 && gap < IMPORT_URLS_MAX; gap++)
        if (numbered(entry, "URL", gap))
            r = import_note(import, "exporter \"%s\": URL.%u is left out: there is no URL.%u",
                            import_name(entry, "dcmExporterID"), gap, *ret_count);
    return r;
}

static int write_target(struct import *import, const struct ldif_entry *entry)
{
    const char *queue = ldif_value(entry, "dcmQueueName"), *value;
    size_t i;
    int r = import_line(&import->text, "queue", queue);

    if (r == 0 && queue) r = import_want(import, "queue", queue);
    for (i = 0; r == 0 && (value = ldif_value_at(entry, "dcmSchedule", i)); i++)
        r = import_line(&import->text, "schedule", value);
    if (r == 0) r = import_line(&import->text, "searcher", import->options->searcher);
    if (r == 0) r = import_line(&import->text, "session", import->options->session);
    if (r == 0 && !import->options->searcher)
        r = import_note(import,
                        "exporter \"%s\": a searcher is wanted (--searcher), unless its URLs "
                        "need none",
                        import_name(entry, "dcmExporterID"));
    return r;
}

int import_exporter(struct import *import, const struct ldif_entry *entry)
{
    const char *id = import_name(entry, "dcmExporterID"), *uri = ldif_value(entry, "dcmURI");
    const char *urls[IMPORT_URLS_MAX];
    struct kit_buffer room = {0};
    unsigned count = 0, i;
    const char *at;
    int r;

    if (!uri || strncasecmp(uri, "wado:", 5) != 0)
        return import_note(import, "exporter \"%s\" is left out: it makes no WADO requests", id);
    r = import_section(&import->text, "exporter", id);
    if (r == 0) r = collect_urls(import, entry, &room, &count);
    for (i = 0, at = room.data; r == 0 && i < count; i++, at += strlen(at) + 1)
        urls[i] = at;
    for (i = 0; r == 0 && i < count; i++)
        r = write_url(import, entry, urls, i);
    if (r == 0) r = write_target(import, entry);
    if (r == 0) r = note_left_out(import, entry);
    kit_buffer_free(&room);
    return r < 0 ? r : kit_buffer_text(&import->text, "\n");
}
