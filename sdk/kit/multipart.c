/* SPDX-License-Identifier: MIT */
#include "multipart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "trolley/types.h"

/* White space that may stand between a delimiter and its CRLF [RFC 2046 5.1.1]. Much longer runs
 * are data. */
#define MULTIPART_PADDING_MAX 64
#define MULTIPART_MARK_MAX (4 + KIT_MULTIPART_BOUNDARY_MAX)

enum multipart_state {
    MULTIPART_PREAMBLE,
    MULTIPART_HEADERS,
    MULTIPART_DATA,
    MULTIPART_EPILOGUE,
    MULTIPART_BROKEN
};

struct kit_multipart {
    struct kit_multipart_handler handler;
    enum multipart_state state;
    char mark[MULTIPART_MARK_MAX]; /* CRLF "--" boundary */
    size_t mark_length;
    /* Bytes that may be a delimiter and what follows it; the first `implied` of them are the line
     * end that came before this part of the stream and are no data. */
    char held[MULTIPART_MARK_MAX + MULTIPART_PADDING_MAX + 2];
    size_t held_length, implied;
    struct kit_buffer headers; /* as read; once complete: "name\0value\0..." */
    size_t line;               /* where the header line being read begins */
    uint64_t parts, received;  /* received: bytes of the open part */
};

static bool multipart_boundary_valid(const char *boundary)
{
    size_t length = strlen(boundary);

    if (length == 0 || length > KIT_MULTIPART_BOUNDARY_MAX || boundary[length - 1] == ' ')
        return false;
    for (; *boundary; boundary++)
        if ((unsigned char)*boundary < 0x20 || *boundary == 0x7f) return false;
    return true;
}

/* The line end before a first line: a delimiter there needs no CRLF of its own. */
static void multipart_imply_line_end(struct kit_multipart *multipart)
{
    memcpy(multipart->held, "\r\n", 2);
    multipart->held_length = multipart->implied = 2;
}

int kit_multipart_new(const char *boundary, const struct kit_multipart_handler *handler,
                      struct kit_multipart **ret_multipart)
{
    struct kit_multipart *multipart;
    size_t length = strlen(boundary);

    if (!multipart_boundary_valid(boundary)) return TROLLEY_ERR_PROTOCOL;
    multipart = calloc(1, sizeof *multipart);
    if (!multipart) return TROLLEY_ERR_NOMEM;
    multipart->handler = *handler;
    multipart->headers.cap = KIT_MULTIPART_HEADER_CAP;
    memcpy(multipart->mark, "\r\n--", 4);
    memcpy(multipart->mark + 4, boundary, length);
    multipart->mark_length = 4 + length;
    multipart_imply_line_end(multipart);
    *ret_multipart = multipart;
    return 0;
}

void kit_multipart_free(struct kit_multipart *multipart)
{
    if (!multipart) return;
    kit_buffer_free(&multipart->headers);
    free(multipart);
}

/* ---- header block ---- */

/* Turns one unfolded line of the block, at `line`, into name NUL value NUL. */
static int multipart_split_line(char *line, char *end)
{
    char *colon = memchr(line, ':', (size_t)(end - line));
    char *stop = end, *value;

    if (!colon || colon == line || memchr(line, '\0', (size_t)(end - line)))
        return TROLLEY_ERR_PROTOCOL;
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (stop > value && strchr(" \t\r\n", stop[-1]))
        stop--;
    *colon++ = '\0';
    memmove(colon, value, (size_t)(stop - value));
    /* What is left of the line must not read as a field. */
    colon += stop - value;
    memset(colon, '\0', (size_t)(end - colon));
    return 0;
}

/* Reads the complete block: continuation lines are joined, every line becomes a name and a value.
 */
static int multipart_read_headers(struct kit_multipart *multipart)
{
    char *at = multipart->headers.data;
    char *end = at + multipart->headers.length;

    while (at < end) {
        char *next = memchr(at, '\n', (size_t)(end - at));

        while (next && next + 1 < end && (next[1] == ' ' || next[1] == '\t')) {
            next[0] = ' ';
            if (next > at && next[-1] == '\r') next[-1] = ' ';
            next = memchr(next, '\n', (size_t)(end - next));
        }
        if (!next) return TROLLEY_ERR_PROTOCOL;
        if (next > at && next[-1] == '\r') next[-1] = ' ';
        if (multipart_split_line(at, next) < 0) return TROLLEY_ERR_PROTOCOL;
        *next = '\0';
        at = next + 1;
    }
    return 0;
}

static int multipart_begin_part(struct kit_multipart *multipart)
{
    int r = multipart_read_headers(multipart);

    if (r < 0) return r;
    multipart->state = MULTIPART_DATA;
    multipart->received = 0;
    multipart->parts++;
    multipart_imply_line_end(multipart);
    return multipart->handler.part_begin(multipart->handler.ctx, multipart);
}

/* Takes lines of the header block up to the empty one. */
static int multipart_take_headers(struct kit_multipart *multipart, const char **data,
                                  const char *end)
{
    struct kit_buffer *headers = &multipart->headers;

    while (*data < end) {
        const char *newline = memchr(*data, '\n', (size_t)(end - *data));
        const char *stop = newline ? newline + 1 : end;
        const char *line;
        int r = kit_buffer_append(headers, *data, (size_t)(stop - *data));

        if (r < 0) return r;
        *data = stop;
        if (!newline) return 0;
        line = headers->data + multipart->line;
        if (line[0] == '\n' || (line[0] == '\r' && line[1] == '\n')) {
            headers->length = multipart->line;
            return multipart_begin_part(multipart);
        }
        multipart->line = headers->length;
    }
    return 0;
}

const char *kit_multipart_header(const struct kit_multipart *multipart, const char *name)
{
    const char *at = multipart->headers.data;
    const char *end = at + multipart->headers.length;

    if (multipart->state != MULTIPART_DATA) return NULL;
    while (at && at < end) {
        const char *value = at + strlen(at) + 1;

        if (strcasecmp(at, name) == 0) return value;
        at = value < end ? value + strlen(value) : end;
        while (at < end && *at == '\0')
            at++;
    }
    return NULL;
}

int64_t kit_multipart_length(const struct kit_multipart *multipart)
{
    const char *text = kit_multipart_header(multipart, "Content-Length");
    char *end = NULL;
    long long length;

    if (!text || *text < '0' || *text > '9') return -1;
    errno = 0;
    length = strtoll(text, &end, 10);
    return errno || *end ? -1 : (int64_t)length;
}

/* ---- data and delimiters ---- */

static int multipart_give(struct kit_multipart *multipart, const void *data, size_t length)
{
    if (multipart->state != MULTIPART_DATA || length == 0) return 0;
    multipart->received += length;
    return multipart->handler.part_data(multipart->handler.ctx, data, length);
}

/* The held bytes are no delimiter. */
static int multipart_release(struct kit_multipart *multipart)
{
    size_t implied = multipart->implied, length = multipart->held_length;

    multipart->held_length = multipart->implied = 0;
    return multipart_give(multipart, multipart->held + implied, length - implied);
}

/* The held bytes are a delimiter. */
static int multipart_delimiter(struct kit_multipart *multipart, bool closing)
{
    bool part = multipart->state == MULTIPART_DATA;

    multipart->held_length = multipart->implied = 0;
    multipart->state = closing ? MULTIPART_EPILOGUE : MULTIPART_HEADERS;
    kit_buffer_reset(&multipart->headers);
    multipart->line = 0;
    return part ? multipart->handler.part_end(multipart->handler.ctx) : 0;
}

enum multipart_fit { FIT_NO, FIT_MORE, FIT_DELIMITER, FIT_CLOSING };

/* How `c` fits behind the held bytes. */
static enum multipart_fit multipart_fits(const struct kit_multipart *multipart, char c)
{
    size_t at = multipart->held_length;
    char last;

    if (at < multipart->mark_length) return c == multipart->mark[at] ? FIT_MORE : FIT_NO;
    last = multipart->held[at - 1];
    if (at > multipart->mark_length && last == '\r') return c == '\n' ? FIT_DELIMITER : FIT_NO;
    if (at > multipart->mark_length && last == '-') return c == '-' ? FIT_CLOSING : FIT_NO;
    if (c == '\r') return FIT_MORE;
    if (c == '-' && at == multipart->mark_length) return FIT_MORE;
    if ((c == ' ' || c == '\t') && at - multipart->mark_length < MULTIPART_PADDING_MAX)
        return FIT_MORE;
    return FIT_NO;
}

/*
 * One byte behind held ones. A mismatch makes them data but for a CR at their end, which may begin
 * a delimiter of its own; the byte itself is then looked at again (*data stays). Only the CR that
 * waits for its LF behind a mark can stand there: a boundary holds none.
 */
static int multipart_extend(struct kit_multipart *multipart, const char **data)
{
    enum multipart_fit fit = multipart_fits(multipart, **data);
    bool again;
    int r;

    if (fit == FIT_MORE) multipart->held[multipart->held_length++] = *(*data)++;
    if (fit == FIT_MORE) return 0;
    if (fit != FIT_NO) {
        (*data)++;
        return multipart_delimiter(multipart, fit == FIT_CLOSING);
    }
    again = multipart->held_length > multipart->mark_length &&
            multipart->held[multipart->held_length - 1] == '\r';
    if (again) multipart->held_length--;
    r = multipart_release(multipart);
    if (again) multipart->held[multipart->held_length++] = '\r';
    return r;
}

/* With nothing held: hands on what is data for sure and holds back what may be a delimiter. */
static int multipart_scan(struct kit_multipart *multipart, const char **data, const char *end)
{
    const char *begin = *data;
    const char *stop =
        memmem(begin, (size_t)(end - begin), multipart->mark, multipart->mark_length);
    size_t tail = (size_t)(end - begin), held;

    if (!stop) {
        if (tail > multipart->mark_length - 1) tail = multipart->mark_length - 1;
        stop = memrchr(end - tail, '\r', tail);
        if (stop && memcmp(stop, multipart->mark, (size_t)(end - stop)) != 0) stop = NULL;
    }
    if (!stop) stop = end;
    held = (size_t)(end - stop);
    if (held > multipart->mark_length) held = multipart->mark_length;
    memcpy(multipart->held, stop, held);
    multipart->held_length = held;
    *data = stop + held;
    return multipart_give(multipart, begin, (size_t)(stop - begin));
}

int kit_multipart_push(struct kit_multipart *multipart, const void *data, size_t length)
{
    const char *at = data;
    const char *end = at + length;
    int r = 0;

    if (multipart->state == MULTIPART_BROKEN) return TROLLEY_ERR_PROTOCOL;
    while (r == 0 && at < end && multipart->state != MULTIPART_EPILOGUE) {
        if (multipart->state == MULTIPART_HEADERS)
            r = multipart_take_headers(multipart, &at, end);
        else if (multipart->held_length)
            r = multipart_extend(multipart, &at);
        else
            r = multipart_scan(multipart, &at, end);
    }
    if (r < 0) multipart->state = MULTIPART_BROKEN;
    return r;
}

/* Ends the open part when its own length says that all of it has come. */
static int multipart_prove(struct kit_multipart *multipart)
{
    int64_t length = kit_multipart_length(multipart);
    uint64_t held = multipart->held_length - multipart->implied;
    int r = 0;

    if (length < 0) return 0;
    if (multipart->received + held == (uint64_t)length) r = multipart_release(multipart);
    if (r == 0 && multipart->received == (uint64_t)length) r = multipart_delimiter(multipart, true);
    return r;
}

int kit_multipart_finish(struct kit_multipart *multipart)
{
    int r = 0;

    if (multipart->state == MULTIPART_EPILOGUE) return 0;
    if (multipart->state == MULTIPART_DATA) r = multipart_prove(multipart);
    multipart->state = MULTIPART_BROKEN;
    return r < 0 ? r : TROLLEY_ERR_TRUNCATED;
}

uint64_t kit_multipart_parts(const struct kit_multipart *multipart)
{
    return multipart->parts;
}

bool kit_multipart_closed(const struct kit_multipart *multipart)
{
    return multipart->state == MULTIPART_EPILOGUE;
}
