/*
 * options.h: the one table of options, from which arguments are read and help is made.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kit/buffer.h>

#include "core/trolley.h"

struct cli;

/* Commands, as a set. */
#define COMMAND_FIND UINT32_C(1)
#define COMMAND_DOWNLOAD UINT32_C(2)
#define COMMAND_PING UINT32_C(4)
#define COMMAND_PLUGINS UINT32_C(8)
#define COMMAND_CONFIG UINT32_C(16)
#define COMMAND_CHECK_PLUGIN UINT32_C(32)
#define COMMAND_PREFETCH UINT32_C(64)
#define COMMAND_COMPLETION UINT32_C(256)
#define COMMAND_MANUAL UINT32_C(512)
#define COMMAND_ANY UINT32_MAX /* global options: with every command, and with none */

/* Ends its table with an entry without a name. */
struct cli_command {
    const char *name;
    uint32_t bit;
    const char *synopsis;        /* what follows the name, options aside */
    const char *summary;         /* one line */
    const char *details;         /* further lines of its --help, may be NULL */
    int (*run)(struct cli *cli); /* returns the exit status */
};

enum option_id {
    OPTION_CONFIG,
    OPTION_TROLLEY,
    OPTION_VERBOSE,
    OPTION_QUIET,
    OPTION_LOG_FORMAT,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_LEVEL,
    OPTION_INCLUDE,
    OPTION_QUERY_TYPE,
    OPTION_FORMAT,
    OPTION_FIELDS,
    OPTION_ONE,
    OPTION_RAW,
    OPTION_STUDY,
    OPTION_SERIES,
    OPTION_INSTANCE,
    OPTION_FROM,
    OPTION_OUTPUT,
    OPTION_REPORT,
    OPTION_OVERWRITE,
    OPTION_VERIFY,
    OPTION_REQUIRE_VERIFIED,
    OPTION_DRY_RUN,
    OPTION_DOWNLOADER,
    OPTION_LIST,
    OPTION_ONLY,
    OPTION_SEED,
    OPTION_TIME_LIMIT,
    OPTION_EXPORTER,
    OPTION_QUERY,
    OPTION_AT,
    OPTION_BATCH,
    OPTION_FORCE,
    OPTION_STATUS,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_TO,
    OPTION_PROBE,
    OPTION_SEARCHER,
    OPTION_SESSION,
    OPTION_SET,
    OPTION_REWRITE,
    OPTION_OLDER,
    OPTION_FORGET,
    OPTION_CLOCK,
    OPTION_COUNT
};

/* One option. */
struct cli_option {
    const char *name; /* without "--" */
    char letter;      /* short form, 0 for none */
    bool repeatable;
    const char *argument; /* what stands for the value in help; NULL when it takes none */
    const char *choices;  /* the values allowed, separated by commas; NULL for any */
    uint32_t commands;
    const char *help; /* without a final stop */
};

/* Entry `id`; its place in the table is its id. */
const struct cli_option *option_entry(enum option_id id);

/* What a command line said. Texts are borrowed from argv. */
struct cli_args {
    const struct cli_command *command; /* NULL when none was named */
    struct cli_arg {
        enum option_id id;
        const char *value; /* NULL for options without one */
    } * given;             /* in order */
    size_t given_count;
    const char **words; /* what is neither option nor command */
    size_t word_count;
};

/*
 * Reads the command line (argv[0] is skipped). Options may stand before and after the command; "--"
 * ends them. @param ret_args  free with options_free.
 * Errors: TROLLEY_ERR_INVALID_ARG: not UTF-8; unknown option or command, with the nearest one;
 * value missing, superfluous or not among the choices; given twice; of another command.
 */
int options_parse(int argc, char **argv, const struct cli_command *commands,
                  struct cli_args *ret_args, struct trolley_error *error);
void options_free(struct cli_args *args);

/* The value of an option; NULL when it was not given (or takes none). */
const char *options_value(const struct cli_args *args, enum option_id id);

/* How often an option was given. */
size_t options_count(const struct cli_args *args, enum option_id id);

/* Appends the help: of the program when `command` is NULL, else of the command. */
int help_text(struct kit_buffer *out, const struct cli_command *commands,
              const struct cli_command *command);

#endif
