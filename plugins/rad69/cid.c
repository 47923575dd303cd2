/* SPDX-License-Identifier: MIT */
#include "cid.h"

#include <string.h>
#include <strings.h>

static int cid_hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Percent-decodes in place; what is no escape, or would be a NUL, stays as it is. */
static void cid_decode(char *text)
{
    char *out = text;

    while (*text) {
        int high = *text == '%' ? cid_hex(text[1]) : -1;
        int low = high >= 0 ? cid_hex(text[2]) : -1;

        if (low < 0 || (high == 0 && low == 0)) {
            *out++ = *text++;
            continue;
        }
        *out++ = (char)(high * 16 + low);
        text += 3;
    }
    *out = '\0';
}

bool cid_read(const char *text, struct cid *ret_cid)
{
    static const char space[] = " \t\r\n";
    size_t length;

    text += strspn(text, space);
    if (strncasecmp(text, "cid:", 4) == 0) text += 4;
    length = strlen(text);
    while (length && strchr(space, text[length - 1]))
        length--;
    if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= CID_MAX) return false;
    memcpy(ret_cid->plain, text, length);
    ret_cid->plain[length] = '\0';
    memcpy(ret_cid->decoded, ret_cid->plain, length + 1);
    cid_decode(ret_cid->decoded);
    return true;
}

bool cid_names(const char *decoded_href, const struct cid *content_id)
{
    return strcmp(decoded_href, content_id->plain) == 0 ||
           strcmp(decoded_href, content_id->decoded) == 0;
}
