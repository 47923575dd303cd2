/* manual_program.c: trolley(1). SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/cli/manual.h"

static const char program_prose[] =
    "# SYNOPSIS\n"
    "%synopsis\n"
    "# DESCRIPTION\n"
    "`trolley` finds medical images on hospital servers and brings them home. It knows no "
    "protocol:\n"
    "what speaks to a server or a disk is a plugin that the INI file names, see `trolley.ini`(5).\n"
    "Swapping the server is an edit of that file.\n"
    "\n"
    "Results go to standard output, everything else to standard error.\n"
    "# COMMANDS\n"
    "%commands\n"
    "# OPTIONS\n"
    "Options may stand before and behind the command; `--` ends them. These go with every "
    "command:\n"
    "%options\n"
    "# QUERIES\n"
    "A query is made of words KEY=VALUE, split at the first `=`.\n"
    "@`KEY`\n"
    "is a DICOM keyword (PatientName), a tag (00100010 or 0010,0010), a dotted path of these "
    "where\n"
    "the query type allows any attribute, or a parameter of the query type; `trolley plugins "
    "NAME`\n"
    "lists those. A key that the searcher cannot honour is an error, never ignored.\n"
    "@`Several values`\n"
    "are separated by a backslash, of UIDs and code strings also by a comma.\n"
    "@`Wildcards`\n"
    "`*` and `?` go to the server untouched.\n"
    "@`Dates`\n"
    "are 20150301 or 2015-03-01; ranges 20150301-20150401 or A..B, open at either end; relative "
    "to\n"
    "today in local time: today, yesterday, today-7d. `StudyDate=` works with every searcher.\n"
    "# FORMATS\n"
    "@`table`\n"
    "one row an object, the columns that tell most first, fitted to the terminal; the default "
    "there.\n"
    "@`tree`\n"
    "studies, series and instances, indented.\n"
    "@`csv`\n"
    "RFC 4180 with a header row. Cells that begin with = + - @ get a ' in front unless `--raw`.\n"
    "@`json`\n"
    "an array of studies with their series and instances.\n"
    "@`jsonl`\n"
    "one flat object a line; the default when the output is no terminal.\n"
    "@`dicom-json`\n"
    "DICOM JSON (PS3.18 Annex F).\n"
    "\n"
    "csv and jsonl are what `download --from` reads.\n"
    "# EXIT STATUS\n"
    "@`0`\n"
    "complete. Finding nothing is complete, too.\n"
    "@`1`\n"
    "failed: nothing of it was delivered, or a download's query matches nothing; some fault was "
    "found\n"
    "by `ping`, `check-plugin` or `config check`.\n"
    "@`2`\n"
    "usage or configuration.\n"
    "@`3`\n"
    "partial: something asked for is missing or failed, or a find ended early. With\n"
    "`--require-verified` also a download of which no searcher said what to expect.\n"
    "@`4`\n"
    "authentication was refused and nothing was delivered.\n"
    "@`130`, `143`\n"
    "ended by SIGINT or SIGTERM. What is stored stays whole; the same command goes on from there.\n"
    "\n"
    "The worst wins, in the order 2, 4, 1, 3, 0. A reader of standard output that goes away is no\n"
    "error.\n"
    "# ENVIRONMENT\n"
    "@`TROLLEY_CONFIG`\n"
    "the INI file, where `--config` is not given.\n"
    "@`XDG_CONFIG_HOME`\n"
    "the folder of the user's `trolley/trolley.ini`, default ~/.config.\n"
    "@`TROLLEY_PLUGINDIR`, `TROLLEY_MODULEDIR`\n"
    "folders of the built-in plugins and of the HTTP module, for staged installs.\n"
    "@`NO_COLOR`\n"
    "set to anything: no colour on terminals.\n"
    "@`COLUMNS`\n"
    "the width of a terminal that does not tell.\n"
    "# FILES\n"
    "The first of these is read, never one in the current directory: `--config`,\n"
    "`$TROLLEY_CONFIG`, `$XDG_CONFIG_HOME/trolley/trolley.ini`, and `trolley.ini` in the folder\n"
    "`trolley` of the system's configuration.\n"
    "# EXAMPLES\n"
    "What was made last week of a patient, and what of it is CT:\n"
    "\n"
    "    trolley find PatientID=1234 StudyDate=today-7d..today\n"
    "    trolley find PatientID=1234 Modality=CT --level series --format tree\n"
    "\n"
    "Bring it home, with a report of each instance:\n"
    "\n"
    "    trolley download PatientID=1234 --report report.jsonl\n"
    "\n"
    "From a list, made now or by hand:\n"
    "\n"
    "    trolley find ModalitiesInStudy=MR StudyDate=yesterday |\n"
    "        trolley download --from -\n"
    "\n"
    "Completion for the running shell, where it is not installed:\n"
    "\n"
    "    source <(trolley completion bash)\n"
    "# SEE ALSO\n"
    "`trolley.ini`(5), `trolley-plugin`(7)\n";

static void program_option(struct manual *manual, const struct cli_option *option)
{
    char term[80];

    if (option->letter)
        (void)snprintf(term, sizeof term, "-%c, --%s", option->letter, option->name);
    else
        (void)snprintf(term, sizeof term, "--%s", option->name);
    manual_entry(manual, term, option->argument);
    manual_printf(manual, "%s.%s", option->help, option->repeatable ? " May be repeated." : "");
    if (option->choices) manual_printf(manual, "One of: %s.", option->choices);
}

/* The options of every command, or those of one alone. */
static void program_options(struct manual *manual, const struct cli_command *command)
{
    unsigned id;

    for (id = 0; id < OPTION_COUNT; id++) {
        const struct cli_option *option = option_entry((enum option_id)id);
        bool is_global = option->commands == COMMAND_ANY;

        if (command ? !is_global && (option->commands & command->bit) : is_global)
            program_option(manual, option);
    }
}

static void program_commands(struct manual *manual)
{
    const struct cli_command *command;
    char heading[256];

    for (command = manual->cli->commands; command->name; command++) {
        const char *details = command->details;

        (void)snprintf(heading, sizeof heading, "## trolley %s%s%s\n", command->name,
                       *command->synopsis ? " " : "", command->synopsis);
        manual_prose(manual, heading);
        manual_printf(manual, "%s.", command->summary);
        if (details) {
            struct kit_buffer shown = {0};

            /* The lines as --help has them. */
            while (manual->status == 0 && *details) {
                size_t length = strcspn(details, "\n");

                manual->status = kit_buffer_printf(&shown, "    %.*s\n", (int)length, details);
                details += length + (details[length] == '\n');
            }
            if (shown.data) manual_prose(manual, shown.data);
            kit_buffer_free(&shown);
        }
        program_options(manual, command);
    }
}

static void program_insert(struct manual *manual, const char *what)
{
    const struct cli_command *command;

    if (strcmp(what, "options") == 0) program_options(manual, NULL);
    if (strcmp(what, "commands") == 0) program_commands(manual);
    if (strcmp(what, "synopsis") != 0) return;
    for (command = manual->cli->commands; command->name; command++) {
        if (command != manual->cli->commands) manual_break(manual);
        manual_printf(manual, "`trolley` [OPTION ...] `%s`%s%s", command->name,
                      *command->synopsis ? " " : "", command->synopsis);
    }
}

int manual_program(struct manual *manual)
{
    manual->insert = program_insert;
    manual_title(manual, "trolley", "1",
                 "finds medical images on hospital servers and brings them home");
    manual_prose(manual, program_prose);
    return manual->status;
}
