/* session.c: opening what a command works with. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/log.h"
#include "core/cli/message.h"

int cli_error(struct cli *cli, const struct trolley_error *error, int status)
{
    console_error(&cli->console, error->message);
    return status;
}

int cli_open_setup(struct cli *cli, bool optional, struct trolley_error *error)
{
    const char *path = options_value(&cli->args, OPTION_CONFIG), *named = getenv("TROLLEY_CONFIG");
    int r = trolley_setup_open(path, &cli->setup, error);

    if (r == TROLLEY_ERR_NOT_FOUND && optional && !path && !(named && *named))
        r = trolley_setup_empty(&cli->setup, error);
    if (r < 0) return r;
    exit_cancels(cli->setup);
    if (!options_value(&cli->args, OPTION_LOG_FORMAT)) {
        const char *format = trolley_setup_setting(cli->setup, "log_format");

        cli->console.json = format && strcmp(format, "json") == 0;
    }
    log_install(&cli->console, &cli->args, trolley_setup_setting(cli->setup, "log_level"));
    return 0;
}

int cli_open_trolley(struct cli *cli, struct trolley_error *error)
{
    int r = cli_open_setup(cli, false, error);

    if (r < 0) return r;
    return trolley_get(cli->setup, options_value(&cli->args, OPTION_TROLLEY), &cli->trolley, error);
}

void cli_remark(void *ctx, const struct trolley_remark *remark)
{
    struct cli *cli = ctx;

    if (remark->severity <= cli->console.level)
        console_log(&cli->console, remark->severity, remark->component, remark->message);
}

int cli_no_words(const struct cli *cli, struct trolley_error *error)
{
    if (cli->args.word_count == 0) return 0;
    return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "%s: unexpected argument %s",
                    cli->args.command->name, cli->args.words[0]);
}

/* ---- queries -------------------------------------------------------------------------------- */

int cli_query_word(struct trolley_query_builder *query, const char *word,
                   struct trolley_error *error)
{
    const char *equals = strchr(word, '=');
    char *key;
    int r;

    if (!equals || equals == word)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "%s: a query is made of KEY=VALUE, as PatientID=1234", word);
    key = strndup(word, (size_t)(equals - word));
    if (!key) return cli_no_memory(error);
    r = trolley_query_set(query, key, equals + 1, error);
    free(key);
    return r;
}

/* Adds a list separated by commas to the attributes asked for. */
static int query_include(struct trolley_query_builder *query, const char *list,
                         struct trolley_error *error)
{
    int r = 0;

    while (r == 0 && *list) {
        size_t length = strcspn(list, ",");
        char *key = strndup(list, length);

        if (!key) return cli_no_memory(error);
        r = trolley_query_include(query, key, error);
        free(key);
        list += length + (list[length] == ',');
    }
    return r;
}

/* The tags of a list for tables; what is no plain attribute (a dotted path) has no column. */
static void query_columns(struct columns *columns, const char *list)
{
    struct trolley_error ignored;

    (void)columns_add_list(columns, list, &ignored);
}

static int query_options(const struct cli *cli, struct columns *include,
                         struct trolley_query_builder *query, struct trolley_error *error)
{
    const char *level = options_value(&cli->args, OPTION_LEVEL);
    const char *type = options_value(&cli->args, OPTION_QUERY_TYPE);
    size_t i;
    int r = level ? trolley_query_set_level(query, level, error) : 0;

    if (r == 0 && type) r = trolley_query_set_type(query, type, error);
    for (i = 0; r == 0 && i < cli->args.given_count; i++) {
        if (cli->args.given[i].id != OPTION_INCLUDE) continue;
        r = query_include(query, cli->args.given[i].value, error);
        if (r == 0 && include) query_columns(include, cli->args.given[i].value);
    }
    return r;
}

int cli_query(const struct cli *cli, struct columns *include,
              struct trolley_query_builder **ret_query, struct trolley_error *error)
{
    struct trolley_query_builder *query;
    size_t i;
    int r = trolley_query_new(&query, error);

    if (r < 0) return r;
    r = query_options(cli, include, query, error);
    for (i = 0; r == 0 && i < cli->args.word_count; i++)
        r = cli_query_word(query, cli->args.words[i], error);
    if (r < 0) {
        trolley_query_free(query);
        return r;
    }
    *ret_query = query;
    return 0;
}
