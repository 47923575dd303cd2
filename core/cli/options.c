/* SPDX-License-Identifier: MIT */
#include "core/cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kit/text.h>

#include "core/cli/message.h"

#define FORMATS "table,tree,csv,json,jsonl,dicom-json"

static const struct cli_option option_table[OPTION_COUNT] = {
    [OPTION_CONFIG] = {"config", 0, false, "FILE", NULL, COMMAND_ANY,
                       "INI file; else $TROLLEY_CONFIG, the user's, the system's"},
    [OPTION_TROLLEY] = {"trolley", 0, false, "NAME", NULL, COMMAND_ANY,
                        "the [trolley NAME] section to use"},
    [OPTION_VERBOSE] = {"verbose", 'v', true, NULL, NULL, COMMAND_ANY,
                        "log what is done; twice: in detail"},
    [OPTION_QUIET] = {"quiet", 'q', false, NULL, NULL, COMMAND_ANY,
                      "only errors and the verdict on standard error"},
    [OPTION_LOG_FORMAT] = {"log-format", 0, false, "FORMAT", "text,json", COMMAND_ANY,
                           "lines on standard error as text or JSON"},
    [OPTION_HELP] = {"help", 'h', false, NULL, NULL, COMMAND_ANY,
                     "this help, or that of the command"},
    [OPTION_VERSION] = {"version", 0, false, NULL, NULL, COMMAND_ANY, "the program's version"},
    [OPTION_LEVEL] = {"level", 0, false, "LEVEL", "study,series,instance", COMMAND_FIND,
                      "what to find: study (default), series or instance"},
    [OPTION_INCLUDE] = {"include", 0, true, "KEYWORD,...", NULL, COMMAND_FIND,
                        "attributes to ask for beyond the usual ones"},
    [OPTION_QUERY_TYPE] = {"query-type", 0, false, "NAME", NULL, COMMAND_FIND | COMMAND_DOWNLOAD,
                           "the searcher's query type to use"},
    [OPTION_FORMAT] =
        {"format", 0, false, "FORMAT", FORMATS,
         COMMAND_FIND | COMMAND_PLUGINS | COMMAND_CHECK_PLUGIN | COMMAND_PREFETCH,
         "find: table (default on a terminal), tree, csv, json, jsonl (default "
         "elsewhere), dicom-json; plugins, check-plugin: table or json; prefetch tasks: table "
         "(default), csv or json"},
    [OPTION_FIELDS] = {"fields", 0, true, "KEYWORD,...", NULL, COMMAND_FIND,
                       "attributes to show, in this order"},
    [OPTION_ONE] = {"one", 0, false, NULL, NULL, COMMAND_FIND,
                    "fail unless exactly one study matches"},
    [OPTION_RAW] = {"raw", 0, false, NULL, NULL, COMMAND_FIND,
                    "csv: leave cells that begin with = + - @ as they are"},
    [OPTION_STUDY] = {"study", 0, false, "UID", NULL, COMMAND_DOWNLOAD | COMMAND_PREFETCH,
                      "Study Instance UID"},
    [OPTION_SERIES] = {"series", 0, false, "UID", NULL, COMMAND_DOWNLOAD | COMMAND_PREFETCH,
                       "Series Instance UID, with --study"},
    [OPTION_INSTANCE] = {"instance", 0, false, "UID", NULL, COMMAND_DOWNLOAD | COMMAND_PREFETCH,
                         "SOP Instance UID, with --study and --series"},
    [OPTION_FROM] = {"from", 0, false, "FILE", NULL, COMMAND_DOWNLOAD,
                     "references from csv or jsonl; - is standard input"},
    [OPTION_OUTPUT] = {"output", 0, false, "DIR", NULL, COMMAND_DOWNLOAD,
                       "where to store, in place of the storage's own path"},
    [OPTION_REPORT] = {"report", 0, false, "FILE", NULL, COMMAND_DOWNLOAD,
                       "the fate of each object as JSON lines; - is standard output"},
    [OPTION_OVERWRITE] = {"overwrite", 0, false, NULL, NULL, COMMAND_DOWNLOAD,
                          "fetch what is stored already again and replace it"},
    [OPTION_VERIFY] = {"verify", 0, false, NULL, NULL, COMMAND_DOWNLOAD,
                       "fetch what is stored already again and compare"},
    [OPTION_REQUIRE_VERIFIED] = {"require-verified", 0, false, NULL, NULL, COMMAND_DOWNLOAD,
                                 "count as partial what no searcher could vouch for"},
    [OPTION_DRY_RUN] = {"dry-run", 0, false, NULL, NULL, COMMAND_DOWNLOAD | COMMAND_PREFETCH,
                        "print what would be requested"},
    [OPTION_DOWNLOADER] = {"downloader", 0, false, "NAME", NULL, COMMAND_DOWNLOAD,
                           "use only this downloader of the trolley"},
    [OPTION_LIST] = {"list", 0, false, NULL, NULL, COMMAND_CHECK_PLUGIN,
                     "name the checks and what each is about"},
    [OPTION_ONLY] = {"only", 0, false, "NAME", NULL, COMMAND_CHECK_PLUGIN, "this check alone"},
    [OPTION_SEED] = {"seed", 0, false, "NUMBER", NULL, COMMAND_CHECK_PLUGIN,
                     "where random values begin (default 1)"},
    [OPTION_TIME_LIMIT] = {"time-limit", 0, false, "SECONDS", NULL, COMMAND_CHECK_PLUGIN,
                           "the longest time for one check (default 30)"},
    [OPTION_EXPORTER] = {"exporter", 0, false, "ID", NULL, COMMAND_PREFETCH,
                         "export: the [exporter ID] to use; tasks: of this exporter"},
    [OPTION_QUERY] = {"query", 0, true, "KEY=VALUE", NULL, COMMAND_PREFETCH,
                      "export: every study that the exporter's searcher finds"},
    [OPTION_AT] = {"at", 0, false, "TIME", NULL, COMMAND_PREFETCH,
                   "export, tasks reschedule: when; 2026-03-01T18:00, 18:00, +2h (default now)"},
    [OPTION_BATCH] = {"batch", 0, false, "NAME", NULL, COMMAND_PREFETCH,
                      "export: a name for what is exported together; tasks: of this batch"},
    [OPTION_FORCE] = {"force", 0, false, NULL, NULL, COMMAND_PREFETCH,
                      "export: a task of its own even if one like it is pending"},
    [OPTION_STATUS] = {"status", 0, true, "STATUS", NULL, COMMAND_PREFETCH,
                       "tasks: scheduled, in-process, completed, warning, failed, canceled, "
                       "retry"},
    [OPTION_SINCE] = {"since", 0, false, "TIME", NULL, COMMAND_PREFETCH,
                      "tasks: changed at this time or later"},
    [OPTION_UNTIL] = {"until", 0, false, "TIME", NULL, COMMAND_PREFETCH,
                      "tasks: changed at this time or earlier"},
    [OPTION_TO] = {"to", 0, false, "ID", NULL, COMMAND_PREFETCH,
                   "tasks reschedule: for this exporter"},
    [OPTION_PROBE] = {"probe", 0, false, NULL, NULL, COMMAND_PREFETCH,
                      "check: request an object of --study twice; does the proxy keep it?"},
    [OPTION_SEARCHER] = {"searcher", 0, false, "NAME", NULL, COMMAND_PREFETCH,
                         "import-ldif: the searcher of the exporters"},
    [OPTION_SESSION] = {"session", 0, false, "NAME", NULL, COMMAND_PREFETCH,
                        "import-ldif: the session of the exporters"},
    [OPTION_SET] = {"set", 0, true, "NAME=VALUE", NULL, COMMAND_PREFETCH,
                    "import-ldif: what ${NAME} stands for"},
    [OPTION_REWRITE] = {"rewrite", 0, true, "FROM=TO", NULL, COMMAND_PREFETCH,
                        "import-ldif: replace the beginning of URLs"},
    [OPTION_OLDER] = {"older", 0, false, "AGE", NULL, COMMAND_PREFETCH,
                      "storage purge: what was stored so long ago; 30d, 12h"},
    [OPTION_FORGET] = {"forget", 0, false, NULL, NULL, COMMAND_PREFETCH,
                       "storage verify: what is missing or changed leaves the index"},
    [OPTION_CLOCK] = {"clock", 0, false, "FILE", NULL, COMMAND_PREFETCH,
                      "take the time from FILE (milliseconds since 1970): for rehearsals"},
};

const struct cli_option *option_entry(enum option_id id)
{
    return id < OPTION_COUNT ? &option_table[id] : NULL;
}

/* ---- candidates for "did you mean" ---------------------------------------------------------- */

static const char *next_option(void *ctx, size_t i)
{
    (void)ctx;
    return i < OPTION_COUNT ? option_table[i].name : NULL;
}

static const char *next_command(void *ctx, size_t i)
{
    const struct cli_command *const *commands = ctx;

    return (*commands)[i].name;
}

/* ---- parsing -------------------------------------------------------------------------------- */

/* A reader in the middle of argv. */
struct parse {
    int argc, at; /* `at`: the argument being read */
    char **argv;
    const struct cli_command *commands;
    struct cli_args *args;
    struct trolley_error *error;
};

/* Is `value` among the words of `choices`, a list separated by commas? */
static bool choice_has(const char *choices, const char *value)
{
    size_t length = strlen(value);

    while (*choices) {
        size_t word = strcspn(choices, ",");

        if (word == length && memcmp(choices, value, length) == 0) return true;
        choices += word + (choices[word] == ',');
    }
    return false;
}

static int parse_given(struct parse *parse, enum option_id id, const char *value)
{
    const struct cli_option *option = &option_table[id];

    if (!option->repeatable && options_count(parse->args, id))
        return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "--%s is given twice", option->name);
    if (value && option->choices && !choice_has(option->choices, value))
        return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "--%s %s: not one of %s",
                        option->name, value, option->choices);
    parse->args->given[parse->args->given_count++] = (struct cli_arg){id, value};
    return 0;
}

/* --name, --name=value, --name value */
static int parse_long(struct parse *parse, const char *text)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] ? text + length + 1 : NULL;
    char name[64];
    const char *near;
    unsigned id;

    (void)snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), text);
    for (id = 0; id < OPTION_COUNT; id++)
        if (strcmp(option_table[id].name, name) == 0) break;
    if (id == OPTION_COUNT) {
        near = kit_text_nearest(name, next_option, NULL);
        return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "unknown option --%s%s%s%s", name,
                        near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
    }
    if (!option_table[id].argument && value)
        return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "--%s takes no value", name);
    if (option_table[id].argument && !value) {
        /* What looks like an option is one: a forgotten value must not swallow it. */
        if (parse->at + 1 >= parse->argc || strncmp(parse->argv[parse->at + 1], "--", 2) == 0)
            return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "--%s needs a value: --%s=%s",
                            name, name, option_table[id].argument);
        value = parse->argv[++parse->at];
    }
    return parse_given(parse, (enum option_id)id, value);
}

/* -v, -vv, -vq */
static int parse_letters(struct parse *parse, const char *letters)
{
    for (; *letters; letters++) {
        unsigned id;
        int r;

        for (id = 0; id < OPTION_COUNT; id++)
            if (option_table[id].letter == *letters) break;
        if (id == OPTION_COUNT)
            return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "unknown option %s",
                            parse->argv[parse->at]);
        r = parse_given(parse, (enum option_id)id, NULL);
        if (r < 0) return r;
    }
    return 0;
}

static int parse_word(struct parse *parse, const char *word)
{
    const struct cli_command *command;
    const char *near;

    if (parse->args->command) {
        parse->args->words[parse->args->word_count++] = word;
        return 0;
    }
    for (command = parse->commands; command->name; command++)
        if (strcmp(command->name, word) == 0) break;
    if (command->name) {
        parse->args->command = command;
        return 0;
    }
    near = kit_text_nearest(word, next_command, &parse->commands);
    return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG, "unknown command %s%s%s%s", word,
                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Every option given must belong to the command. */
static int parse_check_command(const struct cli_args *args, struct trolley_error *error)
{
    size_t i;

    for (i = 0; args->command && i < args->given_count; i++) {
        const struct cli_option *option = &option_table[args->given[i].id];

        if (!(option->commands & args->command->bit))
            return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                            "--%s is no option of %s; see trolley %s --help", option->name,
                            args->command->name, args->command->name);
    }
    return 0;
}

static int parse_all(struct parse *parse)
{
    bool options = true;
    int r = 0;

    for (parse->at = 1; r == 0 && parse->at < parse->argc; parse->at++) {
        const char *text = parse->argv[parse->at];

        if (!kit_text_utf8_valid(text, strlen(text)))
            return cli_fail(parse->error, TROLLEY_ERR_INVALID_ARG,
                            "argument %d is not UTF-8: %s; run in a UTF-8 locale", parse->at, text);
        if (options && strcmp(text, "--") == 0)
            options = false;
        else if (options && strncmp(text, "--", 2) == 0)
            r = parse_long(parse, text + 2);
        else if (options && text[0] == '-' && text[1])
            r = parse_letters(parse, text + 1);
        else
            r = parse_word(parse, text);
    }
    return r < 0 ? r : parse_check_command(parse->args, parse->error);
}

int options_parse(int argc, char **argv, const struct cli_command *commands,
                  struct cli_args *ret_args, struct trolley_error *error)
{
    struct cli_args args = {0};
    struct parse parse = {argc, 0, argv, commands, &args, error};
    size_t letters = 0;
    int i, r;

    /* An argument holds one long option, one word, or as many options as it has letters. */
    for (i = 1; i < argc; i++)
        letters += strlen(argv[i]) + 1;
    args.given = calloc(letters + 1, sizeof *args.given);
    args.words = calloc((size_t)argc + 1, sizeof *args.words);
    r = args.given && args.words ? parse_all(&parse) : cli_no_memory(error);
    if (r < 0) {
        options_free(&args);
        return r;
    }
    *ret_args = args;
    return 0;
}

void options_free(struct cli_args *args)
{
    if (!args) return;
    free(args->given);
    free(args->words);
    *args = (struct cli_args){0};
}

const char *options_value(const struct cli_args *args, enum option_id id)
{
    size_t i;

    for (i = args->given_count; i > 0; i--)
        if (args->given[i - 1].id == id) return args->given[i - 1].value;
    return NULL;
}

size_t options_count(const struct cli_args *args, enum option_id id)
{
    size_t i, count = 0;

    for (i = 0; i < args->given_count; i++)
        count += args->given[i].id == id;
    return count;
}
