/* texts.c: values with a grammar of their own. SPDX-License-Identifier: MIT */
#include <kit/text.h>
#include <string.h>
#include <strings.h>

#include "core/config/values.h"
#include "core/model/error.h"

#define TEXTS_AE_MAX 16 /* PS3.5 6.2 */

static bool texts_port(const char *at, const char *end)
{
    unsigned port = 0;

    if (at == end) return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9') return false;
        port = port * 10 + (unsigned)(*at - '0');
        if (port > 65535) return false;
    }
    return port > 0;
}

/* host[:port] or [address][:port]. */
static bool texts_host(const char *at, const char *end)
{
    const char *host_end;

    if (at < end && *at == '[') {
        host_end = memchr(at, ']', (size_t)(end - at));
        if (!host_end || host_end == at + 1) return false;
        host_end++;
    } else {
        host_end = memchr(at, ':', (size_t)(end - at));
        if (!host_end) host_end = end;
        if (host_end == at) return false;
    }
    return host_end == end || (*host_end == ':' && texts_port(host_end + 1, end));
}

int config_url_check(const char *text, struct trolley_error *error)
{
    const char *host, *end, *c;

    if (strncasecmp(text, "http://", 7) == 0)
        host = text + 7;
    else if (strncasecmp(text, "https://", 8) == 0)
        host = text + 8;
    else
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "a URL begins with http:// or https://");
    end = host + strcspn(host, "/?#");
    if (memchr(host, '@', (size_t)(end - host)))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "credentials do not belong in a URL; use `user` and `password` of a "
                         "[session]");
    for (c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "`%s` has a space or a control character", text);
    if (!kit_text_utf8_valid(text, strlen(text)))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is not UTF-8", text);
    if (strchr(end, '#'))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` has a fragment (#)", text);
    if (!texts_host(host, end))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "`%s` has no host, or a port that is not 1 to 65535", text);
    return 0;
}

int config_ae_title_check(const char *text, struct trolley_error *error)
{
    const char *c;
    size_t length;

    text += strspn(text, " ");
    length = strlen(text);
    while (length && text[length - 1] == ' ')
        length--;
    for (c = text; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '\\')
            return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                             "`%s`: an AE title is ASCII without backslash", text);
    if (length == 0 || length > TEXTS_AE_MAX)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "`%s`: an AE title has 1 to %d characters", text, TEXTS_AE_MAX);
    return 0;
}
