/*
 * ini.c: INI text through inih.
 *
 * inih as distributions build it stops at 200 bytes a line and 49 a section name, takes ':' for a
 * separator, knows no quotes, and trims by the locale. So its reader here gives it one clean line
 * at a time: comments gone, quotes resolved, and what would not survive (long, not plain ASCII)
 * parked, with PARKED in its place. inih calls no handler for a section as such, so each section
 * line is followed by a line with the key PARKED. Input never has control characters, hence none of
 * these. SPDX-License-Identifier: MIT
 */
#include "core/config/ini.h"

#include <ini.h>
#include <kit/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"

#define PARKED "\001"
#define INI_SECTION_PLAIN 49 /* bytes of a section name that inih keeps */

struct ini_reader {
    const char *path;
    const char *at, *end;
    int line;
    int status;
    bool announce; /* a section line went out, its PARKED key is due */
    char key[CONFIG_KEY_MAX + 1];
    char *text; /* header or value of this line; has room for any line */
    const struct config_ini_handler *handler;
    struct trolley_error *error;
};

static bool ini_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *ini_skip(const char *at, const char *end)
{
    while (at < end && ini_blank(*at))
        at++;
    return at;
}

static const char *ini_trim(const char *at, const char *end)
{
    while (end > at && ini_blank(end[-1]))
        end--;
    return end;
}

/* Records a fault of the current line; `key` may be empty. */
static int ini_fault(struct ini_reader *reader, const char *key, const char *what)
{
    reader->status = *key ? error_set(reader->error, TROLLEY_ERR_INVALID_CONFIG,
                                      "%s:%d: key `%s`: %s", reader->path, reader->line, key, what)
                          : error_set(reader->error, TROLLEY_ERR_INVALID_CONFIG, "%s:%d: %s",
                                      reader->path, reader->line, what);
    return reader->status;
}

/* Whether inih hands these bytes on unchanged: printable ASCII without ';', no blank at either end,
 * short enough. */
static bool ini_plain(const char *text, size_t most)
{
    const size_t length = strlen(text);
    size_t i;

    if (length > most || text[0] == ' ' || (length && text[length - 1] == ' ')) return false;
    for (i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == ';') return false;
    return true;
}

/* Where the trailing comment (white space and ';') of an unquoted text begins; a '"' with a partner
 * further on protects what is between. */
static const char *ini_comment(const char *at, const char *end)
{
    const char *start = at, *partner;

    for (; at < end; at++) {
        if (*at == ';' && at > start && ini_blank(at[-1])) return at;
        if (*at != '"') continue;
        partner = memchr(at + 1, '"', (size_t)(end - at - 1));
        if (partner) at = partner;
    }
    return end;
}

static void ini_take(struct ini_reader *reader, const char *at, const char *end)
{
    memcpy(reader->text, at, (size_t)(end - at));
    reader->text[end - at] = '\0';
}

static int ini_header(struct ini_reader *reader, const char *at, const char *end)
{
    const char *c;

    for (c = at; c < end && !(c > at && *c == ';' && ini_blank(c[-1])); c++)
        ;
    end = ini_trim(at, c);
    if (end[-1] != ']') return ini_fault(reader, "", "a section is written `[kind name]`");
    at = ini_skip(at + 1, end - 1);
    end = ini_trim(at, end - 1);
    for (c = at; c < end; c++)
        if (strchr("[]\"", *c))
            return ini_fault(reader, "", "brackets and quotes do not belong in a section's name");
    ini_take(reader, at, end);
    return 0;
}

static int ini_key(struct ini_reader *reader, const char *at, const char *end)
{
    const size_t length = (size_t)(end - at);
    size_t i;

    if (length == 0) return ini_fault(reader, "", "no key before `=`");
    if (length > CONFIG_KEY_MAX) return ini_fault(reader, "", "the key is too long");
    memcpy(reader->key, at, length);
    reader->key[length] = '\0';
    for (i = 0; i < length; i++) {
        const char c = at[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '-' || c == '.')
            continue;
        return ini_fault(reader, reader->key,
                         "a key has letters, digits, `_`, `-` and `.` only, and `=` follows it");
    }
    return 0;
}

/* A value from '"' on: up to its partner, \" and \\ resolved. */
static int ini_quoted(struct ini_reader *reader, const char *at, const char *end)
{
    size_t length = 0;

    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\' && at + 1 < end && (at[1] == '"' || at[1] == '\\')) at++;
        reader->text[length++] = *at;
    }
    reader->text[length] = '\0';
    if (at == end) return ini_fault(reader, reader->key, "the quote is not closed");
    at++;
    if (ini_skip(at, end) == end) return 0;
    if (ini_blank(*at) && *ini_skip(at, end) == ';') return 0;
    return ini_fault(reader, reader->key,
                     "text after the closing quote; write \\\" for a quote inside a quoted value");
}

static int ini_entry(struct ini_reader *reader, const char *at, const char *end)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    int r;

    if (!equals) return ini_fault(reader, "", "neither `[kind name]` nor `key = value`");
    r = ini_key(reader, at, ini_trim(at, equals));
    if (r < 0) return r;
    at = ini_skip(equals + 1, end);
    if (at < end && *at == '"') return ini_quoted(reader, at, end);
    /* The blank before a comment may be the one behind `=`. */
    end = ini_comment(at > equals + 1 ? at - 1 : at, end);
    ini_take(reader, at, ini_trim(at, end > at ? end : at));
    return 0;
}

/* Refuses what no line may have: controls other than a tab, bytes that are not UTF-8. */
static int ini_check(struct ini_reader *reader, const char *at, size_t length)
{
    size_t i;

    if (length > CONFIG_LINE_MAX) return ini_fault(reader, "", "the line is longer than 64 KiB");
    for (i = 0; i < length; i++)
        if (((unsigned char)at[i] < ' ' && at[i] != '\t') || at[i] == 0x7f)
            return ini_fault(reader, "", "control character");
    if (!kit_text_utf8_valid(at, length)) return ini_fault(reader, "", "not UTF-8");
    return 0;
}

/* The next line that is neither blank nor a comment, trimmed; false at the end or on a fault. */
static bool ini_line(struct ini_reader *reader, const char **ret_at, const char **ret_end)
{
    while (reader->status == 0 && reader->at < reader->end) {
        const char *at = reader->at;
        const char *end = memchr(at, '\n', (size_t)(reader->end - at));

        reader->at = end ? end + 1 : reader->end;
        if (!end) end = reader->end;
        if (end > at && end[-1] == '\r') end--;
        reader->line++;
        if (ini_check(reader, at, (size_t)(end - at)) < 0) return false;
        at = ini_skip(at, end);
        end = ini_trim(at, end);
        if (at == end || *at == ';' || *at == '#') continue;
        *ret_at = at;
        *ret_end = end;
        return true;
    }
    return false;
}

/* inih's reader: one line that it cannot misread into `line` of `size` bytes. */
static char *ini_reader_next(char *line, int size, void *stream)
{
    struct ini_reader *reader = stream;
    const char *at, *end;
    size_t most;

    if (size < CONFIG_KEY_MAX + 16) {
        (void)ini_fault(reader, "", "inih was built with lines too short for use");
        return NULL;
    }
    if (reader->announce) {
        reader->announce = false;
        (void)snprintf(line, (size_t)size, PARKED " = " PARKED "\n");
        return line;
    }
    if (!ini_line(reader, &at, &end)) return NULL;
    if (*at == '[') {
        if (ini_header(reader, at, end) < 0) return NULL;
        reader->announce = true;
        (void)snprintf(line, (size_t)size, "[%s]\n",
                       ini_plain(reader->text, INI_SECTION_PLAIN) ? reader->text : PARKED);
        return line;
    }
    if (ini_entry(reader, at, end) < 0) return NULL;
    /* Room for " = ", the line's end and the byte by which inih knows a cut line. */
    most = (size_t)size - strlen(reader->key) - 8;
    (void)snprintf(line, (size_t)size, "%s = %s\n", reader->key,
                   ini_plain(reader->text, most) ? reader->text : PARKED);
    return line;
}

static int ini_handle(void *user, const char *section, const char *name, const char *value)
{
    struct ini_reader *reader = user;
    const struct config_ini_handler *handler = reader->handler;
    const char *text;

    if (reader->status < 0) return 0;
    if (strcmp(name, PARKED) == 0) {
        text = strcmp(section, PARKED) == 0 ? reader->text : section;
        reader->status = handler->section(handler->ctx, text, reader->line);
    } else {
        text = strcmp(value, PARKED) == 0 ? reader->text : value;
        reader->status = handler->entry(handler->ctx, name, text, reader->line);
    }
    return reader->status == 0;
}

int config_ini_read(const char *path, const char *text, size_t length,
                    const struct config_ini_handler *handler, struct trolley_error *error)
{
    struct ini_reader reader = {
        .path = path, .at = text, .end = text + length, .handler = handler, .error = error};
    const size_t size = (length < CONFIG_LINE_MAX ? length : CONFIG_LINE_MAX) + 1;
    int r;

    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) reader.at += 3;
    reader.text = malloc(size);
    if (!reader.text) return error_set(error, TROLLEY_ERR_NOMEM, "%s: out of memory", path);
    r = ini_parse_stream(ini_reader_next, &reader, ini_handle, &reader);
    explicit_bzero(reader.text, size);
    free(reader.text);
    if (reader.status < 0) return reader.status;
    if (r != 0)
        return error_set(error, TROLLEY_ERR_INTERNAL, "%s:%d: inih cannot read this line", path,
                         reader.line);
    return 0;
}
