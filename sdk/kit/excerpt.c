/* SPDX-License-Identifier: MIT */
#include "excerpt.h"

#include "trolley/helpers.h"

bool kit_excerpt_add(struct kit_excerpt *excerpt, const void *data, size_t length)
{
    const char *at = data;
    const char *end = at + length;

    for (; at < end && !excerpt->full; at++) {
        bool line_end = *at == '\n' || *at == '\r' || *at == '\0';

        if (excerpt->length == 0 && (line_end || *at == ' ' || *at == '\t')) continue;
        excerpt->full = line_end || excerpt->length + 1 == sizeof excerpt->text;
        if (excerpt->full) break;
        excerpt->text[excerpt->length++] = *at;
    }
    excerpt->text[excerpt->length] = '\0';
    return excerpt->full;
}

int32_t kit_excerpt_fail(const struct kit_excerpt *excerpt, struct trolley_task *task,
                         const char *url, const char *content_type, const char *wanted)
{
    return trolley_fail(task, TROLLEY_ERR_PROTOCOL,
                        "GET %.*s: the answer is %.100s in place of %s, it begins with \"%s\" "
                        "(check url)",
                        (int)strcspn(url, "?"), url,
                        *content_type ? content_type : "of no media type", wanted, excerpt->text);
}
