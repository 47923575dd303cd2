/* slot.c: options of a section and their values. SPDX-License-Identifier: MIT */
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/file.h"
#include "core/config/section.h"
#include "core/config/values.h"
#include "core/config/words.h"
#include "core/model/error.h"

static const enum section_source slot_elsewhere[] = {SECTION_ENV, SECTION_FILE, SECTION_COMMAND};
#define SLOT_ELSEWHERE (sizeof slot_elsewhere / sizeof slot_elsewhere[0])

const char *section_suffix(enum section_source source)
{
    switch (source) {
    case SECTION_ENV:
        return "_env";
    case SECTION_FILE:
        return "_file";
    case SECTION_COMMAND:
        return "_command";
    default:
        return NULL;
    }
}

/* Whether the first `length` bytes of `key` are the option's name or an alias. */
static bool slot_named(const struct trolley_option *option, const char *key, size_t length)
{
    char word[CONFIG_KEY_MAX + 1], alias[CONFIG_KEY_MAX + 1];
    const char *at;
    size_t i, alias_length;

    if (length > CONFIG_KEY_MAX) return false;
    memcpy(word, key, length);
    word[length] = '\0';
    if (kit_text_key_equal(word, option->key)) return true;
    for (i = 0; (at = config_word_at(option->aliases, i, &alias_length)); i++) {
        if (alias_length != length) continue;
        memcpy(alias, at, length);
        alias[length] = '\0';
        if (kit_text_key_equal(word, alias)) return true;
    }
    return false;
}

/* Whether `key` begins with the option's prefix and goes on. */
static bool slot_prefixes(const struct trolley_option *option, const char *key)
{
    const size_t length = strlen(option->key);

    return (option->flags & TROLLEY_OPTION_PREFIX) && strlen(key) > length &&
           slot_named(option, key, length);
}

/* The length of `key` before a secret's suffix, 0 when it has none. */
static size_t slot_stem(const char *key, enum section_source *ret_source)
{
    const size_t length = strlen(key);
    size_t i, suffix;

    for (i = 0; i < SLOT_ELSEWHERE; i++) {
        suffix = strlen(section_suffix(slot_elsewhere[i]));
        if (length <= suffix) continue;
        if (!kit_text_key_equal(key + length - suffix, section_suffix(slot_elsewhere[i]))) continue;
        *ret_source = slot_elsewhere[i];
        return length - suffix;
    }
    return 0;
}

struct section_slot *section_match(const struct section *section, const char *key,
                                   enum section_source *ret_source)
{
    enum section_source source = SECTION_VALUE;
    const size_t stem = slot_stem(key, &source);
    size_t i;

    *ret_source = SECTION_VALUE;
    for (i = 0; i < section->count; i++)
        if (!(section->slots[i].option.flags & TROLLEY_OPTION_PREFIX) &&
            slot_named(&section->slots[i].option, key, strlen(key)))
            return &section->slots[i];
    for (i = 0; stem && i < section->count; i++)
        if ((section->slots[i].option.flags & TROLLEY_OPTION_SECRET) &&
            slot_named(&section->slots[i].option, key, stem)) {
            *ret_source = source;
            return &section->slots[i];
        }
    for (i = 0; i < section->count; i++)
        if (slot_prefixes(&section->slots[i].option, key)) return &section->slots[i];
    return NULL;
}

struct slot_names {
    const struct section *section;
    uint32_t flags; /* only options with these */
    size_t next;
};

static const char *slot_next_name(void *ctx, size_t i)
{
    struct slot_names *names = ctx;
    const struct section *section = names->section;

    (void)i;
    while (names->next < section->count &&
           (section->slots[names->next].option.flags & names->flags) != names->flags)
        names->next++;
    return names->next < section->count ? section->slots[names->next++].option.key : NULL;
}

int section_nearest(const struct section *section, const char *key, struct kit_buffer *text)
{
    struct slot_names secrets = {section, TROLLEY_OPTION_SECRET, 0}, all = {section, 0, 0};
    enum section_source source = SECTION_VALUE;
    const size_t stem = slot_stem(key, &source);
    char word[CONFIG_KEY_MAX + 1];
    const char *nearest;

    if (stem && stem <= CONFIG_KEY_MAX) {
        memcpy(word, key, stem);
        word[stem] = '\0';
        nearest = kit_text_nearest(word, slot_next_name, &secrets);
        if (nearest) return kit_buffer_printf(text, "%s%s", nearest, section_suffix(source));
    }
    nearest = kit_text_nearest(key, slot_next_name, &all);
    return nearest ? kit_buffer_text(text, nearest) : 0;
}

struct section_slot *section_find(const struct section *section, const char *key)
{
    size_t i;

    for (i = 0; i < section->count; i++)
        if (kit_text_key_equal(section->slots[i].option.key, key)) return &section->slots[i];
    return NULL;
}

const struct section_value *section_find_value(const struct section *section, const char *key,
                                               const struct section_slot **ret_slot)
{
    enum section_source source;
    const struct section_slot *slot = section_match(section, key, &source);
    size_t i, length;

    if (!slot || source != SECTION_VALUE || slot->count == 0) return NULL;
    *ret_slot = slot;
    if (!(slot->option.flags & TROLLEY_OPTION_PREFIX)) return &slot->values[0];
    length = strlen(slot->option.key);
    for (i = 0; i < slot->count; i++)
        if (kit_text_key_equal(slot->values[i].name, key + length)) return &slot->values[i];
    return NULL;
}

static void slot_wipe(char *text, size_t length)
{
    if (text) explicit_bzero(text, length);
    free(text);
}

void section_slot_clear(struct section_slot *slot)
{
    size_t i;

    for (i = 0; i < slot->count; i++) {
        slot_wipe(slot->values[i].text, strlen(slot->values[i].text));
        free(slot->values[i].name);
    }
    free(slot->values);
    slot_wipe(slot->cached, slot->cached_length);
    slot->values = NULL;
    slot->cached = NULL;
    slot->count = slot->cached_length = 0;
    slot->source = SECTION_UNSET;
}

/* Appends a value, which takes `text` over in any case. */
static int slot_append(struct section_slot *slot, char *text, int64_t number, const char *name,
                       int line, struct trolley_error *error)
{
    char *copy = name ? strdup(name) : NULL;
    struct section_value *values = NULL;

    if (!name || copy) values = reallocarray(slot->values, slot->count + 1, sizeof *slot->values);
    if (!values) {
        slot_wipe(text, strlen(text));
        free(copy);
        return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    }
    slot->values = values;
    slot->values[slot->count++] = (struct section_value){text, copy, number, line};
    return 0;
}

/* Whether the section that a COMPONENT or a list of names means is in the file. */
static int slot_check_name(const struct section *section, const struct trolley_option *option,
                           const char *name, struct trolley_error *error)
{
    const char *nearest;

    if (!section->file || config_file_section(section->file, option->choices, name)) return 0;
    nearest = config_file_nearest(section->file, option->choices, name);
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "there is no [%s %s]%s%s%s",
                     option->choices, name, nearest ? "; did you mean `" : "",
                     nearest ? nearest : "", nearest ? "`?" : "");
}

/* One value of the option's own type. */
static int slot_add_one(const struct section *section, struct section_slot *slot,
                        const char *directory, const char *name, const char *text, int line,
                        struct trolley_error *error)
{
    const struct trolley_option *option = &slot->option;
    const bool names_section =
        option->type == TROLLEY_OPTION_COMPONENT || (option->flags & CONFIG_OPTION_NAMES);
    char *normal = NULL;
    int64_t number = 0;
    int r;

    if (slot->count >= CONFIG_COUNT_MAX)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "more than %d values",
                         CONFIG_COUNT_MAX);
    r = config_value_normal(option, text, directory, &normal, &number, error);
    if (r == 0 && names_section) r = slot_check_name(section, option, normal, error);
    if (r < 0) {
        free(normal);
        return r;
    }
    return slot_append(slot, normal, number, name, line, error);
}

/* A list's line: its items, split where the option says so. */
static int slot_add_items(const struct section *section, struct section_slot *slot,
                          const char *directory, const char *text, int line,
                          struct trolley_error *error)
{
    const uint32_t flags = slot->option.flags;
    const char *separator = flags & CONFIG_OPTION_NAMES         ? ","
                            : flags & CONFIG_OPTION_SEARCH_PATH ? ":"
                                                                : "";
    size_t length, blank;
    char *item;
    int r = 0;

    for (;; text += length + 1) {
        length = *separator ? strcspn(text, separator) : strlen(text);
        blank = strspn(text, " \t");
        item = blank < length ? strndup(text + blank, length - blank) : strdup("");
        if (!item) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
        blank = strlen(item);
        while (*separator && blank && strchr(" \t", item[blank - 1]))
            item[--blank] = '\0';
        r = slot_add_one(section, slot, directory, NULL, item, line, error);
        slot_wipe(item, strlen(item));
        if (r < 0 || !text[length]) return r;
    }
}

/* A secret's K_env, K_file or K_command, as far as it can be judged without reading it. */
static int slot_add_elsewhere(struct section_slot *slot, enum section_source source,
                              const char *directory, const char *text, int line,
                              struct trolley_error *error)
{
    char **words = NULL;
    char *normal;
    int r;

    if (!*text) return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "is empty");
    if (source == SECTION_ENV && strchr(text, '='))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "wants the name of an environment variable");
    if (source == SECTION_COMMAND) {
        r = config_words_split(text, &words, error);
        config_words_free(words);
        if (r < 0) return r;
    }
    normal = source == SECTION_FILE ? config_path_join(directory, text) : strdup(text);
    if (!normal) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    return slot_append(slot, normal, 0, NULL, line, error);
}

int section_add(const struct section *section, struct section_slot *slot,
                enum section_source source, const char *directory, const char *key,
                const char *text, int line, struct trolley_error *error)
{
    const char *name = NULL;
    int r;

    if (slot->option.flags & TROLLEY_OPTION_PREFIX) name = key + strlen(slot->option.key);
    if (section_suffix(source))
        r = slot_add_elsewhere(slot, source, directory, text, line, error);
    else if (slot->option.type == TROLLEY_OPTION_LIST)
        r = slot_add_items(section, slot, directory, text, line, error);
    else
        r = slot_add_one(section, slot, directory, name, text, line, error);
    if (r == 0) slot->source = source;
    return r;
}
