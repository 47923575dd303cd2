/* resolve.c: a section checked against its tables. SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <kit/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/config/file.h"
#include "core/config/section.h"
#include "core/model/error.h"
#include "core/model/log.h"

int section_place(const struct section *section, int line, const char *key, struct kit_buffer *text)
{
    const char *path = section->file ? config_file_path(section->file) : NULL;
    int r = 0;

    if (path && line) r = kit_buffer_printf(text, "%s:%d: ", path, line);
    if (r == 0 && *section->kind)
        r = kit_buffer_printf(text, "[%s%s%s] ", section->kind, *section->name ? " " : "",
                              section->name);
    return r < 0 ? r : kit_buffer_printf(text, "key `%s`", key);
}

int section_fault(const struct section *section, int line, const char *key, int status,
                  struct trolley_error *error)
{
    struct kit_buffer place = {0};

    if (section_place(section, line, key, &place) == 0) error_prefix(error, "%s", place.data);
    kit_buffer_free(&place);
    return status;
}

/* A fault with its own text. */
__attribute__((format(printf, 5, 6))) static int resolve_fault(const struct section *section,
                                                               int line, const char *key,
                                                               struct trolley_error *error,
                                                               const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s", text);
    return section_fault(section, line, key, TROLLEY_ERR_INVALID_CONFIG, error);
}

static void resolve_warn(const struct section *section, int line, const char *key, const char *what)
{
    struct kit_buffer place = {0};

    if (section_place(section, line, key, &place) == 0)
        log_write(TROLLEY_LOG_WARNING, "config", "%s: %s", place.data, what);
    kit_buffer_free(&place);
}

/* Makes an empty slot of each option; a key that an earlier table has is passed over. */
static int resolve_slots(struct section *section, const struct trolley_span *const *tables,
                         struct trolley_error *error)
{
    struct trolley_option option;
    size_t most = 0, t;
    uint32_t i;

    for (t = 0; tables[t]; t++)
        most += tables[t]->count;
    section->slots = calloc(most ? most : 1, sizeof *section->slots);
    if (!section->slots) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (t = 0; tables[t]; t++)
        for (i = 0; i < tables[t]->count; i++) {
            if (trolley_read_open(&option, sizeof option, trolley_span_at(tables[t], i),
                                  SECTION_OPTION_LEAST) < 0)
                return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                                 "option %u of a table is no struct trolley_option", i);
            if (!section_find(section, option.key))
                section->slots[section->count++].option = option;
        }
    return 0;
}

static int resolve_unknown(const struct section *section, const struct config_entry *entry,
                           struct trolley_error *error)
{
    struct kit_buffer nearest = {0};
    int r;

    if (section_nearest(section, entry->key, &nearest) == 0 && nearest.length)
        r = resolve_fault(section, entry->line, entry->key, error, "unknown; did you mean `%s`?",
                          nearest.data);
    else
        r = resolve_fault(section, entry->line, entry->key, error, "unknown");
    kit_buffer_free(&nearest);
    return r;
}

/* Refuses a key that is there already, unless it may be repeated. */
static int resolve_repeated(const struct section *section, const struct section_slot *slot,
                            const struct config_entry *entry, struct trolley_error *error)
{
    const struct trolley_option *option = &slot->option;
    const struct section_slot *same;
    const struct section_value *first = NULL;

    if (slot->count == 0) return 0;
    if (option->flags & TROLLEY_OPTION_PREFIX)
        first = section_find_value(section, entry->key, &same);
    else if (option->type != TROLLEY_OPTION_LIST)
        first = &slot->values[0];
    if (!first) return 0;
    if (option->flags & TROLLEY_OPTION_SECRET)
        return resolve_fault(section, entry->line, entry->key, error,
                             "line %d has this secret already; one of %s, %s_env, %s_file and "
                             "%s_command is enough",
                             first->line, option->key, option->key, option->key, option->key);
    return resolve_fault(section, entry->line, entry->key, error,
                         "stands here and in line %d already", first->line);
}

/* Says what is legal but unwise about a key. */
static void resolve_advise(const struct section *section, const struct section_slot *slot,
                           const struct config_entry *entry)
{
    const struct trolley_option *option = &slot->option;
    struct kit_buffer what = {0};

    if ((option->flags & TROLLEY_OPTION_DEPRECATED) &&
        kit_buffer_printf(&what, "deprecated: %s", option->help ? option->help : "") == 0)
        resolve_warn(section, entry->line, entry->key, what.data);
    if ((option->flags & TROLLEY_OPTION_SECRET) && slot->source == SECTION_VALUE && section->file &&
        config_file_exposed(section->file))
        resolve_warn(section, entry->line, entry->key,
                     "anyone can read this file and the secret in it; use `chmod o-r`");
    kit_buffer_free(&what);
}

static int resolve_entry(struct section *section, const struct config_entry *entry,
                         const char *directory, struct trolley_error *error)
{
    enum section_source source;
    struct section_slot *slot = section_match(section, entry->key, &source);
    int r;

    if (!slot) return resolve_unknown(section, entry, error);
    r = resolve_repeated(section, slot, entry, error);
    if (r < 0) return r;
    r = section_add(section, slot, source, directory, entry->key, entry->value, entry->line, error);
    if (r < 0) return section_fault(section, entry->line, entry->key, r, error);
    resolve_advise(section, slot, entry);
    return 0;
}

/* Defaults of what is unset; required keys that are missing. */
static int resolve_rest(struct section *section, const char *directory, struct trolley_error *error)
{
    struct section_slot *slot;
    size_t i;
    int r;

    for (i = 0; i < section->count; i++) {
        slot = &section->slots[i];
        if (slot->count > 0) continue;
        if (section->line && (slot->option.flags & TROLLEY_OPTION_REQUIRED))
            return resolve_fault(section, section->line, slot->option.key, error,
                                 "required, and missing");
        if (!slot->option.default_text) continue;
        r = section_add(section, slot, SECTION_DEFAULT, directory, slot->option.key,
                        slot->option.default_text, 0, error);
        if (r < 0) return section_fault(section, section->line, slot->option.key, r, error);
    }
    return 0;
}

static int resolve_fill(struct section *section, const struct config_section *written,
                        const struct trolley_span *const *tables, struct trolley_error *error)
{
    char *here = section->file ? NULL : getcwd(NULL, 0);
    const char *directory = section->file ? config_file_directory(section->file) : here;
    int r = resolve_slots(section, tables, error);
    size_t i;

    if (!directory) directory = "/";
    for (i = 0; r == 0 && written && i < written->count; i++)
        r = resolve_entry(section, &written->entries[i], directory, error);
    if (r == 0) r = resolve_rest(section, directory, error);
    free(here);
    return r;
}

int section_resolve(const struct config_file *file, const struct config_section *written,
                    const struct trolley_span *const *tables, struct section **ret_section,
                    struct trolley_error *error)
{
    struct section *section = calloc(1, sizeof *section);
    int r;

    if (!section || pthread_mutex_init(&section->lock, NULL) != 0) {
        free(section);
        return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    }
    section->file = file;
    section->kind = strdup(written ? written->kind : "");
    section->name = strdup(written ? written->name : "");
    section->line = written ? written->line : 0;
    if (section->kind && section->name)
        r = resolve_fill(section, written, tables, error);
    else
        r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (r < 0) {
        section_free(section);
        return r;
    }
    section_open_access(section);
    *ret_section = section;
    return 0;
}

void section_free(struct section *section)
{
    size_t i;

    if (!section) return;
    for (i = 0; i < section->count; i++)
        section_slot_clear(&section->slots[i]);
    free(section->slots);
    free(section->kind);
    free(section->name);
    free(section->where);
    pthread_mutex_destroy(&section->lock);
    free(section);
}

/* Moves a prefix option's one value over the same name's, or behind the others. */
static int resolve_join(struct section_slot *slot, struct section_slot *fresh)
{
    struct section_value *value = fresh->values, *values, old;
    size_t i;

    for (i = 0; i < slot->count; i++)
        if (kit_text_key_equal(slot->values[i].name, value->name)) {
            old = slot->values[i];
            slot->values[i] = *value;
            *value = old;
            return 0;
        }
    values = reallocarray(slot->values, slot->count + 1, sizeof *values);
    if (!values) return TROLLEY_ERR_NOMEM;
    slot->values = values;
    slot->values[slot->count++] = *value;
    slot->source = fresh->source;
    fresh->count = 0;
    return 0;
}

int section_override(struct section *section, const char *key, const char *value,
                     struct trolley_error *error)
{
    const struct config_entry entry = {key, value, 0};
    enum section_source source;
    struct section_slot *slot = section_match(section, key, &source);
    struct section_slot fresh = {0}, old;
    char *here;
    int r;

    if (!slot) return resolve_unknown(section, &entry, error);
    fresh.option = slot->option;
    here = getcwd(NULL, 0);
    r = section_add(section, &fresh, source, here ? here : "/", key, value, 0, error);
    free(here);
    if (r == 0 && (slot->option.flags & TROLLEY_OPTION_PREFIX)) {
        r = resolve_join(slot, &fresh);
        if (r < 0) (void)error_set(error, r, "out of memory");
    } else if (r == 0) {
        old = *slot;
        *slot = fresh;
        fresh = old;
    }
    section_slot_clear(&fresh);
    return r < 0 ? section_fault(section, 0, key, r, error) : 0;
}
