/* SPDX-License-Identifier: MIT */
#include "url.h"

#include <string.h>

static const char url_unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";

static const char url_query_keep[] = "/:@,*?";

int kit_url_encode(struct kit_buffer *out, const char *text, const char *keep)
{
    int r = kit_buffer_append(out, "", 0);

    for (; r == 0 && *text; text++) {
        if (strchr(url_unreserved, *text) || strchr(keep, *text))
            r = kit_buffer_append(out, text, 1);
        else
            r = kit_buffer_printf(out, "%%%02X", (unsigned char)*text);
    }
    return r;
}

int kit_url_join(struct kit_buffer *out, const char *base, const char *path)
{
    size_t length = strcspn(base, "?#");
    const char *query = base + length;
    int r;

    while (length && base[length - 1] == '/')
        length--;
    r = kit_buffer_append(out, base, length);
    if (r == 0) r = kit_buffer_text(out, path);
    if (r == 0 && *query == '?') r = kit_buffer_append(out, query, strcspn(query, "#"));
    return r;
}

int kit_url_query(struct kit_buffer *out, const char *name, const char *value)
{
    const char *mark = out->length ? memchr(out->data, '?', out->length) : NULL;
    int r = kit_buffer_text(out, mark ? "&" : "?");

    if (r == 0) r = kit_url_encode(out, name, url_query_keep);
    if (r == 0) r = kit_buffer_text(out, "=");
    if (r == 0) r = kit_url_encode(out, value, url_query_keep);
    return r;
}

bool kit_url_query_keeps(char c)
{
    return c && (strchr(url_unreserved, c) || strchr(url_query_keep, c));
}
