/* cmd_config.c: trolley config. SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/message.h"

static void config_problem(void *ctx, const struct trolley_error *error)
{
    struct cli *cli = ctx;

    console_error(&cli->console, error->message);
}

/* A faulty INI file is what this command looks for: 1, not 2. */
static int config_check(struct cli *cli)
{
    struct trolley_error error = {0};
    int r = cli_open_setup(cli, false, &error);

    if (r < 0) return cli_error(cli, &error, EXIT_FAILED);
    r = trolley_setup_check(cli->setup, config_problem, cli, &error);
    if (r < 0) return EXIT_FAILED;
    (void)output_printf(&cli->output, "%s: ok\n", trolley_setup_path(cli->setup));
    return EXIT_COMPLETE;
}

static int config_show(struct cli *cli)
{
    struct trolley_error error = {0};
    char *text = NULL;
    int r = cli_open_setup(cli, false, &error);

    if (r == 0) r = trolley_setup_show(cli->setup, &text, &error);
    if (r < 0) return cli_error(cli, &error, EXIT_USAGE);
    (void)output_text(&cli->output, text);
    trolley_text_free(text);
    return EXIT_COMPLETE;
}

static int config_example(struct cli *cli)
{
    const char *const *types = cli->args.word_count > 1 ? cli->args.words + 1 : NULL;
    struct trolley_error error = {0};
    char *text = NULL;
    int r = cli_open_setup(cli, true, &error);

    if (r == 0)
        r = trolley_setup_example(cli->setup, types, (uint32_t)cli->args.word_count - 1, &text,
                                  &error);
    if (r < 0) return cli_error(cli, &error, EXIT_USAGE);
    (void)output_text(&cli->output, text);
    trolley_text_free(text);
    return EXIT_COMPLETE;
}

int cmd_config(struct cli *cli)
{
    const char *what = cli->args.word_count ? cli->args.words[0] : "";
    struct trolley_error error = {0};

    if (strcmp(what, "example") == 0) return config_example(cli);
    if (cli->args.word_count == 1 && strcmp(what, "check") == 0) return config_check(cli);
    if (cli->args.word_count == 1 && strcmp(what, "show") == 0) return config_show(cli);
    (void)cli_fail(&error, TROLLEY_ERR_INVALID_ARG,
                   "config wants one of: check, show, example [TYPE ...]");
    return cli_error(cli, &error, EXIT_USAGE);
}
