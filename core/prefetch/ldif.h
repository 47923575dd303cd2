/* ldif.h: reading LDIF [RFC 2849]: folded lines, comments, base64 values, escaped DNs.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_LDIF_H
#define CORE_PREFETCH_LDIF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/model/error.h"

#define LDIF_FILE_MAX ((size_t)16 << 20) /* bytes */

struct ldif_attribute {
    const char *name;  /* without options such as ";binary" */
    const char *value; /* UTF-8; base64 resolved */
    int line;
};

/* One entry. `name` is the value of its DN's first part with escapes resolved. */
struct ldif_entry {
    const char *dn, *name;
    int line;
    bool change; /* a changetype other than add: it says what to alter, not what there is */
    struct ldif_attribute *attributes;
    size_t count;
};

struct ldif {
    struct ldif_entry *entries;
    size_t count;
};

/*
 * Reads a whole file's text. Values that name a URL (`attribute:< file:...`) are not fetched but
 * refused. Errors: INVALID_CONFIG with the line, TOO_LARGE, NOMEM.
 */
int ldif_read(const char *text, size_t length, struct ldif **ret_ldif, struct trolley_error *error);
void ldif_free(struct ldif *ldif);

/* Names compare without case. The value of an attribute, NULL when absent; value i of several. */
const char *ldif_value(const struct ldif_entry *entry, const char *name);
const char *ldif_value_at(const struct ldif_entry *entry, const char *name, size_t i);
bool ldif_has_class(const struct ldif_entry *entry, const char *object_class);

#endif
