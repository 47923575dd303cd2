/*
 * trolley/option.h: the keys that a component reads from its INI section.
 *
 * The host checks a section against this table before any I/O: unknown keys (with the nearest right
 * one), missing required keys, types and ranges. Defaults are applied, secrets masked, and each
 * secret key K gets K_env, K_file and K_command without a line in the table.
 *
 * Keys that the host gives every section must not be declared: type, session, max_retries,
 * retry_delay, max_parallel, max_instance, refilter; for storages min_free, durability, file_mode,
 * dir_mode; for auth plugins the keys of a [session].
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_OPTION_H
#define TROLLEY_OPTION_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a key's value is; config->text and config->integer read it accordingly. */
enum trolley_option_type {
    TROLLEY_OPTION_STRING = 1,
    TROLLEY_OPTION_INT = 2,      /* int64, bounded by min and max */
    TROLLEY_OPTION_BOOL = 3,     /* yes/no, true/false, on/off, 1/0 */
    TROLLEY_OPTION_DURATION = 4, /* 250ms, 10s, 5m, 2h, 1d, PT1M; read as milliseconds */
    TROLLEY_OPTION_SIZE = 5,     /* 64KiB, 10MB, 4096; read as bytes */
    TROLLEY_OPTION_CHOICE = 6,   /* one of `choices` */
    TROLLEY_OPTION_PATH = 7,     /* relative to the INI file; read as an absolute path */
    TROLLEY_OPTION_URL = 8,      /* http or https, read without a trailing slash */
    TROLLEY_OPTION_AE_TITLE = 9, /* 1 to 16 characters of PS3.5 6.2 AE */
    TROLLEY_OPTION_PORT = 10,    /* 0 to 65535; 0 only where min allows it */
    TROLLEY_OPTION_LIST = 11,    /* the key may be repeated, one value a line */
    /* The name of another section; `choices` holds its kind: "searcher", ... */
    TROLLEY_OPTION_COMPONENT = 12
};

#define TROLLEY_OPTION_REQUIRED UINT32_C(1)
#define TROLLEY_OPTION_SECRET UINT32_C(2)     /* never shown; read it with config->secret */
#define TROLLEY_OPTION_DEPRECATED UINT32_C(4) /* still works, with a warning that prints `help` */
#define TROLLEY_OPTION_ADVANCED UINT32_C(8)   /* commented out in `trolley config example` */
/* The key is "param.": every key that begins so is taken. */
#define TROLLEY_OPTION_PREFIX UINT32_C(16)
#define TROLLEY_OPTION_ROOT_PATH UINT32_C(32) /* storages: what `--output DIR` replaces */

/* One key. Open; lives in static memory of the plugin. */
struct trolley_option {
    uint32_t size;
    uint32_t type;  /* enum trolley_option_type */
    uint32_t flags; /* TROLLEY_OPTION_* */
    uint32_t reserved;
    const char *key;          /* lower case, words joined by '_' */
    const char *aliases;      /* other spellings, separated by commas; NULL for none */
    const char *default_text; /* as it would stand in the INI file; NULL for none */
    const char *choices;      /* CHOICE: the words, separated by commas; COMPONENT: the kind */
    /* INT, DURATION (ms), SIZE (bytes), PORT; both 0 means unbounded (PORT: 1..65535). */
    int64_t min, max;
    const char *help; /* one line, without a final stop; never NULL */
    /* What stands for the value in help and examples; NULL for the type's own. */
    const char *metavar;
};

#ifdef __cplusplus
}
#endif
#endif
