/* section.h: a resolved section from inside. SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_SECTION_H
#define CORE_CONFIG_SECTION_H

#include <pthread.h>

#include "core/config/config.h"

/* Where a key's value comes from. The three last are for secrets. */
enum section_source {
    SECTION_UNSET,
    SECTION_DEFAULT,
    SECTION_VALUE,
    SECTION_ENV,
    SECTION_FILE,
    SECTION_COMMAND
};

struct section_value {
    char *text; /* as components read it; of a secret's file the absolute path */
    char *name; /* PREFIX: the key without the prefix, as written; else NULL */
    int64_t number;
    int line; /* 0 when the file does not have it */
};

/* One option and what is set. More than one value only for lists and prefixes. */
struct section_slot {
    struct trolley_option option;
    enum section_source source;
    struct section_value *values;
    size_t count;
    char *cached; /* what a secret's command said, under the section's lock */
    size_t cached_length;
};

struct section {
    struct trolley_config config;
    const struct config_file *file; /* NULL without a file */
    char *kind, *name;              /* "" without a file's section */
    int line;                       /* 0 without a file's section */
    struct section_slot *slots;
    size_t count;
    pthread_mutex_t lock; /* of the cached secrets */
    char *where;
};

/* The bytes of struct trolley_option in contract 1.0. */
#define SECTION_OPTION_LEAST (offsetof(struct trolley_option, metavar) + sizeof(const char *))

/* "_env", "_file", "_command" by source; NULL for other sources. */
const char *section_suffix(enum section_source source);

/* Which slot a key means: by name, alias, prefix, or as a secret's K_env, K_file, K_command
 * (*ret_source). NULL when none. */
struct section_slot *section_match(const struct section *section, const char *key,
                                   enum section_source *ret_source);

/* The nearest thing to an unknown key, appended to *text; nothing when none is near. */
int section_nearest(const struct section *section, const char *key, struct kit_buffer *text);

/* The slot of a table's own key, and the value of a key of it (a prefix option's too). NULL when
 * unknown or unset. */
struct section_slot *section_find(const struct section *section, const char *key);
const struct section_value *section_find_value(const struct section *section, const char *key,
                                               const struct section_slot **ret_slot);

/* Adds what `text` says to a slot: checked, split where the option is a list of names or paths.
 * Errors are without a place. */
int section_add(const struct section *section, struct section_slot *slot,
                enum section_source source, const char *directory, const char *key,
                const char *text, int line, struct trolley_error *error);

/* Frees a slot's values, wiping secrets; the slot is unset then. */
void section_slot_clear(struct section_slot *slot);

/* Appends "FILE:LINE: [kind name] key `key`" (what is known of it). */
int section_place(const struct section *section, int line, const char *key,
                  struct kit_buffer *text);

/* Puts that before the message in *error, and returns its status. */
int section_fault(const struct section *section, int line, const char *key, int status,
                  struct trolley_error *error);

/* Fills the functions of section->config. */
void section_open_access(struct section *section);

/* Reads a secret as trolley_config's `secret` does. */
int32_t section_secret(const struct trolley_config *config, const char *key, int32_t refresh,
                       const struct trolley_secret_sink *sink, struct trolley_task *task);

#endif
