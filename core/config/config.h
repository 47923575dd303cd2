/*
 * config.h: the INI file in memory, and sections resolved against option tables.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include <stdbool.h>

#include "core/trolley.h"

/* Bounds of an INI file. */
#define CONFIG_FILE_MAX ((size_t)1 << 20)   /* bytes */
#define CONFIG_LINE_MAX ((size_t)1 << 16)   /* bytes of a line without its end */
#define CONFIG_KEY_MAX 100                  /* bytes */
#define CONFIG_COUNT_MAX 4096               /* sections of a file; lines of a section */
#define CONFIG_SECRET_MAX ((size_t)1 << 16) /* bytes a secret's file or command may bring */

/* Flags of the host's own tables; plugins may not use these bits of trolley_option.flags. */
#define CONFIG_OPTION_OCTAL (UINT32_C(1) << 28)  /* INT: written in octal, a file mode */
#define CONFIG_OPTION_HEADER (UINT32_C(1) << 29) /* LIST: "Name: value"; values never shown */
#define CONFIG_OPTION_NAMES \
    (UINT32_C(1) << 30) /* LIST: names of sections of the kind in `choices`, also split at ',' */
#define CONFIG_OPTION_SEARCH_PATH (UINT32_C(1) << 31) /* LIST: absolute paths, split at ':' too */
#define CONFIG_OPTION_PRIVATE (UINT32_C(15) << 28)
/* URL (where no octal numbers are): "wado:" before it is dropped, and every other byte stays as it
 * is, slashes at the end too. */
#define CONFIG_OPTION_TEMPLATE CONFIG_OPTION_OCTAL

/* One `key = value` line as written. */
struct config_entry {
    const char *key;   /* lower case, '-' turned to '_'; behind a '.' as written */
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
 * Unknown kinds of section are errors with the nearest one. Refuses a file that others may write,
 * is larger than CONFIG_FILE_MAX, or is not UTF-8. Errors: IO, TOO_LARGE, INVALID_CONFIG, NOMEM.
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
 * settings, session, searcher, downloader, storage, trolley, prefetch, rule, exporter, queue,
 * watch.
 */
const struct trolley_span *config_host_options(const char *kind);

/* The key `session`, for sections whose component has TROLLEY_COMPONENT_HTTP. */
const struct trolley_span *config_http_options(void);

/* Kind i of section, NULL past the last: a source of candidates for kit_text_nearest. */
const char *config_kind(void *unused, size_t i);

/*
 * A section resolved against a list of option tables (the host's for its kind, the component's):
 * every key known, typed, in range, no key twice but lists and prefixes, sections that COMPONENT
 * keys name present; defaults applied. `tables`: NULL-terminated, earlier tables win; they and
 * `file` outlive the section. `section` NULL: defaults only, and required keys may be missing, as
 * they may in a made-up section with line 0. `file` NULL: relative paths start from the working
 * directory, and names of sections are not looked up. Warns by the log of deprecated keys, and of
 * secrets in a file that others may read. Errors: INVALID_CONFIG "FILE:LINE: [searcher x] key
 * `ulr`: unknown; did you mean `url`?".
 */
struct section;
int section_resolve(const struct config_file *file, const struct config_section *section,
                    const struct trolley_span *const *tables, struct section **ret_section,
                    struct trolley_error *error);
void section_free(struct section *section);

/* The ABI's view of it. `peer` is filled in by core/plugin before create; it starts as one that
 * returns UNSUPPORTED. */
struct trolley_config *section_config(struct section *section);

/* Value i of the section's URL options, whichever their keys; NULL past the last. */
const char *config_url(const struct trolley_config *config, uint32_t i);

/* Sets a key as if the file had said so (e.g. `--output` for the root-path option), checked alike;
 * a path is relative to the working directory, as a path on the command line is. The section is
 * unchanged on failure. Not while other threads use the section. */
int section_override(struct section *section, const char *key, const char *value,
                     struct trolley_error *error);

/* "FILE:LINE" for messages about a key, or of the section when the key is not written. Borrowed
 * until the next call. */
const char *section_where(struct section *section, const char *key);

/* Everything that is set, as INI text with defaults marked; secrets, arguments of their commands,
 * values of header fields and passwords in URLs as "***". Appends to *text, behind an empty line
 * when there is text already. */
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
