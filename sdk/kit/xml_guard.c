/* SPDX-License-Identifier: MIT */
#include "xml_guard.h"

#include <stdbool.h>
#include <string.h>

#include "trolley/types.h"

static int guard_fail(struct xml_guard *guard, int status, const char *problem)
{
    guard->problem = problem;
    return status;
}

/* A byte order mark, then white space or '<': all else is no XML, or none in UTF-8. */
static int guard_start(struct xml_guard *guard, const char **at)
{
    static const char mark[] = "\xef\xbb\xbf";
    char c = **at;

    if (guard->opened < 3 && c == mark[guard->opened]) {
        guard->opened++;
        (*at)++;
        return 0;
    }
    if (c != '<' && !(c != '\0' && strchr(" \t\r\n", c)))
        return guard_fail(guard, TROLLEY_ERR_PROTOCOL, "not an XML document in UTF-8");
    guard->state = GUARD_TEXT;
    return 0;
}

static int guard_text(struct xml_guard *guard, const char **at, const char *end)
{
    const char *open = memchr(*at, '<', (size_t)(end - *at));

    if (!open) {
        *at = end;
        return 0;
    }
    *at = open + 1;
    guard->state = GUARD_OPEN;
    guard->markup = 1;
    guard->attributes = 0;
    guard->opened = 0;
    memset(guard->last, 0, sizeof guard->last);
    return 0;
}

/* Markup grew by n bytes. */
static int guard_grow(struct xml_guard *guard, size_t n)
{
    if (n > guard->limits->markup_size - guard->markup)
        return guard_fail(guard, TROLLEY_ERR_TOO_LARGE, "a tag or comment is too long");
    guard->markup += (uint32_t)n;
    return 0;
}

static int guard_open(struct xml_guard *guard, const char **at)
{
    char c = **at;

    if (c == '!' || c == '?') {
        (*at)++;
        guard->state = c == '!' ? GUARD_BANG : GUARD_PI;
        return guard_grow(guard, 1);
    }
    guard->state = GUARD_TAG;
    return 0;
}

/* One "<!": the bytes behind it decide. */
static int guard_bang(struct xml_guard *guard, const char **at)
{
    guard->opening[guard->opened++] = *(*at)++;
    if (memcmp(guard->opening, "--", guard->opened < 2 ? guard->opened : 2) == 0) {
        if (guard->opened == 2) guard->state = GUARD_COMMENT;
    } else if (memcmp(guard->opening, "[CDATA[", guard->opened) == 0) {
        if (guard->opened == 7) guard->state = GUARD_CDATA;
    } else if (guard->opening[0] == 'D') {
        return guard_fail(guard, TROLLEY_ERR_PROTOCOL,
                          "a document type declaration, which is refused (entities, external "
                          "references)");
    } else {
        return guard_fail(guard, TROLLEY_ERR_PROTOCOL, "a declaration that does not belong here");
    }
    return guard_grow(guard, 1);
}

static int guard_tag(struct xml_guard *guard, const char **at, const char *end)
{
    const char *from = *at;
    const char *p = from;

    while (p < end && *p != '>' && *p != '"' && *p != '\'' && *p != '<')
        p++;
    *at = p;
    if (p == end) return guard_grow(guard, (size_t)(p - from));
    if (*p == '<') return guard_fail(guard, TROLLEY_ERR_PROTOCOL, "'<' within a tag");
    *at = p + 1;
    if (*p == '>') {
        guard->state = GUARD_TEXT;
        return guard_grow(guard, (size_t)(p + 1 - from));
    }
    if (++guard->attributes > guard->limits->attributes)
        return guard_fail(guard, TROLLEY_ERR_TOO_LARGE, "an element has too many attributes");
    guard->quote = *p;
    guard->value = 0;
    guard->state = GUARD_QUOTED;
    return guard_grow(guard, (size_t)(p + 1 - from));
}

static int guard_quoted(struct xml_guard *guard, const char **at, const char *end)
{
    const char *from = *at;
    const char *close = memchr(from, guard->quote, (size_t)(end - from));
    size_t n = (size_t)((close ? close : end) - from);

    if (n > guard->limits->attribute_size - guard->value)
        return guard_fail(guard, TROLLEY_ERR_TOO_LARGE, "an attribute's value is too long");
    guard->value += (uint32_t)n;
    *at = from + n;
    if (close) {
        (*at)++;
        n++;
        guard->state = GUARD_TAG;
    }
    return guard_grow(guard, n);
}

/* Whether `c` behind the two bytes before it ends what is being skipped. */
static bool guard_ends(const struct xml_guard *guard, char c)
{
    const char *last = guard->last;

    if (c != '>') return false;
    if (guard->state == GUARD_PI) return last[1] == '?';
    return guard->state == GUARD_COMMENT ? last[0] == '-' && last[1] == '-'
                                         : last[0] == ']' && last[1] == ']';
}

/* Comments, CDATA sections and processing instructions. */
static int guard_skip(struct xml_guard *guard, const char **at, const char *end)
{
    const char *from = *at;
    const char *p = from;
    bool done = false;

    for (; p < end && !done; p++) {
        done = guard_ends(guard, *p);
        guard->last[0] = guard->last[1];
        guard->last[1] = *p;
    }
    *at = p;
    if (done) guard->state = GUARD_TEXT;
    return guard_grow(guard, (size_t)(p - from));
}

int xml_guard_step(struct xml_guard *guard, const char **at, const char *end)
{
    switch (guard->state) {
    case GUARD_START:
        return guard_start(guard, at);
    case GUARD_TEXT:
        return guard_text(guard, at, end);
    case GUARD_OPEN:
        return guard_open(guard, at);
    case GUARD_TAG:
        return guard_tag(guard, at, end);
    case GUARD_QUOTED:
        return guard_quoted(guard, at, end);
    case GUARD_BANG:
        return guard_bang(guard, at);
    default:
        return guard_skip(guard, at, end);
    }
}
