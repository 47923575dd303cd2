/*
 * config.h: the INI file in memory, and sections resolved against option tables.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include <stdbool.h>

#include "core/trolley.h"

/* One `key = value` line as written. */
struct config_entry {
    const char *key;   /* lower case, '-' turned to '_' */
    const char *value; /* comments and quotes resolved */
    int line;
};

/* One [kind name] section. */
struct config_section {
    const char *kind; /* "settings", "session", "searcher", ... */
    const char *name; /* "" for [settings] */
    int line;
    const struct config_entry *entries;
    size_t count;
    const struct config_section *next; /* in order of the file */
};

struct config_file;

/*
 * Reads an INI file as interface.md describes its grammar (repeated sections and keys are checked
 * here as far as that is possible without a table: sections at once, keys by section_resolve).
 * Unknown kinds of section are errors with the nearest one. Refuses a file that others may write;
 * warns by the log when it holds secrets and others may read it.
 */
int config_file_read(const char *path, struct config_file **ret_file, struct trolley_error *error);
void config_file_free(struct config_file *file);
const char *config_file_path(const struct config_file *file);
const struct config_section *config_file_first(const struct config_file *file);
const struct config_section *config_file_section(const struct config_file *file, const char *kind,
                                                 const char *name);

/* Finds the file: `path`, else $TROLLEY_CONFIG, XDG, SYSCONFDIR. The caller frees *ret_path.
 * NOT_FOUND lists where it looked. */
int config_find(const char *path, char **ret_path, struct trolley_error *error);

/* The host's own option tables: keys every section of a kind has. NULL for an unknown kind. kinds:
 * settings, session, searcher, downloader, storage, trolley. */
const struct trolley_span *config_host_options(const char *kind);

/*
 * A section resolved against a list of option tables (the host's for its kind, the component's):
 * every key known, typed, in range; defaults applied. `tables`: NULL-terminated. `file` may be NULL
 * with `section` NULL: defaults only. Errors: INVALID_CONFIG "FILE:LINE: [searcher x] key `ulr`:
 * unknown; did you mean `url`?".
 */
struct section;
int section_resolve(const struct config_file *file, const struct config_section *section,
                    const struct trolley_span *const *tables, struct section **ret_section,
                    struct trolley_error *error);
void section_free(struct section *section);

/* The ABI's view of it. `peer` is filled in by core/plugin before create; it starts as one that
 * returns UNSUPPORTED. */
struct trolley_config *section_config(struct section *section);

/* Sets a key as if the file had said so (e.g. `--output` for the root-path option), checked alike.
 */
int section_override(struct section *section, const char *key, const char *value,
                     struct trolley_error *error);

/* "FILE:LINE" for messages about a key, or of the section when the key is not written. Borrowed
 * until the next call. */
const char *section_where(struct section *section, const char *key);

/* Everything that is set, as INI text, secrets as "***". Appends to *text (a struct kit_buffer). */
struct kit_buffer;
int section_show(const struct section *section, struct kit_buffer *text);

/* A commented sample of a section, made from tables: required keys live, others commented out with
 * their defaults. */
int section_example(const char *kind, const char *name, const char *type,
                    const struct trolley_span *const *tables, struct kit_buffer *text);

/* Is a table sane: keys well formed, unique (aliases too), none of the host's for that kind,
 * defaults legal, ranges in order? The loader and the validator ask. */
int option_table_check(const char *kind, const struct trolley_span *options,
                       struct trolley_error *error);

/* One value by type: returns 0 and *ret_number (milliseconds, bytes, 0/1, choice index; 0 for
 * texts). */
int option_parse(const struct trolley_option *option, const char *text, int64_t *ret_number,
                 struct trolley_error *error);

#endif
