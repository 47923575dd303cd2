/* path_template.c: reading a template. SPDX-License-Identifier: MIT */
#include "path_template.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

#include "path_internal.h"
#include "text.h"

/* A template while it is read. */
struct parser {
    const char *text; /* the whole */
    const struct kit_path_names *names;
    struct kit_buffer *problem;
    struct kit_path_template *made;
    char *put; /* where the next piece's text goes */
};

static const char *const type_names[] = {
    [PATH_NONE] = "none",     [PATH_UPPER] = "upper",   [PATH_SLICE] = "slice",
    [PATH_NUMBER] = "number", [PATH_OFFSET] = "offset", [PATH_DATE] = "date",
    [PATH_TIME] = "time",     [PATH_HASH] = "hash",     [PATH_URLENCODED] = "urlencoded",
    [PATH_MD5] = "md5",       [PATH_RND] = "rnd",       [PATH_UUID] = "uuid",
    [PATH_UID] = "uid",
};

/* "at 7: `{Foo}`: WHAT `about`". Returns INVALID_CONFIG. */
static int fault(const struct parser *parser, const char *at, size_t length, const char *what,
                 const char *about, size_t about_length)
{
    struct kit_buffer *problem = parser->problem;
    int r = 0;

    if (!problem) return TROLLEY_ERR_INVALID_CONFIG;
    r = kit_buffer_printf(problem, "at %zu: ", (size_t)(at - parser->text) + 1);
    if (r == 0 && length) r = kit_buffer_printf(problem, "`%.*s`: ", (int)length, at);
    if (r == 0) r = kit_buffer_text(problem, what);
    if (r == 0 && about) r = kit_buffer_printf(problem, " `%.*s`", (int)about_length, about);
    return r == TROLLEY_ERR_NOMEM ? r : TROLLEY_ERR_INVALID_CONFIG;
}

static const char *keep(struct parser *parser, const char *text, size_t length)
{
    char *kept = parser->put;

    memcpy(kept, text, length);
    kept[length] = '\0';
    parser->put += length + 1;
    return kept;
}

static struct path_piece *add_piece(struct parser *parser, enum path_source source)
{
    struct path_piece *piece = &parser->made->pieces[parser->made->count++];

    piece->source = source;
    return piece;
}

/* ---- what is named ---- */

static bool word_is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* GGGGEEEE, or a keyword. 0 when it is neither. */
static uint32_t read_tag(const struct parser *parser, const char *text, size_t length)
{
    char keyword[128];
    uint32_t tag = 0;
    size_t i;

    for (i = 0; length == 8 && i < length && hex_digit(text[i]) >= 0; i++)
        tag = tag << 4 | (uint32_t)hex_digit(text[i]);
    if (length == 8 && i == 8) return tag;
    if (!parser->names->tag || length == 0 || length >= sizeof keyword) return 0;
    memcpy(keyword, text, length);
    keyword[length] = '\0';
    return parser->names->tag(keyword);
}

static int read_tags(const struct parser *parser, const char *at, size_t whole, const char *name,
                     size_t length, struct path_piece *piece)
{
    while (true) {
        const char *dot = memchr(name, '.', length);
        const size_t part = dot ? (size_t)(dot - name) : length;
        const uint32_t tag = read_tag(parser, name, part);

        if (tag == 0) return fault(parser, at, whole, "unknown keyword or tag", name, part);
        if (piece->depth == KIT_PATH_DEPTH_MAX)
            return fault(parser, at, whole, "too many sequences", NULL, 0);
        piece->tags[piece->depth++] = tag;
        if (!dot) return 0;
        name += part + 1;
        length -= part + 1;
    }
}

static bool read_integer(const char *text, size_t length, int32_t *ret_number)
{
    const bool negative = length > 0 && *text == '-';
    int64_t number = 0;
    size_t i = length > 0 && (*text == '-' || *text == '+');

    if (i == length || length - i > 9) return false;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        number = number * 10 + (text[i] - '0');
    }
    *ret_number = (int32_t)(negative ? -number : number);
    return true;
}

static const char *find_word(const struct parser *parser, const char *name, size_t length)
{
    const char *const *word = parser->names->words;

    for (; word && *word; word++)
        if (word_is(name, length, *word)) return *word;
    return NULL;
}

static int read_name(struct parser *parser, const char *at, size_t whole, const char *name,
                     size_t length, struct path_piece *piece)
{
    const char *open = length ? memchr(name, '[', length) : NULL;
    int32_t index;

    if (length == 0) return fault(parser, at, whole, "names nothing", NULL, 0);
    if (word_is(name, length, "now")) {
        piece->source = PATH_NOW;
    } else if (word_is(name, length, "rnd") || word_is(name, length, "uuid") ||
               word_is(name, length, "uid")) {
        piece->source = PATH_RANDOM;
        piece->type = name[0] == 'r' ? PATH_RND : length == 3 ? PATH_UID : PATH_UUID;
    } else if (find_word(parser, name, length)) {
        piece->source = PATH_WORD;
        piece->text = keep(parser, name, length);
    } else {
        piece->source = PATH_ATTRIBUTE;
        if (open) {
            const size_t digits = (size_t)(name + length - open);

            if (digits < 3 || name[length - 1] != ']' || open[1] == '-' ||
                !read_integer(open + 1, digits - 2, &index))
                return fault(parser, at, whole, "no number of a value, from 0:", open, digits);
            piece->index = (uint32_t)index;
            length = (size_t)(open - name);
        }
        return read_tags(parser, at, whole, name, length, piece);
    }
    return 0;
}

/* ---- types ---- */

static bool read_slice(const char *text, size_t length, struct path_piece *piece)
{
    const char *comma = length ? memchr(text, ',', length) : NULL;
    const size_t first = comma ? (size_t)(comma - text) : length;

    if (!read_integer(text, first, &piece->begin)) return false;
    return !comma || read_integer(comma + 1, length - first - 1, &piece->end);
}

/* What belongs to the type. `argument` NULL when there is none. */
static int read_argument(struct parser *parser, const char *at, size_t whole, const char *argument,
                         size_t length, struct path_piece *piece)
{
    const char *problem = NULL, *pattern = NULL;

    switch (piece->type) {
    case PATH_SLICE:
        if (!argument || !read_slice(argument, length, piece))
            problem = "slice wants BEGIN or BEGIN,END";
        break;
    case PATH_OFFSET:
        if (!argument || !read_integer(argument, length, &piece->begin))
            problem = "offset wants an integer";
        break;
    case PATH_NUMBER:
        pattern = argument ? keep(parser, argument, length) : "#,##0.###";
        problem = path_number_read(pattern, &piece->number);
        break;
    case PATH_DATE:
    case PATH_TIME:
        pattern = piece->type == PATH_DATE ? "yyyyMMdd" : "HHmmss";
        if (argument) pattern = keep(parser, argument, length);
        piece->text = pattern;
        problem = path_date_problem(pattern);
        break;
    default:
        if (argument) problem = "this type takes no argument:";
    }
    if (problem) return fault(parser, at, whole, problem, argument, length);
    return 0;
}

static bool find_type(const char *text, size_t length, enum path_type *ret_type)
{
    size_t i;

    for (i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (word_is(text, length, type_names[i])) {
            *ret_type = (enum path_type)i;
            return true;
        }
    return false;
}

static bool is_random(enum path_type type)
{
    return type == PATH_RND || type == PATH_UUID || type == PATH_UID;
}

/* One placeholder: `whole` bytes from its brace at `at`. */
static int read_placeholder(struct parser *parser, const char *at, size_t whole)
{
    struct path_piece *piece = add_piece(parser, PATH_ATTRIBUTE);
    const char *name = at + 1, *stop = at + whole - 1, *type, *argument;
    const char *comma = memchr(name, ',', whole - 2);
    int r = read_name(parser, at, whole, name, (size_t)((comma ? comma : stop) - name), piece);

    if (r < 0) return r;
    if (comma) {
        type = comma + 1;
        comma = memchr(type, ',', (size_t)(stop - type));
        argument = comma ? comma + 1 : NULL;
        if (!find_type(type, (size_t)((comma ? comma : stop) - type), &piece->type))
            return fault(parser, at, whole, "unknown type", type,
                         (size_t)((comma ? comma : stop) - type));
        r = read_argument(parser, at, whole, argument, argument ? (size_t)(stop - argument) : 0,
                          piece);
        if (r < 0) return r;
    }
    if (piece->source == PATH_NOW && piece->type != PATH_DATE && piece->type != PATH_TIME)
        return fault(parser, at, whole, "now is a date or a time: {now,date,yyyy/MM/dd}", NULL, 0);
    if (piece->source == PATH_RANDOM && !is_random(piece->type))
        return fault(parser, at, whole, "rnd has the types rnd, uuid and uid", NULL, 0);
    if (is_random(piece->type)) piece->source = PATH_RANDOM;
    return 0;
}

/* ---- the whole ---- */

static int read_pieces(struct parser *parser)
{
    const char *at = parser->text;

    while (*at) {
        const size_t plain = strcspn(at, "{}");
        size_t length;
        int r;

        if (plain) add_piece(parser, PATH_LITERAL)->text = keep(parser, at, plain);
        at += plain;
        if (!*at) break;
        if (*at == '}') return fault(parser, at, 1, "closes no placeholder", NULL, 0);
        length = strcspn(at + 1, "{}") + 1;
        if (at[length] != '}')
            return fault(parser, at, length, "the placeholder is not closed", NULL, 0);
        r = read_placeholder(parser, at, length + 1);
        if (r < 0) return r;
        at += length + 1;
    }
    return 0;
}

/* Components that are literal as a whole must name something; where a value has part in one, that
 * is seen when rendering. Slashes within placeholders are a date's. */
static int check_path(const struct parser *parser)
{
    const char *begin = parser->text, *at;
    bool literal = true, braces = false;

    for (at = begin;; at++) {
        const size_t length = (size_t)(at - begin);

        if (*at == '{') braces = true;
        if (braces) literal = false;
        if (*at == '}') braces = false;
        if (*at && (*at != '/' || braces)) continue;
        if (literal && length == 0)
            return fault(parser, at, 0,
                         at == parser->text ? "the path is empty or absolute"
                                            : "an empty component",
                         NULL, 0);
        if (literal && begin[0] == '.' && (length == 1 || (length == 2 && begin[1] == '.')))
            return fault(parser, begin, length, "leads nowhere below the root", NULL, 0);
        if (!*at) return 0;
        begin = at + 1;
        literal = true;
    }
}

static int make_room(struct parser *parser, size_t length)
{
    size_t braces = 0, i;

    for (i = 0; i < length; i++)
        braces += parser->text[i] == '{';
    parser->made = calloc(1, sizeof *parser->made);
    if (!parser->made) return TROLLEY_ERR_NOMEM;
    parser->made->pieces = calloc(2 * braces + 1, sizeof *parser->made->pieces);
    /* Every piece keeps at most its own text and a NUL, a placeholder two of them. */
    parser->made->text = malloc(2 * length + 4);
    parser->put = parser->made->text;
    return parser->made->pieces && parser->made->text ? 0 : TROLLEY_ERR_NOMEM;
}

int kit_path_parse(const char *text, bool path, const struct kit_path_names *names,
                   struct kit_buffer *problem, struct kit_path_template **ret_template)
{
    struct parser parser = {.text = text, .names = names, .problem = problem};
    const size_t length = strlen(text);
    const char *at;
    int r;

    if (length > KIT_PATH_FORMAT_MAX)
        return fault(&parser, text, 0, "longer than 1024 bytes", NULL, 0);
    if (!kit_text_utf8_valid(text, length)) return fault(&parser, text, 0, "not UTF-8", NULL, 0);
    for (at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return fault(&parser, at, 0, "a control character", NULL, 0);
    r = make_room(&parser, length);
    if (r == 0 && path) r = check_path(&parser);
    if (r == 0) r = read_pieces(&parser);
    if (r == 0)
        *ret_template = parser.made;
    else
        kit_path_free(parser.made);
    return r;
}

void kit_path_free(struct kit_path_template *path)
{
    if (!path) return;
    free(path->pieces);
    free(path->text);
    free(path);
}

size_t kit_path_attribute(const struct kit_path_template *path, uint32_t i, const uint32_t **tags)
{
    uint32_t piece;

    for (piece = 0; piece < path->count; piece++)
        if (path->pieces[piece].source == PATH_ATTRIBUTE && i-- == 0) {
            *tags = path->pieces[piece].tags;
            return path->pieces[piece].depth;
        }
    return 0;
}

bool kit_path_uses(const struct kit_path_template *path, const char *word)
{
    uint32_t i;

    for (i = 0; i < path->count; i++) {
        const struct path_piece *piece = &path->pieces[i];

        if (piece->source == PATH_NOW && strcmp(word, "now") == 0) return true;
        if (piece->source == PATH_RANDOM && strcmp(word, "rnd") == 0) return true;
        if (piece->source == PATH_WORD && strcmp(word, piece->text) == 0) return true;
    }
    return false;
}
