/* csv.h: reads comma-separated values [RFC 4180] row by row. SPDX-License-Identifier: MIT */
#ifndef CSV_H
#define CSV_H

#include <kit/buffer.h>
#include <stdint.h>
#include <stdio.h>

#define CSV_FIELDS_MAX 128              /* fields of a row */
#define CSV_ROW_MAX ((size_t)256 << 10) /* bytes of a row's fields */

/* One file being read. Zeroed but for `file` and `separator`, csv_read makes the rest. */
struct csv {
    FILE *file;
    char separator;
    uint64_t line; /* where the row begins that was read last, from 1 */
    char *fields[CSV_FIELDS_MAX];
    uint32_t count;
    struct kit_buffer text; /* the fields, each with its NUL */
    size_t starts[CSV_FIELDS_MAX];
    uint64_t lines_read;
    const char *problem; /* what was wrong, static text */
};

/*
 * Reads the next row into fields and count; they are valid until the next call. Fields may be
 * quoted and hold line breaks then; lines end in LF or CRLF; empty lines are skipped; a byte order
 * mark at the beginning is left out.
 * @return 1, 0 at the end, or TROLLEY_ERR_PROTOCOL, TOO_LARGE, IO, NOMEM with `problem` set
 */
int csv_read(struct csv *csv);

/* Frees what csv_read made; the file is the caller's. */
void csv_free(struct csv *csv);

#endif
