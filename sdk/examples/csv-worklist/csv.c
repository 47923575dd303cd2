/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include <kit/text.h>
#include <string.h>
#include <trolley/types.h>

static int csv_fail(struct csv *csv, int status, const char *problem)
{
    csv->problem = problem;
    return status;
}

static int csv_put(struct csv *csv, char c)
{
    int r = kit_buffer_append(&csv->text, &c, 1);

    if (r == 0) return 0;
    return csv_fail(csv, r, r == TROLLEY_ERR_TOO_LARGE ? "a row is too long" : "out of memory");
}

/* The next byte of a field. A NUL would end it for every reader of texts. */
static int csv_char(struct csv *csv, int c)
{
    return c ? csv_put(csv, (char)c) : csv_fail(csv, TROLLEY_ERR_PROTOCOL, "a NUL byte");
}

/* A quoted field, behind its first quote, up to the character after its last. */
static int csv_quoted(struct csv *csv, int *ret_next)
{
    int c, r = 0;

    while (r == 0) {
        c = getc(csv->file);
        if (c == EOF) return csv_fail(csv, TROLLEY_ERR_PROTOCOL, "a quote is not closed");
        if (c == '\n') csv->lines_read++;
        if (c == '"') {
            c = getc(csv->file);
            if (c != '"') break;
        }
        r = csv_char(csv, c);
    }
    *ret_next = c;
    return r;
}

/* A field from its first character on; *ret_next is what ended it: separator, LF or EOF. */
static int csv_field(struct csv *csv, int c, int *ret_next)
{
    int r = 0;

    if (c == '"') {
        r = csv_quoted(csv, &c);
        if (r == 0 && c != csv->separator && c != '\r' && c != '\n' && c != EOF)
            return csv_fail(csv, TROLLEY_ERR_PROTOCOL, "text behind a closing quote");
    }
    while (r == 0 && c != csv->separator && c != '\n' && c != EOF) {
        if (c == '\r') {
            c = getc(csv->file);
            if (c == '\n' || c == EOF) break;
            return csv_fail(csv, TROLLEY_ERR_PROTOCOL, "a carriage return within a line");
        }
        r = csv_char(csv, c);
        c = getc(csv->file);
    }
    if (r == 0) r = csv_put(csv, '\0');
    *ret_next = c;
    return r;
}

/* The fields of a row that begins with the character `c`. */
static int csv_row(struct csv *csv, int c)
{
    uint32_t i;
    int r;

    for (;;) {
        if (csv->count == CSV_FIELDS_MAX)
            return csv_fail(csv, TROLLEY_ERR_TOO_LARGE, "too many fields in a row");
        csv->starts[csv->count++] = csv->text.length;
        r = csv_field(csv, c, &c);
        if (r < 0) return r;
        if (c != csv->separator) break;
        c = getc(csv->file);
    }
    csv->lines_read++;
    if (!kit_text_utf8_valid(csv->text.data, csv->text.length))
        return csv_fail(csv, TROLLEY_ERR_PROTOCOL, "not UTF-8");
    for (i = 0; i < csv->count; i++)
        csv->fields[i] = csv->text.data + csv->starts[i];
    return ferror(csv->file) ? csv_fail(csv, TROLLEY_ERR_IO, "a read failed") : 1;
}

/* The first character that is not the byte order mark's. */
static int csv_first(struct csv *csv)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t i;
    int c = getc(csv->file);

    if (c != (unsigned char)mark[0]) return c;
    for (i = 1; i < 3; i++)
        if (getc(csv->file) != (unsigned char)mark[i]) return c; /* then it is no UTF-8 either */
    return getc(csv->file);
}

int csv_read(struct csv *csv)
{
    int c = csv->lines_read ? getc(csv->file) : csv_first(csv);

    csv->text.cap = CSV_ROW_MAX;
    kit_buffer_reset(&csv->text);
    csv->count = 0;
    while (c == '\n' || c == '\r') {
        if (c == '\n') csv->lines_read++;
        c = getc(csv->file);
    }
    if (c == EOF) return ferror(csv->file) ? csv_fail(csv, TROLLEY_ERR_IO, "a read failed") : 0;
    csv->line = csv->lines_read + 1;
    return csv_row(csv, c);
}

void csv_free(struct csv *csv)
{
    kit_buffer_free(&csv->text);
}
