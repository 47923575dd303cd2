/* SPDX-License-Identifier: MIT */
#include "charset_dcmtk.h"

#include <iconv.h>
#include <string.h>

#include <new>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcspchrs.h>

#include "kit/text.h"
#include "trolley/types.h"

struct charset {
    DcmSpecificCharacterSet converter;
    bool converts;   /* DCMTK knows the terms */
    bool japanese;   /* the terms name ISO 2022 IR 87 or 159, which glibc knows as ISO-2022-JP-2 */
    bool maybe_utf8; /* UTF-8, or nothing said: what is valid UTF-8 is taken for it */
};

struct charset *charset_new(const char *terms)
{
    struct charset *charset = new (std::nothrow) struct charset;

    if (!charset) return NULL;
    try {
        charset->maybe_utf8 =
            !*terms || strcmp(terms, "ISO_IR 192") == 0 || strcmp(terms, "ISO_IR 6") == 0;
        charset->japanese = strstr(terms, "IR 87") || strstr(terms, "IR 159");
        charset->converts = !charset->maybe_utf8 &&
                            charset->converter.selectCharacterSet(terms, "ISO_IR 192").good();
    } catch (...) {
        charset->converts = false;
    }
    return charset;
}

void charset_free(struct charset *charset)
{
    delete charset;
}

static bool plain_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((text[i] & 0x80) || text[i] == '\033') return false;
    return true;
}

static int append_replaced(const char *text, size_t length, struct kit_buffer *out)
{
    int r = 0;

    for (size_t i = 0; i < length && r == 0; i++) {
        if ((text[i] & 0x80) || text[i] == '\033')
            r = kit_buffer_text(out, "\xEF\xBF\xBD");
        else
            r = kit_buffer_append(out, &text[i], 1);
    }
    return r;
}

/* DCMTK's own way. 1 when it worked, 0 when not, or a status. */
static int by_dcmtk(struct charset *charset, const char *text, size_t length,
                    const char *delimiters, struct kit_buffer *out)
{
    OFString result;

    if (charset->converter.convertString(text, length, result, delimiters).bad()) return 0;
    if (!kit_text_utf8_valid(result.data(), result.length())) return 0;
    int r = kit_buffer_append(out, result.data(), result.length());
    return r < 0 ? r : 1;
}

/* Feeds a run of bytes to iconv. Returns 1, 0 when it does not take them, or a status. */
static int feed(iconv_t converter, const char *text, size_t length, struct kit_buffer *out)
{
    char space[256];
    char *in = const_cast<char *>(text);

    while (length) {
        char *to = space;
        size_t room = sizeof space, left = length;
        size_t n = iconv(converter, &in, &length, &to, &room);
        int r = kit_buffer_append(out, space, sizeof space - room);

        if (r < 0) return r;
        if (n == (size_t)-1 && left == length && to == space) return 0;
    }
    return 1;
}

/* As above with glibc's ISO-2022-JP-2, which has the sets that DCMTK asks iconv for in vain.
 * Half-width katakana (ISO_IR 13) stand in the upper half beside them. */
static int by_iso2022(const char *text, size_t length, struct kit_buffer *out)
{
    const char *end = text + length;
    size_t before = out->length;
    iconv_t converter = iconv_open("UTF-8", "ISO-2022-JP-2");
    int r = 1;

    if (converter == (iconv_t)-1) return 0;
    while (text < end && r == 1) {
        unsigned char c = (unsigned char)*text;
        size_t run = 0;

        while (text + run < end && !(text[run] & 0x80))
            run++;
        if (run) {
            r = feed(converter, text, run, out);
            text += run;
            continue;
        }
        unsigned code = 0xFF61u + c - 0xA1u;
        const char utf8[3] = {(char)0xEF, (char)(0x80 | (code >> 6 & 0x3F)),
                              (char)(0x80 | (code & 0x3F))};
        r = c < 0xA1 || c > 0xDF ? 0 : 1;
        if (r == 1 && kit_buffer_append(out, utf8, sizeof utf8) < 0) r = TROLLEY_ERR_TOO_LARGE;
        text++;
    }
    (void)iconv_close(converter);
    if (r != 1 && out->data) out->data[out->length = before] = '\0';
    return r;
}

int charset_append(struct charset *charset, const char *text, size_t length, const char *delimiters,
                   struct kit_buffer *out)
{
    int r = 0;

    if (plain_ascii(text, length)) return kit_buffer_append(out, text, length);
    if (charset->maybe_utf8 && kit_text_utf8_valid(text, length))
        return kit_buffer_append(out, text, length);
    try {
        if (charset->converts) r = by_dcmtk(charset, text, length, delimiters, out);
    } catch (...) {
        return TROLLEY_ERR_NOMEM;
    }
    if (r == 0 && charset->japanese) r = by_iso2022(text, length, out);
    if (r != 0) return r < 0 ? r : 0;
    return append_replaced(text, length, out);
}
