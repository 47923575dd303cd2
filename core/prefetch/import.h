/*
 * import.h: dcm4chee's configuration as INI sections. Export rules (dcmExportRule), WADO exporters
 * (dcmExporter with wado: URIs), the queues (dcmQueue) and storages (dcmStorage) they name become
 * [rule], [exporter], [queue] and [storage] sections; what has no counterpart is named in a note.
 *
 * For the command line:
 *     struct prefetch_import_options options = {.file = "dcm4chee.ldif", .searcher = "pacs", ...};
 *     r = prefetch_import_ldif(&options, write_text, write_note, ctx, &error);
 * `write_text` gets the INI text piece by piece (for stdout), `write_note` one line each (for
 * stderr); the notes stand in the text as comments, too. SPDX-License-Identifier: MIT
 */
#ifndef CORE_PREFETCH_IMPORT_H
#define CORE_PREFETCH_IMPORT_H

#include "core/model/error.h"

struct prefetch_import_options {
    const char *file;        /* path of the LDIF file */
    const char *searcher;    /* written into each exporter; NULL: a note says that it is missing */
    const char *session;     /* the same; NULL: none */
    const char *const *sets; /* NAME=VALUE, for ${NAME} and web applications (wado:NAME) */
    uint32_t set_count;
    const char *const *rewrites; /* FROM=TO: the first FROM in a URL becomes TO */
    uint32_t rewrite_count;
};

/* Takes text; non-zero ends the import with that value. Never NULL. */
typedef int (*prefetch_import_sink)(void *ctx, const char *text);

/*
 * Converts a file. Nothing is written when there is an error. Errors: IO, TOO_LARGE,
 * INVALID_CONFIG (malformed LDIF with its line, a ${NAME} or web application that no --set
 * resolves, nothing to import), INVALID_ARG (a set or rewrite without '='), NOMEM.
 */
int prefetch_import_ldif(const struct prefetch_import_options *options, prefetch_import_sink text,
                         prefetch_import_sink note, void *ctx, struct trolley_error *error);

/* Names what PCRE2 reads otherwise than Java in an expression; NULL when nothing is found. Static
 * text. */
const char *import_regex_problem(const char *expression);

#endif
