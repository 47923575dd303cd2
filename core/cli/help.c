/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/cli/options.h"

#define HELP_INDENT 28 /* where the explanations begin */
#define HELP_WIDTH 80

/* Appends `text` broken at blanks, its first line at column `at`, the others at HELP_INDENT. */
static int help_wrap(struct kit_buffer *out, const char *text, size_t at)
{
    bool first = true;
    int r = 0;

    if (at >= HELP_INDENT) {
        r = kit_buffer_text(out, "\n");
        at = 0;
    }
    if (r == 0) r = kit_buffer_printf(out, "%*s", (int)(HELP_INDENT - at), "");
    at = HELP_INDENT;
    while (r == 0 && *text) {
        size_t length = strcspn(text, " ");

        if (!first && at + 1 + length > HELP_WIDTH) {
            r = kit_buffer_printf(out, "\n%*s", HELP_INDENT, "");
            at = HELP_INDENT;
        } else if (!first) {
            r = kit_buffer_text(out, " ");
            at++;
        }
        if (r == 0) r = kit_buffer_append(out, text, length);
        at += length;
        text += length + (text[length] == ' ');
        first = false;
    }
    return r < 0 ? r : kit_buffer_text(out, "\n");
}

static int help_option(struct kit_buffer *out, const struct cli_option *option)
{
    size_t before = out->length;
    int r = option->letter ? kit_buffer_printf(out, "  -%c, ", option->letter)
                           : kit_buffer_text(out, "      ");

    if (r == 0) r = kit_buffer_printf(out, "--%s", option->name);
    if (r == 0 && option->argument) r = kit_buffer_printf(out, " %s", option->argument);
    if (r == 0) r = help_wrap(out, option->help, out->length - before);
    return r;
}

/* The options whose set of commands is everything (`global`), or that belong to the command. */
static int help_options(struct kit_buffer *out, const char *title, bool global, uint32_t command)
{
    int r = 0;
    bool any = false;
    unsigned id;

    for (id = 0; r == 0 && id < OPTION_COUNT; id++) {
        const struct cli_option *option = option_entry((enum option_id)id);
        bool is_global = option->commands == COMMAND_ANY;

        if (is_global != global || !(option->commands & command)) continue;
        if (!any) r = kit_buffer_printf(out, "\n%s:\n", title);
        any = true;
        if (r == 0) r = help_option(out, option);
    }
    return r;
}

static int help_program(struct kit_buffer *out, const struct cli_command *commands)
{
    const struct cli_command *command;
    int r = kit_buffer_text(out, "Usage: trolley [OPTION ...] COMMAND ...\n"
                                 "Finds medical images on hospital servers and brings them home.\n"
                                 "\nCommands:\n");

    for (command = commands; r == 0 && command->name; command++) {
        size_t before = out->length;

        r = kit_buffer_printf(out, "  %s", command->name);
        if (r == 0) r = help_wrap(out, command->summary, out->length - before);
    }
    if (r == 0) r = help_options(out, "Options", true, COMMAND_ANY);
    if (r == 0)
        r = kit_buffer_text(
            out, "\nExit status: 0 complete, 1 failed, 2 usage or configuration, 3 partial,\n"
                 "4 authentication refused, 130 interrupted, 143 terminated.\n"
                 "\n\"trolley COMMAND --help\" tells more of a command.\n");
    return r;
}

int help_text(struct kit_buffer *out, const struct cli_command *commands,
              const struct cli_command *command)
{
    int r;

    if (!command) return help_program(out, commands);
    r = kit_buffer_printf(out, "Usage: trolley %s [OPTION ...]%s%s\n%s.\n", command->name,
                          command->synopsis[0] ? " " : "", command->synopsis, command->summary);
    if (r == 0 && command->details) r = kit_buffer_printf(out, "\n%s", command->details);
    if (r == 0) r = help_options(out, "Options", false, command->bit);
    if (r == 0) r = help_options(out, "Options of every command", true, command->bit);
    return r;
}
