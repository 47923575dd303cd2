/* SPDX-License-Identifier: MIT */
#include "core/prefetch/accept.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <kit/media_type.h>

/* A media type as one text: lower layers' names for the same thing are one. */
static const char *accept_plain(const char *type, size_t *length)
{
    static const struct {
        const char *name, *plain;
    } names[] = {{"application/dicom+json", "application/json"},
                 {"application/dicom+xml", "application/xml"},
                 {"text/xml", "application/xml"},
                 {"image/jpg", "image/jpeg"}};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (*length == strlen(names[i].name) && strncasecmp(type, names[i].name, *length) == 0) {
            *length = strlen(names[i].plain);
            return names[i].plain;
        }
    return type;
}

/* The media type at the beginning of `text`, without parameters and blanks. */
static size_t accept_length(const char *text)
{
    return strcspn(text, ";, \t");
}

/* Does one range of Accept cover the type? */
static bool accept_covers(const char *range, size_t range_length, const char *type)
{
    size_t length = accept_length(type), plain_length = range_length;
    const char *plain = accept_plain(range, &plain_length);

    if (range_length == 3 && strncmp(range, "*/*", 3) == 0) return true;
    if (range_length > 2 && range[range_length - 1] == '*')
        return length >= range_length && strncasecmp(range, type, range_length - 1) == 0;
    type = accept_plain(type, &length);
    return length == plain_length && strncasecmp(plain, type, length) == 0;
}

/* The next range of a list: its start, and where the one behind it begins. */
static const char *accept_next(const char **at, size_t *length)
{
    const char *range;
    bool quoted = false;

    *at += strspn(*at, ", \t");
    if (!**at) return NULL;
    range = *at;
    *length = accept_length(range);
    for (; **at && (quoted || **at != ','); (*at)++)
        if (**at == '"') quoted = !quoted;
    return range;
}

static bool accept_html(const struct prefetch_url *url)
{
    const char *at = url->accept, *range;
    size_t length;

    if (strcasestr(url->text, "contentType=text/html") ||
        strcasestr(url->text, "contentType=text%2Fhtml"))
        return true;
    while (at && (range = accept_next(&at, &length)))
        if (accept_covers(range, length, "text/html") && *range != '*') return true;
    return false;
}

bool accept_judge(const struct prefetch_url *url, const char *content_type, char *problem,
                  size_t size)
{
    const bool html = kit_media_type_is(content_type, "text/html") ||
                      kit_media_type_is(content_type, "application/xhtml+xml");
    const char *at = url->accept, *range;
    size_t length;

    if (html && !accept_html(url)) {
        (void)snprintf(problem, size, "an HTML page came (a log-in page?)");
        return false;
    }
    if (!at || !*content_type) return true;
    while ((range = accept_next(&at, &length)))
        if (accept_covers(range, length, content_type)) return true;
    (void)snprintf(problem, size, "%.*s came and not %.120s", (int)accept_length(content_type),
                   content_type, url->accept);
    return false;
}

const char *accept_image(const char *content_type, const void *data, size_t length)
{
    static const struct {
        const char *type, *begin;
        size_t length;
    } images[] = {
        {"image/jpeg", "\xff\xd8\xff", 3}, {"image/png", "\x89PNG", 4}, {"image/gif", "GIF8", 4}};
    size_t i;

    if (!kit_media_type_is(content_type, "image/")) return NULL;
    for (i = 0; i < sizeof images / sizeof images[0]; i++)
        if (length >= images[i].length && memcmp(data, images[i].begin, images[i].length) == 0)
            return images[i].type;
    return NULL;
}
