/* example.c: sample sections from option tables. SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/config/section.h"
#include "core/config/values.h"

/* What stands for a value that has no default. */
static const char *example_text(const struct trolley_option *option)
{
    static const char *const texts[] = {
        [TROLLEY_OPTION_STRING] = "TEXT",      [TROLLEY_OPTION_INT] = "1",
        [TROLLEY_OPTION_BOOL] = "yes",         [TROLLEY_OPTION_DURATION] = "10s",
        [TROLLEY_OPTION_SIZE] = "64KiB",       [TROLLEY_OPTION_CHOICE] = "",
        [TROLLEY_OPTION_PATH] = "/path/to/it", [TROLLEY_OPTION_URL] = "https://server.example",
        [TROLLEY_OPTION_AE_TITLE] = "AETITLE", [TROLLEY_OPTION_PORT] = "104",
        [TROLLEY_OPTION_LIST] = "TEXT",        [TROLLEY_OPTION_COMPONENT] = "NAME",
    };
    int64_t number;

    if (option->default_text) return option->default_text;
    if (option->metavar && option_parse(option, option->metavar, &number, NULL) == 0)
        return option->metavar;
    return option->type < sizeof texts / sizeof texts[0] ? texts[option->type] : "";
}

/* A number in range when the usual one is not; the first of the choices. */
static int example_value(const struct trolley_option *option, struct kit_buffer *text)
{
    const char *usual = example_text(option);
    const char *word;
    size_t length;
    int64_t number;

    if (option->type == TROLLEY_OPTION_CHOICE && !option->default_text &&
        (word = config_word_at(option->choices, 0, &length)))
        return kit_buffer_append(text, word, length);
    if (option_parse(option, usual, &number, NULL) == 0) return kit_buffer_text(text, usual);
    return kit_buffer_printf(text, "%lld%s", (long long)option->min,
                             option->type == TROLLEY_OPTION_DURATION ? "ms" : "");
}

/* "; help (type, what else there is to say)" */
static int example_comment(const struct trolley_option *option, struct kit_buffer *text)
{
    int r = kit_buffer_printf(text, "; %s (", option->help ? option->help : option->key);

    if (r == 0 && option->type == TROLLEY_OPTION_CHOICE)
        r = kit_buffer_printf(text, "one of %s", option->choices);
    else if (r == 0 && option->type == TROLLEY_OPTION_COMPONENT)
        r = kit_buffer_printf(text, "name of a [%s]", option->choices);
    else if (r == 0)
        r = kit_buffer_text(text, config_type_name(option->type));
    if (r == 0 && (option->flags & TROLLEY_OPTION_REQUIRED))
        r = kit_buffer_text(text, ", required");
    if (r == 0 && (option->flags & TROLLEY_OPTION_SECRET))
        r = kit_buffer_printf(text, "; or %s, %s_file, %s_command", option->key, option->key,
                              option->key);
    return r < 0 ? r : kit_buffer_text(text, ")\n");
}

/* `type`: the plugin's name, for the key that holds it. */
static int example_option(const struct trolley_option *option, const char *type,
                          struct kit_buffer *text)
{
    const bool live = type || (option->flags & TROLLEY_OPTION_REQUIRED);
    const bool secret = option->flags & TROLLEY_OPTION_SECRET;
    int r = example_comment(option, text);

    if (r == 0)
        r = kit_buffer_printf(text, "%s%s%s = ", live ? "" : ";", option->key,
                              secret                                  ? "_env"
                              : option->flags & TROLLEY_OPTION_PREFIX ? "NAME"
                                                                      : "");
    if (r == 0 && type)
        r = kit_buffer_text(text, type);
    else if (r == 0)
        r = secret ? kit_buffer_text(text, "VARIABLE") : example_value(option, text);
    return r < 0 ? r : kit_buffer_text(text, "\n");
}

int section_example(const char *kind, const char *name, const char *type,
                    const struct trolley_span *const *tables, struct kit_buffer *text)
{
    const char *names_plugin = strcmp(kind, "session") == 0 ? "auth" : "type";
    struct trolley_option option;
    uint32_t i;
    int r = kit_buffer_printf(text, "[%s%s%s]\n", kind, *name ? " " : "", name);

    for (; r == 0 && *tables; tables++)
        for (i = 0; r == 0 && i < (*tables)->count; i++) {
            r = trolley_read_open(&option, sizeof option, trolley_span_at(*tables, i),
                                  SECTION_OPTION_LEAST);
            if (r == 0 && !(option.flags & TROLLEY_OPTION_DEPRECATED))
                r = example_option(&option, strcmp(option.key, names_plugin) == 0 ? type : NULL,
                                   text);
        }
    return r;
}
