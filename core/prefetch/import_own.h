/* import_own.h: an import from inside. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_IMPORT_OWN_H
#define CORE_PREFETCH_IMPORT_OWN_H

#include <kit/buffer.h>

#include "core/prefetch/import.h"
#include "core/prefetch/ldif.h"

#define IMPORT_URLS_MAX 64 /* of one exporter: the main one and url.1 on */

struct import {
    const struct prefetch_import_options *options;
    const struct ldif *ldif;
    struct kit_buffer text;   /* the INI text so far */
    struct kit_buffer notes;  /* NUL-separated, for the sink */
    struct kit_buffer wanted; /* "queue\nNAME\n": sections that are named, each once */
    struct kit_buffer copies; /* sections of storages that are told apart */
    struct trolley_error *error;
};

/* An entry of that class by its name attribute, or the DN's; NULL when there is none. */
const struct ldif_entry *import_find(const struct import *import, const char *object_class,
                                     const char *key, const char *name);
const char *import_name(const struct ldif_entry *entry, const char *key);

/* Writes one comment and keeps it for the sink. */
__attribute__((format(printf, 2, 3))) int import_note(struct import *import, const char *format,
                                                      ...);
int import_section(struct kit_buffer *text, const char *kind, const char *name);
/* `key = value`, quoted where the INI grammar wants it. NULL value: nothing. */
int import_line(struct kit_buffer *text, const char *key, const char *value);

/* A value with its ${NAME} resolved; appended. INVALID_CONFIG names --set. */
int import_resolve(struct import *import, const struct ldif_entry *entry, const char *value,
                   struct kit_buffer *out);
/* What --set says of a name; NULL for nothing. */
const char *import_set(const struct import *import, const char *name);
/* Applies --rewrite to a URL in `url` from `begin` on. */
int import_rewrite(const struct import *import, struct kit_buffer *url, size_t begin);

/* Remembers that [kind name] is wanted. */
int import_want(struct import *import, const char *kind, const char *name);

/* import_exporter.c, import_storage.c. Each writes one entry's section. */
int import_exporter(struct import *import, const struct ldif_entry *entry);
int import_storage(struct import *import, const struct ldif_entry *entry);
/* Writes [storage COPY]: the storage `id` with "-urlN" added to name and path. */
int import_storage_copy(struct import *import, const char *id, unsigned number,
                        struct kit_buffer *ret_name);
/* The path format of a storage; dcm4chee's default when it has none. */
const char *import_path_format(const struct ldif_entry *entry);
/* A property NAME=VALUE of an entry: the value; NULL when absent. */
const char *import_property(const struct ldif_entry *entry, const char *name);

#endif
