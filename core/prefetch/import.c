/* import.c: the order of an import, what is said of it, rules and queues.
 * SPDX-License-Identifier: MIT */
#include "core/prefetch/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <trolley/types.h>

#include "core/prefetch/import_own.h"

/* ---- text ---- */

int import_note(struct import *import, const char *format, ...)
{
    char text[1024];
    va_list args;
    int r;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *at = text; *at; at++)
        if (*at == '\n') *at = ' ';
    r = kit_buffer_printf(&import->text, "; note: %s\n", text);
    return r < 0 ? r : kit_buffer_append(&import->notes, text, strlen(text) + 1);
}

int import_section(struct kit_buffer *text, const char *kind, const char *name)
{
    return kit_buffer_printf(text, "[%s %s]\n", kind, name);
}

int import_line(struct kit_buffer *text, const char *key, const char *value)
{
    const size_t length = value ? strlen(value) : 0;
    const bool quoted =
        length && (value[0] == ' ' || value[0] == '"' || value[0] == ';' || value[0] == '#' ||
                   value[length - 1] == ' ' || strstr(value, " ;") || strstr(value, "\t;"));
    int r;

    if (!value) return 0;
    if (!quoted) return kit_buffer_printf(text, "%s = %s\n", key, value);
    r = kit_buffer_printf(text, "%s = \"", key);
    for (; r == 0 && *value; value++)
        r = kit_buffer_printf(text, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    return r < 0 ? r : kit_buffer_text(text, "\"\n");
}

/* ---- what the command line says ---- */

const char *import_set(const struct import *import, const char *name)
{
    const size_t length = strlen(name);
    uint32_t i;

    for (i = 0; i < import->options->set_count; i++) {
        const char *set = import->options->sets[i];

        if (strncmp(set, name, length) == 0 && set[length] == '=') return set + length + 1;
    }
    return NULL;
}

int import_resolve(struct import *import, const struct ldif_entry *entry, const char *value,
                   struct kit_buffer *out)
{
    int r = kit_buffer_append(out, "", 0);

    while (r == 0) {
        const char *begin = strstr(value, "${"), *end = begin ? strchr(begin, '}') : NULL, *set;
        char name[256];

        if (!end || (size_t)(end - begin) - 2 >= sizeof name) return kit_buffer_text(out, value);
        (void)snprintf(name, sizeof name, "%.*s", (int)(end - begin) - 2, begin + 2);
        set = import_set(import, name);
        if (!set)
            return error_set(import->error, TROLLEY_ERR_INVALID_CONFIG,
                             "%s: line %d: nothing is known of ${%s}: give it with --set %s=VALUE",
                             import->options->file, entry->line, name, name);
        r = kit_buffer_append(out, value, (size_t)(begin - value));
        if (r == 0) r = kit_buffer_text(out, set);
        value = end + 1;
    }
    return r;
}

int import_rewrite(const struct import *import, struct kit_buffer *url, size_t begin)
{
    uint32_t i;

    for (i = 0; i < import->options->rewrite_count; i++) {
        const char *rewrite = import->options->rewrites[i], *to = strchr(rewrite, '=');
        const size_t length = (size_t)(to - rewrite);
        struct kit_buffer made = {0};
        const char *at = url->data + begin;
        int r;

        while (*at && strncmp(at, rewrite, length) != 0)
            at++;
        if (!*at) continue;
        r = kit_buffer_printf(&made, "%s%s", to + 1, at + length);
        url->length = (size_t)(at - url->data);
        if (r == 0) r = kit_buffer_text(url, made.data);
        kit_buffer_free(&made);
        return r;
    }
    return 0;
}

static int check_pairs(const struct import *import, const char *option, const char *const *pairs,
                       uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        if (!strchr(pairs[i], '=') || pairs[i][0] == '=')
            return error_set(import->error, TROLLEY_ERR_INVALID_ARG, "--%s %s: wants %s", option,
                             pairs[i], option[0] == 's' ? "NAME=VALUE" : "FROM=TO");
    return 0;
}

/* ---- entries ---- */

const char *import_name(const struct ldif_entry *entry, const char *key)
{
    const char *name = ldif_value(entry, key);

    return name ? name : entry->name;
}

const struct ldif_entry *import_find(const struct import *import, const char *object_class,
                                     const char *key, const char *name)
{
    size_t i;

    for (i = 0; i < import->ldif->count; i++) {
        const struct ldif_entry *entry = &import->ldif->entries[i];

        if (!entry->change && ldif_has_class(entry, object_class) &&
            strcmp(import_name(entry, key), name) == 0)
            return entry;
    }
    return NULL;
}

const char *import_property(const struct ldif_entry *entry, const char *name)
{
    const size_t length = strlen(name);
    const char *value;
    size_t i;

    for (i = 0; (value = ldif_value_at(entry, "dcmProperty", i)); i++)
        if (strncasecmp(value, name, length) == 0 && value[length] == '=')
            return value + length + 1;
    return NULL;
}

int import_want(struct import *import, const char *kind, const char *name)
{
    char line[600];
    const char *found;

    (void)snprintf(line, sizeof line, "\n%s %s\n", kind, name);
    found = import->wanted.data ? strstr(import->wanted.data, line) : NULL;
    return found ? 0 : kit_buffer_text(&import->wanted, line);
}

/* Calls each() for the names of a kind that are wanted. */
static int each_wanted(struct import *import, const char *kind,
                       int (*each)(struct import *import, const char *name))
{
    char *names = strdup(import->wanted.data ? import->wanted.data : ""), *at, *rest = names;
    const size_t length = strlen(kind);
    int r = names ? 0 : TROLLEY_ERR_NOMEM;

    while (r == 0 && (at = strsep(&rest, "\n")))
        if (strncmp(at, kind, length) == 0 && at[length] == ' ') r = each(import, at + length + 1);
    free(names);
    return r;
}

/* ---- regular expressions ---- */

/* Within a class, what Java reads as an intersection or a class of its own. */
static const char *class_problem(const char **at)
{
    if (**at == '&' && (*at)[1] == '&') return "`&&` within [...] is an intersection in Java alone";
    if (**at == '[' && (*at)[1] != ':') return "[...] within [...] is a union in Java alone";
    return NULL;
}

static const char *escape_problem(const char *at)
{
    static const char *const names[] = {"java",  "Is",    "In",     "Alpha", "Lower", "Upper",
                                        "ASCII", "Alnum", "Punct",  "Digit", "Graph", "Print",
                                        "Blank", "Cntrl", "XDigit", "Space"};
    size_t i;

    if (at[1] == 'u') return "\\uXXXX is \\x{XXXX} in PCRE2";
    if ((at[1] != 'p' && at[1] != 'P') || at[2] != '{') return NULL;
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(at + 3, names[i], strlen(names[i])) == 0)
            return "this \\p{...} is Java's own; PCRE2 has [:alpha:] within [...] and \\p{L}";
    return NULL;
}

static const char *group_problem(const char *at)
{
    const size_t flags = strspn(at + 2, "idmsuxU-");
    size_t i;

    if (strncmp(at + 2, "<=", 2) == 0 || strncmp(at + 2, "<!", 2) == 0) {
        const size_t body = strcspn(at + 4, ")");

        for (i = 0; i < body; i++)
            if (strchr("*+?{", at[4 + i]) && at[3 + i] != '\\')
                return "a look-behind of varying length is Java's alone";
        return NULL;
    }
    for (i = 0; i < flags && (at[2 + flags] == ')' || at[2 + flags] == ':'); i++)
        if (strchr("duU", at[2 + i])) return "the flags d, u and U mean something else in PCRE2";
    return NULL;
}

const char *import_regex_problem(const char *expression)
{
    const char *problem = NULL, *at;
    bool in_class = false;

    for (at = expression; *at && !problem; at++) {
        if (*at == '\\' && at[1]) {
            problem = escape_problem(at);
            at++;
        } else if (in_class) {
            problem = class_problem(&at);
            if (*at == ']') in_class = false;
        } else if (*at == '[') {
            in_class = true;
            if (at[1] == '^') at++;
            if (at[1] == ']') at++;
        } else if (*at == '(' && at[1] == '?') {
            problem = group_problem(at);
        }
    }
    return problem;
}

/* ---- rules ---- */

static int write_conditions(struct import *import, const struct ldif_entry *entry)
{
    const char *value, *problem, *equals;
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && (value = ldif_value_at(entry, "dcmProperty", i)); i++) {
        r = import_line(&import->text, "condition", value);
        equals = strchr(value, '=');
        problem = equals ? import_regex_problem(equals + 1) : NULL;
        if (r == 0 && problem) r = import_note(import, "condition `%s`: %s", value, problem);
    }
    return r;
}

static int write_schedules(struct import *import, const struct ldif_entry *entry)
{
    const char *value;
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && (value = ldif_value_at(entry, "dcmSchedule", i)); i++)
        r = import_line(&import->text, "schedule", value);
    return r;
}

/* The exporters of a rule; those that are no WADO exporters stay behind. */
static int write_exporters(struct import *import, const struct ldif_entry *entry)
{
    const char *id, *uri;
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && (id = ldif_value_at(entry, "dcmExporterID", i)); i++) {
        const struct ldif_entry *exporter = import_find(import, "dcmExporter", "dcmExporterID", id);

        uri = exporter ? ldif_value(exporter, "dcmURI") : NULL;
        if (exporter && uri && strncasecmp(uri, "wado:", 5) == 0) {
            r = import_line(&import->text, "exporter", id);
            if (r == 0) r = import_want(import, "exporter", id);
        } else {
            r = import_note(import, "rule \"%s\": exporter \"%s\" %s", import_name(entry, "cn"), id,
                            exporter ? "does something else than WADO requests and is left out"
                                     : "is not in the file");
        }
    }
    return r;
}

static const char *word_lower(const char *word, const char *const *known)
{
    for (; word && *known; known++)
        if (strcasecmp(word, *known) == 0) return *known;
    return NULL;
}

/* A rule's section. Names of sections stand in lists, and so have no comma. */
static int write_rule_name(struct import *import, const char *name)
{
    struct kit_buffer plain = {0};
    const char *at;
    int r = kit_buffer_text(&plain, "");

    for (at = name; r == 0 && *at; at++)
        if (*at != ',') r = kit_buffer_append(&plain, at, 1);
    if (r == 0 && plain.length < strlen(name))
        r = import_note(import, "rule \"%s\" is written without its commas", name);
    if (r == 0) r = import_section(&import->text, "rule", plain.data);
    kit_buffer_free(&plain);
    return r;
}

static int write_rule(struct import *import, const struct ldif_entry *entry)
{
    static const char *const entities[] = {"Study", "Series", "Instance", NULL};
    static const char *const reoccurred[] = {"never", "always", "replace", NULL};
    const char *name = import_name(entry, "cn"), *given = ldif_value(entry, "dcmEntity");
    const char *entity = word_lower(given, entities);
    const char *previous = ldif_value(entry, "dcmExportPreviousEntity");
    int r;

    if (!entity)
        return import_note(import,
                           "rule \"%s\" is left out: its dcmEntity is %s, not Study, Series "
                           "or Instance",
                           name, given ? given : "absent");
    r = write_rule_name(import, name);
    if (r == 0) r = import_line(&import->text, "entity", entity);
    if (r == 0) r = write_exporters(import, entry);
    if (r == 0) r = import_line(&import->text, "delay", ldif_value(entry, "dcmDuration"));
    if (r == 0) r = write_conditions(import, entry);
    if (r == 0) r = write_schedules(import, entry);
    if (r == 0)
        r = import_line(&import->text, "reoccurred",
                        word_lower(ldif_value(entry, "dcmExportReoccurredInstances"), reoccurred));
    if (r == 0 && previous && strcasecmp(previous, "TRUE") == 0)
        r = import_line(&import->text, "export_previous_entity", "yes");
    return r < 0 ? r : kit_buffer_text(&import->text, "\n");
}

/* ---- queues ---- */

static int write_queue(struct import *import, const char *name)
{
    static const struct {
        const char *key, *ldap;
    } keys[] = {{"max_parallel", "dcmMaxTasksParallel"},
                {"max_retries", "dcmMaxRetries"},
                {"retry_delay", "dcmRetryDelay"},
                {"retry_multiplier", "dcmRetryDelayMultiplier"},
                {"max_retry_delay", "dcmMaxRetryDelay"},
                {"purge_completed", "dcmPurgeQueueMessageCompletedDelay"},
                {"purge_warning", "dcmPurgeQueueMessageWarningDelay"},
                {"purge_failed", "dcmPurgeQueueMessageFailedDelay"},
                {"purge_canceled", "dcmPurgeQueueMessageCanceledDelay"}};
    const struct ldif_entry *entry = import_find(import, "dcmQueue", "dcmQueueName", name);
    const char *warning;
    size_t i;
    int r = import_section(&import->text, "queue", name);

    if (!entry && r == 0) {
        r = import_note(import, "queue \"%s\" is not in the file: these are defaults", name);
        if (r == 0) r = import_line(&import->text, "max_parallel", "1");
        if (r == 0) r = import_line(&import->text, "max_retries", "0");
        return r < 0 ? r : kit_buffer_text(&import->text, "\n");
    }
    for (i = 0; r == 0 && i < sizeof keys / sizeof keys[0]; i++)
        r = import_line(&import->text, keys[i].key, ldif_value(entry, keys[i].ldap));
    warning = entry ? ldif_value(entry, "dcmRetryOnWarning") : NULL;
    if (r == 0 && warning)
        r = import_line(&import->text, "retry_on_warning",
                        strcasecmp(warning, "TRUE") == 0 ? "yes" : "no");
    if (r == 0) r = write_schedules(import, entry);
    return r < 0 ? r : kit_buffer_text(&import->text, "\n");
}

/* ---- the whole ---- */

static int write_storage(struct import *import, const char *name)
{
    return import_storage(import, import_find(import, "dcmStorage", "dcmStorageID", name));
}

static int write_all(struct import *import)
{
    size_t i, rules = 0, exporters = 0;
    int r = 0;

    for (i = 0; r == 0 && i < import->ldif->count; i++) {
        const struct ldif_entry *entry = &import->ldif->entries[i];

        if (!ldif_has_class(entry, "dcmExportRule")) continue;
        rules++;
        r = entry->change ? import_note(import,
                                        "line %d: a change of \"%s\" is left out: whole "
                                        "entries are wanted",
                                        entry->line, entry->name)
                          : write_rule(import, entry);
    }
    for (i = 0; r == 0 && i < import->ldif->count; i++) {
        const struct ldif_entry *entry = &import->ldif->entries[i];

        if (entry->change || !ldif_has_class(entry, "dcmExporter")) continue;
        exporters++;
        r = import_exporter(import, entry);
    }
    if (r == 0 && rules + exporters == 0)
        return error_set(import->error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: holds neither export rules (dcmExportRule) nor exporters "
                         "(dcmExporter)",
                         import->options->file);
    if (r == 0) r = each_wanted(import, "queue", write_queue);
    if (r == 0) r = each_wanted(import, "storage", write_storage);
    if (r == 0 && import->copies.length) r = kit_buffer_text(&import->text, import->copies.data);
    return r;
}

static int deliver(const struct import *import, prefetch_import_sink text,
                   prefetch_import_sink note, void *ctx)
{
    const char *at = import->notes.data, *end = at + import->notes.length;
    int r = 0;

    for (; r == 0 && at && at < end; at += strlen(at) + 1)
        r = note(ctx, at);
    return r != 0 ? r : text(ctx, import->text.data ? import->text.data : "");
}

static int read_file(const struct import *import, struct kit_buffer *out)
{
    char piece[65536];
    FILE *file = fopen(import->options->file, "re");
    size_t n;
    int r = 0;

    if (!file)
        return error_set(import->error, TROLLEY_ERR_IO, "%s: %s", import->options->file,
                         strerror(errno));
    while (r == 0 && (n = fread(piece, 1, sizeof piece, file)) > 0)
        r = kit_buffer_append(out, piece, n);
    if (r < 0)
        r = error_set(import->error, r, "%s: larger than %zu MiB", import->options->file,
                      LDIF_FILE_MAX >> 20);
    else if (ferror(file))
        r = error_set(import->error, TROLLEY_ERR_IO, "%s: %s", import->options->file,
                      strerror(errno));
    (void)fclose(file);
    return r < 0 ? r : kit_buffer_append(out, "", 0);
}

int prefetch_import_ldif(const struct prefetch_import_options *options, prefetch_import_sink text,
                         prefetch_import_sink note, void *ctx, struct trolley_error *error)
{
    struct import import = {.options = options, .error = error};
    struct kit_buffer file = {.cap = LDIF_FILE_MAX};
    struct ldif *ldif = NULL;
    int r = check_pairs(&import, "set", options->sets, options->set_count);

    if (r == 0) r = check_pairs(&import, "rewrite", options->rewrites, options->rewrite_count);
    if (r == 0) r = read_file(&import, &file);
    if (r == 0) {
        r = ldif_read(file.data, file.length, &ldif, error);
        if (r < 0) error_prefix(error, "%s", options->file);
    }
    import.ldif = ldif;
    if (r == 0) {
        r = write_all(&import);
        if (r == TROLLEY_ERR_NOMEM || r == TROLLEY_ERR_TOO_LARGE)
            r = error_set(error, r, "%s: out of memory", options->file);
    }
    if (r == 0) r = deliver(&import, text, note, ctx);
    ldif_free(ldif);
    kit_buffer_free(&file);
    kit_buffer_free(&import.text);
    kit_buffer_free(&import.notes);
    kit_buffer_free(&import.wanted);
    kit_buffer_free(&import.copies);
    return r;
}
