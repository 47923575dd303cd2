/* cli.h: what the commands share. SPDX-License-Identifier: MIT */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "core/cli/columns.h"
#include "core/cli/console.h"
#include "core/cli/exit.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/trolley.h"

struct cli {
    const struct cli_command *commands; /* all there are */
    struct cli_args args;
    struct console console;
    struct output output; /* standard output */
    struct trolley_setup *setup;
    struct trolley *trolley;
};

/* Prints an error; returns the exit status it is given. */
int cli_error(struct cli *cli, const struct trolley_error *error, int status);

/* Opens the INI file into cli->setup. `optional`: where the user named none and there is none, an
 * empty setup will do. */
int cli_open_setup(struct cli *cli, bool optional, struct trolley_error *error);

/* Opens the INI file and the trolley that the user named. */
int cli_open_trolley(struct cli *cli, struct trolley_error *error);

/* A trolley_remark_sink that logs; ctx is the struct cli. */
void cli_remark(void *ctx, const struct trolley_remark *remark);

/* Refuses words behind the command. */
int cli_no_words(const struct cli *cli, struct trolley_error *error);

/* A query of the words KEY=VALUE, of --level, --include and --query-type. `include` (may be NULL)
 * gets the tags of --include. @param ret_query  free with trolley_query_free */
int cli_query(const struct cli *cli, struct columns *include,
              struct trolley_query_builder **ret_query, struct trolley_error *error);

/* Sets a key from KEY=VALUE. */
int cli_query_word(struct trolley_query_builder *query, const char *word,
                   struct trolley_error *error);

int cmd_find(struct cli *cli);
int cmd_download(struct cli *cli);
int cmd_ping(struct cli *cli);
int cmd_plugins(struct cli *cli);
int cmd_config(struct cli *cli);
int cmd_check_plugin(struct cli *cli);
int cmd_prefetch(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_manual(struct cli *cli);

#endif
