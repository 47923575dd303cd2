/* SPDX-License-Identifier: MIT */
#include "excerpt.h"

#include <strings.h>

#include "trolley/helpers.h"

#define EXCERPT_LINE 160  /* most bytes of the first line shown */
#define EXCERPT_TITLE 120 /* and of a title */

bool kit_excerpt_is_html(const struct kit_excerpt *excerpt)
{
    return strncasecmp(excerpt->text, "<!doctype html", 14) == 0 ||
           strncasecmp(excerpt->text, "<html", 5) == 0;
}

/* Whether the line that ends here is all that is wanted; a page's title stands further down. */
static bool excerpt_done(const struct kit_excerpt *excerpt)
{
    return !kit_excerpt_is_html(excerpt) || strcasestr(excerpt->text, "</title");
}

bool kit_excerpt_add(struct kit_excerpt *excerpt, const void *data, size_t length)
{
    const char *at = data;
    const char *end = at + length;

    for (; at < end && !excerpt->full; at++) {
        bool line_end = *at == '\n' || *at == '\r' || *at == '\0';

        if (excerpt->length == 0 && (line_end || *at == ' ' || *at == '\t')) continue;
        excerpt->text[excerpt->length] = '\0';
        excerpt->full =
            excerpt->length + 1 == sizeof excerpt->text || (line_end && excerpt_done(excerpt));
        if (excerpt->full) break;
        excerpt->text[excerpt->length++] = *at ? *at : ' ';
    }
    excerpt->text[excerpt->length] = '\0';
    return excerpt->full;
}

/* An HTML page's title and its length; NULL when it has none. */
static const char *excerpt_title(const struct kit_excerpt *excerpt, int *ret_length)
{
    const char *tag = kit_excerpt_is_html(excerpt) ? strcasestr(excerpt->text, "<title") : NULL;
    const char *text = tag ? strchr(tag, '>') : NULL;
    size_t length;

    if (!text) return NULL;
    text++;
    text += strspn(text, " \t\r\n");
    length = strcspn(text, "<\r\n");
    if (length == 0) return NULL;
    *ret_length = (int)(length < EXCERPT_TITLE ? length : EXCERPT_TITLE);
    return text;
}

int32_t kit_excerpt_fail(const struct kit_excerpt *excerpt, struct trolley_task *task,
                         const char *url, const char *content_type, const char *wanted)
{
    size_t line = strcspn(excerpt->text, "\r\n");
    char title[EXCERPT_TITLE + 32] = "";
    int length;
    const char *text = excerpt_title(excerpt, &length);

    if (text) (void)snprintf(title, sizeof title, ", its title is \"%.*s\"", length, text);
    return trolley_fail(task, TROLLEY_ERR_PROTOCOL,
                        "GET %.*s: the answer is %.100s in place of %s%s, it begins with \"%.*s\" "
                        "(check url)",
                        (int)strcspn(url, "?"), url,
                        *content_type ? content_type : "of no media type", wanted, title,
                        (int)(line < EXCERPT_LINE ? line : EXCERPT_LINE), excerpt->text);
}
