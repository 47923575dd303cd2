/* show.c: a section as INI text, without its secrets. SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/section.h"
#include "core/config/words.h"

#define SHOW_MASK "***"

/* Whether a value reads back as it is without quotes. */
static bool show_bare(const char *text)
{
    const size_t length = strlen(text);
    size_t i;

    if (length == 0) return true;
    if (strchr(" \t;", text[0]) || strchr(" \t", text[length - 1]) || strchr(text, '"'))
        return false;
    for (i = 1; i < length; i++)
        if (text[i] == ';' && strchr(" \t", text[i - 1])) return false;
    return true;
}

static int show_quoted(const char *text, struct kit_buffer *out)
{
    int r = kit_buffer_text(out, "\"");

    for (; r == 0 && *text; text++) {
        if (*text == '"' || *text == '\\') r = kit_buffer_text(out, "\\");
        if (r == 0) r = kit_buffer_append(out, text, 1);
    }
    return r < 0 ? r : kit_buffer_text(out, "\"");
}

static int show_text(const char *text, struct kit_buffer *out)
{
    struct kit_buffer line = {0};
    int r = kit_text_escape(&line, text, strlen(text));

    if (r == 0)
        r = show_bare(line.data) ? kit_buffer_text(out, line.data) : show_quoted(line.data, out);
    kit_buffer_free(&line);
    return r;
}

/* Text that may be a URL with user and password (`proxy`), with or without a scheme. */
static int show_address(const char *text, struct kit_buffer *out)
{
    const char *scheme = strstr(text, "://");
    const char *authority = scheme ? scheme + 3 : text;
    const size_t length = strcspn(authority, scheme ? "/?# \t" : "/ \t");
    const char *at = memrchr(authority, '@', length);
    struct kit_buffer masked = {0};
    int r;

    if (!at || (!scheme && !memchr(authority, ':', (size_t)(at - authority))))
        return show_text(text, out);
    r = kit_buffer_append(&masked, text, (size_t)(authority - text));
    if (r == 0) r = kit_buffer_text(&masked, SHOW_MASK);
    if (r == 0) r = kit_buffer_text(&masked, at);
    if (r == 0) r = show_text(masked.data, out);
    kit_buffer_free(&masked);
    return r;
}

/* "Name: ***" of a header field, which may be a credential. */
static int show_header(const char *text, struct kit_buffer *out)
{
    return kit_buffer_printf(out, "%.*s: " SHOW_MASK, (int)strcspn(text, ":"), text);
}

/* Program and a mask for its arguments. */
static int show_command(const char *text, struct kit_buffer *out)
{
    char **words = NULL;
    int r = config_words_split(text, &words, NULL);

    if (r < 0) return kit_buffer_text(out, SHOW_MASK);
    r = show_text(words[0], out);
    if (r == 0 && words[1]) r = kit_buffer_text(out, " " SHOW_MASK);
    config_words_free(words);
    return r;
}

static int show_value(const struct section_slot *slot, const struct section_value *value,
                      struct kit_buffer *out)
{
    if (slot->source == SECTION_COMMAND) return show_command(value->text, out);
    if (slot->source == SECTION_ENV || slot->source == SECTION_FILE)
        return show_text(value->text, out);
    if (slot->option.flags & TROLLEY_OPTION_SECRET) return kit_buffer_text(out, SHOW_MASK);
    if (slot->option.flags & CONFIG_OPTION_HEADER) return show_header(value->text, out);
    return show_address(value->text, out);
}

static int show_slot(const struct section_slot *slot, struct kit_buffer *out)
{
    const char *suffix = section_suffix(slot->source);
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < slot->count; i++) {
        const struct section_value *value = &slot->values[i];

        r = kit_buffer_printf(out, "%s%s = ", slot->option.key,
                              suffix        ? suffix
                              : value->name ? value->name
                                            : "");
        if (r == 0) r = show_value(slot, value, out);
        if (r == 0)
            r = kit_buffer_text(out, slot->source == SECTION_DEFAULT ? " ; default\n" : "\n");
    }
    return r;
}

int section_show(const struct section *section, struct kit_buffer *text)
{
    size_t i;
    int r = text->length ? kit_buffer_text(text, "\n") : 0;

    if (r == 0 && *section->kind)
        r = kit_buffer_printf(text, "[%s%s%s]\n", section->kind, *section->name ? " " : "",
                              section->name);
    for (i = 0; r == 0 && i < section->count; i++)
        r = show_slot(&section->slots[i], text);
    return r;
}
