/* SPDX-License-Identifier: MIT */
#include "core/cli/manual.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MANUAL_DATE "2026-11-28" /* of the prose */

static void manual_raw(struct manual *manual, const char *text, size_t length)
{
    if (manual->status == 0) manual->status = kit_buffer_append(manual->out, text, length);
}

static void manual_text(struct manual *manual, const char *text)
{
    manual_raw(manual, text, strlen(text));
}

/* Text that roff must not take for its own: backslashes, hyphens (which it would turn into
 * typographic ones), a control character at the beginning of a line. */
static void manual_escape(struct manual *manual, const char *text, size_t length, bool begins)
{
    size_t i;

    if (begins && length > 0 && (text[0] == '.' || text[0] == '\'')) manual_text(manual, "\\&");
    for (i = 0; i < length; i++)
        if (text[i] == '\\')
            manual_text(manual, "\\e");
        else if (text[i] == '-')
            manual_text(manual, "\\-");
        else if (text[i] == '~')
            manual_text(manual, "\\(ti");
        else if (text[i] == '^')
            manual_text(manual, "\\(ha");
        else if (text[i] == '`')
            manual_text(manual, "\\(ga");
        else if (text[i] == '\'')
            manual_text(manual, "\\(aq");
        else
            manual_raw(manual, text + i, 1);
}

/* A line with `bold` words. */
static void manual_marked(struct manual *manual, const char *text, size_t length)
{
    const char *end = text + length;
    bool begins = true;

    while (text < end) {
        const char *mark = memchr(text, '`', (size_t)(end - text));
        const char *close = mark ? memchr(mark + 1, '`', (size_t)(end - mark - 1)) : NULL;

        if (!close) mark = end;
        manual_escape(manual, text, (size_t)(mark - text), begins);
        if (!close) break;
        manual_text(manual, "\\fB");
        manual_escape(manual, mark + 1, (size_t)(close - mark - 1), false);
        manual_text(manual, "\\fR");
        text = close + 1;
        begins = false;
    }
}

void manual_line(struct manual *manual, const char *text)
{
    manual_marked(manual, text, strlen(text));
    manual_text(manual, "\n");
}

void manual_printf(struct manual *manual, const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    manual_line(manual, text);
}

void manual_entry(struct manual *manual, const char *term, const char *rest)
{
    manual_text(manual, ".TP\n\\fB");
    manual_escape(manual, term, strlen(term), false);
    manual_text(manual, "\\fR");
    if (rest) {
        manual_text(manual, " \\fI");
        manual_escape(manual, rest, strlen(rest), false);
        manual_text(manual, "\\fR");
    }
    manual_text(manual, "\n");
}

void manual_break(struct manual *manual)
{
    manual_text(manual, ".br\n");
}

void manual_title(struct manual *manual, const char *name, const char *section, const char *about)
{
    const char *c;
    char upper[64];
    size_t i = 0;

    for (c = name; *c && i + 1 < sizeof upper; c++)
        upper[i++] = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    upper[i] = '\0';
    manual_text(manual, ".TH ");
    manual_escape(manual, upper, i, false);
    manual_text(manual, " ");
    manual_text(manual, section);
    manual_text(manual, " " MANUAL_DATE " \"trolley ");
    manual_text(manual, trolley_version());
    manual_text(manual, "\"\n.nh\n.ad l\n.SH NAME\n");
    manual_escape(manual, name, strlen(name), false);
    manual_text(manual, " \\- ");
    manual_escape(manual, about, strlen(about), false);
    manual_text(manual, "\n");
}

static void manual_verbatim(struct manual *manual, bool on)
{
    if (on == manual->verbatim) return;
    manual->verbatim = on;
    manual_text(manual, on ? ".PP\n.RS 2\n.nf\n" : ".fi\n.RE\n");
}

/* One line of prose; *paragraph: the next text begins one. */
static void manual_prose_line(struct manual *manual, const char *line, size_t length,
                              bool *paragraph)
{
    char word[64];

    if (length >= 4 && memcmp(line, "    ", 4) == 0) {
        manual_verbatim(manual, true);
        manual_escape(manual, line + 4, length - 4, true);
        manual_text(manual, "\n");
        *paragraph = true;
        return;
    }
    manual_verbatim(manual, false);
    if (length == 0) {
        *paragraph = true;
    } else if (line[0] == '%') {
        (void)snprintf(word, sizeof word, "%.*s", (int)length - 1, line + 1);
        if (manual->insert) manual->insert(manual, word);
        *paragraph = true;
    } else if (line[0] == '#') {
        manual_text(manual, line[1] == '#' ? ".SS " : ".SH ");
        manual_escape(manual, line + (line[1] == '#' ? 3 : 2), length - (line[1] == '#' ? 3 : 2),
                      false);
        manual_text(manual, "\n");
        *paragraph = false;
    } else if (line[0] == '@') {
        manual_text(manual, ".TP\n");
        manual_marked(manual, line + 1, length - 1);
        manual_text(manual, "\n");
        *paragraph = false;
    } else {
        if (*paragraph) manual_text(manual, ".PP\n");
        manual_marked(manual, line, length);
        manual_text(manual, "\n");
        *paragraph = false;
    }
}

void manual_prose(struct manual *manual, const char *text)
{
    bool paragraph = false;

    while (*text) {
        size_t length = strcspn(text, "\n");

        manual_prose_line(manual, text, length, &paragraph);
        text += length + (text[length] == '\n');
    }
    manual_verbatim(manual, false);
}
