/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/transfer/session.h"

#define URL_SHOWN 1024 /* bytes of a URL in a message */

static bool url_is_http(const char *scheme)
{
    return strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
}

/* One part of a parsed URL; NULL when it has none. curl_free() it. */
static char *url_part(CURLU *parsed, CURLUPart part)
{
    char *text = NULL;

    if (curl_url_get(parsed, part, &text, CURLU_DEFAULT_PORT)) return NULL;
    return text;
}

int transfer_url_check(const char *url)
{
    CURLU *parsed = curl_url();
    char *user = NULL;
    int r = TROLLEY_ERR_INVALID_ARG;

    if (!parsed) return TROLLEY_ERR_NOMEM;
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) goto out;
    if (curl_url_set(parsed, CURLUPART_URL, url, 0)) goto out;
    user = url_part(parsed, CURLUPART_USER);
    if (!user) r = 0;
out:
    curl_free(user);
    curl_url_cleanup(parsed);
    return r;
}

static bool url_part_equal(CURLU *a, CURLU *b, CURLUPart part)
{
    char *one = url_part(a, part), *other = url_part(b, part);
    bool equal = one && other && strcasecmp(one, other) == 0;

    curl_free(one);
    curl_free(other);
    return equal;
}

bool transfer_url_same_origin(const char *a, const char *b)
{
    CURLU *one = curl_url(), *other = curl_url();
    bool same =
        one && other && !curl_url_set(one, CURLUPART_URL, a, 0) &&
        !curl_url_set(other, CURLUPART_URL, b, 0) && url_part_equal(one, other, CURLUPART_SCHEME) &&
        url_part_equal(one, other, CURLUPART_HOST) && url_part_equal(one, other, CURLUPART_PORT);

    curl_url_cleanup(one);
    curl_url_cleanup(other);
    return same;
}

int transfer_url_resolve(const char *base, const char *location, char **ret_url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL, *text = NULL, *url;
    int r = TROLLEY_ERR_NOMEM;

    if (!parsed || curl_url_set(parsed, CURLUPART_URL, base, 0)) goto out;
    r = TROLLEY_ERR_PROTOCOL;
    if (curl_url_set(parsed, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME))
        goto out;
    scheme = url_part(parsed, CURLUPART_SCHEME);
    if (!scheme || !url_is_http(scheme)) goto out;
    r = TROLLEY_ERR_NOMEM;
    if (curl_url_set(parsed, CURLUPART_USER, NULL, 0) ||
        curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0) ||
        curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0) ||
        curl_url_get(parsed, CURLUPART_URL, &text, 0))
        goto out;
    url = strdup(text);
    if (!url) goto out;
    *ret_url = url;
    r = 0;
out:
    curl_free(scheme);
    curl_free(text);
    curl_url_cleanup(parsed);
    return r;
}

/* The names of a query's parameters: "a=1&b=2" gives "?a&b". */
static int url_describe_query(struct kit_buffer *out, const char *query, size_t length)
{
    const char *end = query + length;
    char mark = '?';
    int r = 0;

    while (query < end && r == 0) {
        const char *next = memchr(query, '&', (size_t)(end - query));
        const char *stop = next ? next : end;
        const char *equals = memchr(query, '=', (size_t)(stop - query));

        r = kit_buffer_printf(out, "%c%.*s", mark, (int)((equals ? equals : stop) - query), query);
        mark = '&';
        query = next ? next + 1 : end;
    }
    return r;
}

int transfer_url_describe(struct kit_buffer *out, const char *url, bool values)
{
    const char *authority = strstr(url, "://");
    const char *host = authority ? authority + 3 : url;
    size_t host_length = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', host_length);
    const char *shown = at ? at + 1 : host;
    size_t path = strcspn(shown, values ? "#" : "?#");
    struct kit_buffer text = {0};
    int r;

    r = kit_buffer_printf(&text, "%.*s%.*s", (int)(host - url), url, (int)path, shown);
    if (r == 0 && shown[path] == '?')
        r = url_describe_query(&text, shown + path + 1, strcspn(shown + path + 1, "#"));
    if (r == 0 && text.length > URL_SHOWN)
        r = kit_buffer_printf(out, "%.*s...", URL_SHOWN, text.data);
    else if (r == 0)
        r = kit_buffer_text(out, text.data);
    kit_buffer_free(&text);
    return r;
}

int transfer_url_add_query(char **url, const char *name, const char *value)
{
    struct kit_buffer text = {.cap = (size_t)64 << 10};
    char *escaped_name = curl_easy_escape(NULL, name, 0);
    char *escaped_value = curl_easy_escape(NULL, value, 0);
    size_t length = strcspn(*url, "#");
    int r = TROLLEY_ERR_NOMEM;

    if (!escaped_name || !escaped_value) goto out;
    r = kit_buffer_printf(&text, "%.*s%c%s=%s", (int)length, *url,
                          memchr(*url, '?', length) ? '&' : '?', escaped_name, escaped_value);
    if (r < 0) goto out;
    explicit_bzero(*url, strlen(*url));
    free(*url);
    *url = kit_buffer_take(&text);
out:
    if (escaped_value) explicit_bzero(escaped_value, strlen(escaped_value));
    curl_free(escaped_name);
    curl_free(escaped_value);
    kit_buffer_free(&text);
    return r;
}
