/* cmd_manual.c: trolley manual. SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/manual.h"
#include "core/cli/message.h"

static int manual_page(struct manual *manual, const char *page, struct trolley_error *error)
{
    struct cli *cli = manual->cli;
    int r = 0;

    if (strcmp(page, "5") == 0)
        return manual_config(manual, cli->args.words + 1, cli->args.word_count - 1, error);
    if (cli->args.word_count == 1 && strcmp(page, "1") == 0)
        r = manual_program(manual);
    else if (cli->args.word_count == 1 && strcmp(page, "7") == 0)
        r = manual_plugin(manual);
    else
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "manual wants one of: 1, 5 [TYPE ...], 7");
    return r < 0 ? cli_fail_kit(error, r, "manual") : 0;
}

int cmd_manual(struct cli *cli)
{
    const char *page = cli->args.word_count ? cli->args.words[0] : "";
    struct kit_buffer text = {0};
    struct manual manual = {.cli = cli, .out = &text};
    struct trolley_error error = {0};
    int r = manual_page(&manual, page, &error);

    if (r == 0) (void)output_buffer(&cli->output, &text);
    kit_buffer_free(&text);
    return r < 0 ? cli_error(cli, &error, EXIT_USAGE) : EXIT_COMPLETE;
}
