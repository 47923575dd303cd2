/* SPDX-License-Identifier: MIT */
#include "json_stream.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "text.h"
#include "trolley/types.h"

enum stream_state {
    STREAM_START,  /* before the first bracket */
    STREAM_ITEM,   /* in the array, an object or its end is due */
    STREAM_COMMA,  /* in the array, behind an object */
    STREAM_OBJECT, /* in an object, outside strings and numbers */
    STREAM_STRING,
    STREAM_ESCAPE, /* behind a backslash */
    STREAM_UNICODE,
    STREAM_NUMBER,
    STREAM_END,
    STREAM_BROKEN
};

struct kit_json_stream {
    kit_json_object_fn object;
    void *ctx;
    enum stream_state state;
    bool array, next; /* next: an object must follow the comma */
    struct kit_buffer text;
    size_t token; /* where the string or number being read begins in text */
    unsigned depth, values, hex_digits, hex;
    unsigned byte_order_mark; /* bytes of it seen */
    const char *problem;
};

int kit_json_stream_new(kit_json_object_fn object, void *ctx, struct kit_json_stream **ret_stream)
{
    struct kit_json_stream *stream = calloc(1, sizeof *stream);

    if (!stream) return TROLLEY_ERR_NOMEM;
    stream->object = object;
    stream->ctx = ctx;
    stream->text.cap = KIT_JSON_OBJECT_CAP;
    *ret_stream = stream;
    return 0;
}

void kit_json_stream_free(struct kit_json_stream *stream)
{
    if (!stream) return;
    kit_buffer_free(&stream->text);
    free(stream);
}

static int stream_fail(struct kit_json_stream *stream, int status, const char *problem)
{
    stream->problem = problem;
    return status;
}

static int stream_append(struct kit_json_stream *stream, const char *data, size_t length)
{
    int r = kit_buffer_append(&stream->text, data, length);

    if (r == TROLLEY_ERR_TOO_LARGE) stream->problem = "a JSON object is larger than 16 MiB";
    return r;
}

static bool stream_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* number = [-] int [frac] [exp] [RFC 8259 6] */
static bool stream_number_valid(const char *at)
{
    static const char digits[] = "0123456789";
    size_t n;

    at += *at == '-';
    n = strspn(at, digits);
    if (n == 0 || (n > 1 && *at == '0')) return false;
    at += n;
    if (*at == '.') {
        n = strspn(++at, digits);
        if (n == 0) return false;
        at += n;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        n = strspn(at, digits);
        if (n == 0) return false;
        at += n;
    }
    return *at == '\0';
}

static int stream_end_number(struct kit_json_stream *stream)
{
    stream->state = STREAM_OBJECT;
    if (!stream_number_valid(stream->text.data + stream->token))
        return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "malformed JSON number");
    return stream_append(stream, "\"", 1);
}

static int stream_begin_number(struct kit_json_stream *stream)
{
    static const char mark[] = {'"', KIT_JSON_NUMBER_MARK};

    stream->state = STREAM_NUMBER;
    stream->token = stream->text.length + sizeof mark;
    return stream_append(stream, mark, sizeof mark);
}

static int stream_end_string(struct kit_json_stream *stream)
{
    stream->state = STREAM_OBJECT;
    if (!kit_text_utf8_valid(stream->text.data + stream->token,
                             stream->text.length - stream->token))
        return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "JSON string with invalid UTF-8");
    return stream_append(stream, "\"", 1);
}

static int stream_open(struct kit_json_stream *stream, char bracket)
{
    if (stream->depth == KIT_JSON_OBJECT_DEPTH)
        return stream_fail(stream, TROLLEY_ERR_TOO_LARGE, "JSON nested deeper than 64");
    stream->depth++;
    return stream_append(stream, &bracket, 1);
}

/* A closing bracket; cJSON checks that it is the right one. */
static int stream_close(struct kit_json_stream *stream, char bracket)
{
    int r = stream_append(stream, &bracket, 1);

    if (r < 0 || --stream->depth) return r;
    stream->state = stream->array ? STREAM_COMMA : STREAM_END;
    r = stream->object(stream->ctx, stream->text.data, stream->text.length);
    kit_buffer_reset(&stream->text);
    return r;
}

/* One byte within an object, outside strings and numbers. */
static int stream_structure(struct kit_json_stream *stream, char c)
{
    if (stream_is_space(c)) return 0;
    if (c == '{' || c == '[') return stream_open(stream, c);
    if (c == '}' || c == ']') return stream_close(stream, c);
    if (c == '-' || (c >= '0' && c <= '9')) {
        int r = stream_begin_number(stream);
        return r < 0 ? r : stream_append(stream, &c, 1);
    }
    if (c == '"') {
        stream->state = STREAM_STRING;
        stream->token = stream->text.length + 1;
    } else if (c == ',') {
        if (++stream->values > KIT_JSON_OBJECT_VALUES)
            return stream_fail(stream, TROLLEY_ERR_TOO_LARGE, "JSON object of too many values");
    } else if (c != ':' && (c < 'a' || c > 'z')) {
        return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "malformed JSON");
    }
    return stream_append(stream, &c, 1);
}

/* Takes a run of plain string bytes, or the one byte that ends it. */
static int stream_string(struct kit_json_stream *stream, const char **data, const char *end)
{
    const char *at = *data;
    int r;

    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    r = at > *data ? stream_append(stream, *data, (size_t)(at - *data)) : 0;
    *data = at;
    if (r < 0 || at == end) return r;
    (*data)++;
    if (*at == '"') return stream_end_string(stream);
    if (*at != '\\')
        return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "JSON string with a control character");
    stream->state = STREAM_ESCAPE;
    return stream_append(stream, at, 1);
}

static int stream_escape(struct kit_json_stream *stream, char c)
{
    stream->state = c == 'u' ? STREAM_UNICODE : STREAM_STRING;
    stream->hex_digits = stream->hex = 0;
    if (c == '\0' || !strchr("\"\\/bfnrtu", c))
        return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "malformed JSON escape");
    return stream_append(stream, &c, 1);
}

static int stream_unicode(struct kit_json_stream *stream, char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    if (c == '\0' || !strchr(digits, c))
        return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "malformed JSON escape");
    stream->hex |= (unsigned)(c != '0');
    if (++stream->hex_digits == 4) {
        if (!stream->hex)
            return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "JSON string with \\u0000");
        stream->state = STREAM_STRING;
    }
    return stream_append(stream, &c, 1);
}

/* One byte of the level above the objects. */
static int stream_top(struct kit_json_stream *stream, char c)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    bool item = stream->state == STREAM_START || stream->state == STREAM_ITEM;

    if (stream_is_space(c)) return 0;
    if (stream->state == STREAM_START && stream->byte_order_mark < 3 &&
        c == byte_order_mark[stream->byte_order_mark]) {
        stream->byte_order_mark++;
        return 0;
    }
    if (item && c == '{') {
        stream->state = STREAM_OBJECT;
        stream->next = false;
        stream->values = 0;
        return stream_open(stream, c);
    }
    if (stream->state == STREAM_START && c == '[') {
        stream->state = STREAM_ITEM;
        stream->array = true;
        return 0;
    }
    if (c == ']' && (stream->state == STREAM_ITEM || stream->state == STREAM_COMMA) &&
        !stream->next) {
        stream->state = STREAM_END;
        return 0;
    }
    if (c == ',' && stream->state == STREAM_COMMA) {
        stream->state = STREAM_ITEM;
        stream->next = true;
        return 0;
    }
    return stream_fail(stream, TROLLEY_ERR_PROTOCOL, "not a JSON array of objects");
}

static int stream_step(struct kit_json_stream *stream, const char **data, const char *end)
{
    char c = **data;

    if (stream->state == STREAM_STRING) return stream_string(stream, data, end);
    if (stream->state == STREAM_NUMBER) {
        if (c == '\0' || !strchr("0123456789+-.eE", c)) return stream_end_number(stream);
        (*data)++;
        return stream_append(stream, &c, 1);
    }
    (*data)++;
    switch (stream->state) {
    case STREAM_OBJECT:
        return stream_structure(stream, c);
    case STREAM_ESCAPE:
        return stream_escape(stream, c);
    case STREAM_UNICODE:
        return stream_unicode(stream, c);
    default:
        return stream_top(stream, c);
    }
}

int kit_json_stream_push(struct kit_json_stream *stream, const void *data, size_t length)
{
    const char *at = data;
    const char *end = at + length;
    int r = 0;

    if (stream->state == STREAM_BROKEN) return TROLLEY_ERR_PROTOCOL;
    while (r == 0 && at < end)
        r = stream_step(stream, &at, end);
    if (r < 0) stream->state = STREAM_BROKEN;
    return r;
}

int kit_json_stream_finish(struct kit_json_stream *stream)
{
    if (stream->state == STREAM_END || stream->state == STREAM_START) return 0;
    return stream_fail(stream, TROLLEY_ERR_TRUNCATED, "the JSON text ends too early");
}

const char *kit_json_stream_problem(const struct kit_json_stream *stream)
{
    return stream->problem;
}
