/* SPDX-License-Identifier: MIT */
#include "core/cli/refs.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kit/buffer.h>
#include <kit/text.h>
#include <kit/uid.h>

#include "core/cli/exit.h"
#include "core/cli/message.h"

#define REFS_RECORD_MAX ((size_t)1 << 20)
#define REFS_CELLS_MAX 4096
#define REFS_WAIT 200 /* milliseconds between looks for a signal */
#define REFS_END (-1) /* of refs_byte; never a byte */

static const char *const refs_keywords[] = {"StudyInstanceUID", "SeriesInstanceUID",
                                            "SOPInstanceUID"};

struct refs {
    int fd;
    char *name; /* for messages */
    unsigned char chunk[65536];
    size_t at, filled;
    bool ended, cancelled;
    int read_error; /* errno */
    int status;     /* of the first failure */
    enum { REFS_UNKNOWN, REFS_CSV, REFS_JSONL } form;
    uint64_t line;            /* of the record in hand, from 1 */
    uint64_t newlines;        /* read so far */
    struct kit_buffer record; /* a line, or the cells of a row, each with a NUL behind it */
    size_t cells;
    size_t columns; /* of the header row */
    int place[3];   /* the column of each keyword, -1 for none */
    char uids[3][KIT_UID_MAX + 1];
};

__attribute__((format(printf, 4, 5))) static int
refs_fail(struct refs *refs, struct trolley_error *error, int status, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return cli_fail(error, status, "%s, line %llu: %s", refs->name, (unsigned long long)refs->line,
                    text);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* Waits for bytes, but not past a signal, which another thread may have got. */
static bool refs_wait(struct refs *refs)
{
    struct pollfd ready = {.fd = refs->fd, .events = POLLIN};

    while (!exit_signalled())
        if (poll(&ready, 1, REFS_WAIT) > 0) return true;
    refs->cancelled = true;
    return false;
}

static bool refs_fill(struct refs *refs)
{
    ssize_t n;

    if (refs->ended) return false;
    do
        n = refs_wait(refs) ? read(refs->fd, refs->chunk, sizeof refs->chunk) : 0;
    while (n < 0 && errno == EINTR);
    if (n < 0) refs->read_error = errno;
    refs->ended = n <= 0;
    refs->at = 0;
    refs->filled = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static int refs_peek(struct refs *refs)
{
    return refs->at < refs->filled || refs_fill(refs) ? refs->chunk[refs->at] : REFS_END;
}

static int refs_byte(struct refs *refs)
{
    int byte = refs_peek(refs);

    if (byte == REFS_END) return byte;
    refs->at++;
    refs->newlines += byte == '\n';
    return byte;
}

static int refs_keep(struct refs *refs, int byte, struct trolley_error *error)
{
    char c = (char)byte;
    int r;

    if (byte == 0) return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "a NUL byte");
    r = kit_buffer_append(&refs->record, &c, 1);
    return r < 0 ? refs_fail(refs, error, r, "longer than 1 MiB, or out of memory") : 0;
}

/* ---- csv ------------------------------------------------------------------------------------ */

static int csv_cell_end(struct refs *refs, struct trolley_error *error)
{
    int r;

    if (refs->cells == REFS_CELLS_MAX)
        return refs_fail(refs, error, TROLLEY_ERR_TOO_LARGE, "more than %d cells", REFS_CELLS_MAX);
    r = kit_buffer_append(&refs->record, "", 1);
    if (r < 0) return refs_fail(refs, error, r, "longer than 1 MiB, or out of memory");
    refs->cells++;
    return 0;
}

/* The inside of a quoted cell, up to behind its closing quote. */
static int csv_quoted(struct refs *refs, struct trolley_error *error)
{
    for (;;) {
        int r, byte = refs_byte(refs);

        if (byte == REFS_END)
            return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "a quoted cell has no end");
        if (byte == '"' && refs_peek(refs) != '"') return 0;
        if (byte == '"') (void)refs_byte(refs);
        r = refs_keep(refs, byte, error);
        if (r < 0) return r;
    }
}

/* One cell; *ret_end: what ended it: ',', '\n' or REFS_END. */
static int csv_read_cell(struct refs *refs, int *ret_end, struct trolley_error *error)
{
    bool quoted = refs_peek(refs) == '"';
    int r = 0;

    if (quoted) {
        (void)refs_byte(refs);
        r = csv_quoted(refs, error);
    }
    while (r == 0) {
        int byte = refs_byte(refs);

        if (byte == '\r' && refs_peek(refs) == '\n') byte = refs_byte(refs);
        if (byte == ',' || byte == '\n' || byte == REFS_END) {
            *ret_end = byte;
            return csv_cell_end(refs, error);
        }
        if (quoted)
            return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG,
                             "a quoted cell goes on behind its closing quote");
        r = refs_keep(refs, byte, error);
    }
    return r;
}

/* One row into refs->record. Returns 1, 0 at the end, or a negative status. Empty lines are passed
 * over. */
static int csv_read_row(struct refs *refs, struct trolley_error *error)
{
    int end = 0, r = 0;

    do {
        refs->line = refs->newlines + 1;
        if (refs_peek(refs) == REFS_END) return 0;
        kit_buffer_reset(&refs->record);
        refs->cells = 0;
        do
            r = csv_read_cell(refs, &end, error);
        while (r == 0 && end == ',');
    } while (r == 0 && refs->cells == 1 && refs->record.length == 1);
    if (r < 0) return r;
    if (!kit_text_utf8_valid(refs->record.data, refs->record.length))
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "not UTF-8");
    return 1;
}

/* Cell i of the row in hand, which has it. */
static const char *csv_cell_at(const struct refs *refs, int i)
{
    const char *cell = refs->record.data;

    for (; i > 0; i--)
        cell += strlen(cell) + 1;
    return cell;
}

static int csv_read_header(struct refs *refs, struct trolley_error *error)
{
    int r = csv_read_row(refs, error);
    size_t i;
    int k;

    if (r <= 0) return r;
    refs->columns = refs->cells;
    for (k = 0; k < 3; k++)
        refs->place[k] = -1;
    for (i = 0; i < refs->cells; i++)
        for (k = 0; k < 3; k++) {
            if (strcmp(csv_cell_at(refs, (int)i), refs_keywords[k]) != 0) continue;
            if (refs->place[k] >= 0)
                return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "two columns %s",
                                 refs_keywords[k]);
            refs->place[k] = (int)i;
        }
    if (refs->place[0] < 0)
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG,
                         "no column StudyInstanceUID; the first row names the columns");
    return 1;
}

/* ---- references ----------------------------------------------------------------------------- */

/* Takes the text of UID k, NULL for none: trimmed and checked. */
static int refs_take(struct refs *refs, int k, const char *text, struct trolley_error *error)
{
    size_t length;

    refs->uids[k][0] = '\0';
    if (!text) return 0;
    text += strspn(text, " \t");
    length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    if (length > KIT_UID_MAX)
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "%s is longer than %d characters",
                         refs_keywords[k], KIT_UID_MAX);
    memcpy(refs->uids[k], text, length);
    refs->uids[k][length] = '\0';
    if (length > 0 && !kit_uid_valid(refs->uids[k]))
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "%s is no UID: %s", refs_keywords[k],
                         refs->uids[k]);
    return 0;
}

/* The reference of the UIDs taken: each level needs the one above. */
static int refs_make(struct refs *refs, struct trolley_ref *ref, struct trolley_error *error)
{
    int k, deepest = -1;

    for (k = 0; k < 3; k++)
        if (refs->uids[k][0]) deepest = k;
    for (k = 0; k <= deepest || k == 0; k++)
        if (!refs->uids[k][0])
            return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "no %s", refs_keywords[k]);
    *ref = (struct trolley_ref){
        .size = sizeof *ref,
        .level = (uint32_t)deepest + TROLLEY_LEVEL_STUDY,
        .study = refs->uids[0],
        .series = deepest >= 1 ? refs->uids[1] : NULL,
        .instance = deepest >= 2 ? refs->uids[2] : NULL,
    };
    return 1;
}

static int csv_next(struct refs *refs, struct trolley_ref *ref, struct trolley_error *error)
{
    int k, r;

    if (refs->columns == 0) {
        r = csv_read_header(refs, error);
        if (r <= 0) return r;
    }
    r = csv_read_row(refs, error);
    if (r <= 0) return r;
    if (refs->cells != refs->columns)
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG,
                         "%zu cells where the header row has %zu", refs->cells, refs->columns);
    for (k = 0; k < 3; k++) {
        const char *cell = refs->place[k] >= 0 ? csv_cell_at(refs, refs->place[k]) : NULL;

        r = refs_take(refs, k, cell, error);
        if (r < 0) return r;
    }
    return refs_make(refs, ref, error);
}

/* ---- JSON lines ----------------------------------------------------------------------------- */

/* One line that is not blank into refs->record. As csv_read_row. */
static int jsonl_read_line(struct refs *refs, struct trolley_error *error)
{
    bool blank = true;

    while (blank) {
        int r = 0, byte;

        refs->line = refs->newlines + 1;
        if (refs_peek(refs) == REFS_END) return 0;
        kit_buffer_reset(&refs->record);
        while (r == 0 && (byte = refs_byte(refs)) != '\n' && byte != REFS_END) {
            blank = blank && strchr(" \t\r", byte) && byte;
            r = refs_keep(refs, byte, error);
        }
        if (r < 0) return r;
    }
    if (!kit_text_utf8_valid(refs->record.data, refs->record.length))
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "not UTF-8");
    return 1;
}

static int jsonl_take(struct refs *refs, const cJSON *object, struct trolley_error *error)
{
    int k, r = 0;

    for (k = 0; r == 0 && k < 3; k++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, refs_keywords[k]);

        if (item && !cJSON_IsNull(item) && !cJSON_IsString(item))
            return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "%s is no text",
                             refs_keywords[k]);
        r = refs_take(refs, k, cJSON_GetStringValue(item), error);
    }
    return r;
}

static int jsonl_next(struct refs *refs, struct trolley_ref *ref, struct trolley_error *error)
{
    int r = jsonl_read_line(refs, error);
    cJSON *object;

    if (r <= 0) return r;
    /* cJSON would end the text there, and a cut UID means another object. */
    if (strstr(refs->record.data, "\\u0000"))
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "a NUL character");
    object = cJSON_ParseWithOpts(refs->record.data, NULL, 1);
    if (!cJSON_IsObject(object))
        r = refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG, "no JSON object");
    else
        r = jsonl_take(refs, object, error);
    cJSON_Delete(object);
    return r < 0 ? r : refs_make(refs, ref, error);
}

/* ---- the list ------------------------------------------------------------------------------- */

/* Passes a byte order mark and white space over; the next character tells the form. */
static int refs_detect(struct refs *refs, struct trolley_error *error)
{
    int byte = refs_peek(refs);

    refs->line = 1;
    if (byte == 0xef && refs->filled - refs->at >= 3 &&
        memcmp(refs->chunk + refs->at, "\xef\xbb\xbf", 3) == 0)
        refs->at += 3;
    while ((byte = refs_peek(refs)) == ' ' || byte == '\t' || byte == '\r' || byte == '\n')
        (void)refs_byte(refs);
    refs->line = refs->newlines + 1;
    if (byte == '[')
        return refs_fail(refs, error, TROLLEY_ERR_INVALID_ARG,
                         "a JSON array; make the list with --format jsonl");
    refs->form = byte == '{' ? REFS_JSONL : REFS_CSV;
    return 0;
}

int refs_open(const char *path, struct refs **ret_refs, struct trolley_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    struct refs *refs = calloc(1, sizeof *refs);

    if (!refs) return cli_no_memory(error);
    refs->record.cap = REFS_RECORD_MAX;
    refs->name = strdup(standard ? "standard input" : path);
    refs->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (!refs->name || refs->fd < 0) {
        int r = refs->name ? cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--from %s: %s", path,
                                      strerror(errno))
                           : cli_no_memory(error);
        refs_close(refs);
        return r;
    }
    *ret_refs = refs;
    return 0;
}

void refs_close(struct refs *refs)
{
    if (!refs) return;
    if (refs->fd > STDIN_FILENO) close(refs->fd);
    kit_buffer_free(&refs->record);
    free(refs->name);
    free(refs);
}

int refs_next(void *ctx, struct trolley_ref *ref, struct trolley_error *error)
{
    struct refs *refs = ctx;
    int r = 0;

    if (refs->status < 0) return cli_fail(error, refs->status, "%s: read failed", refs->name);
    if (refs->form == REFS_UNKNOWN) r = refs_detect(refs, error);
    if (r == 0)
        r = refs->form == REFS_CSV ? csv_next(refs, ref, error) : jsonl_next(refs, ref, error);
    if (refs->cancelled)
        r = cli_fail(error, TROLLEY_ERR_CANCELLED, "%s: interrupted", refs->name);
    else if (r >= 0 && refs->read_error)
        r = cli_fail(error, TROLLEY_ERR_IO, "%s: %s", refs->name, strerror(refs->read_error));
    if (r < 0) refs->status = r;
    return r;
}

bool refs_failed(const struct refs *refs)
{
    return refs->status < 0 && !refs->cancelled;
}
