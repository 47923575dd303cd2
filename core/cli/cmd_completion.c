/* cmd_completion.c: trolley completion. SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/completion.h"
#include "core/cli/message.h"

static int completion_words(struct cli *cli)
{
    struct kit_buffer answer = {0};
    struct trolley_error error;
    int r = completion_answer(cli, cli->args.words + 1, cli->args.word_count - 1, &answer);

    if (r == 0) (void)output_buffer(&cli->output, &answer);
    kit_buffer_free(&answer);
    if (r == 0) return EXIT_COMPLETE;
    (void)cli_fail_kit(&error, r, "completion");
    return cli_error(cli, &error, EXIT_FAILED);
}

int cmd_completion(struct cli *cli)
{
    const char *what = cli->args.word_count ? cli->args.words[0] : "";
    const char *script = cli->args.word_count == 1 ? completion_script(what) : NULL;
    struct trolley_error error;

    if (strcmp(what, "words") == 0) return completion_words(cli);
    if (script) {
        (void)output_text(&cli->output, script);
        return EXIT_COMPLETE;
    }
    (void)cli_fail(&error, TROLLEY_ERR_INVALID_ARG,
                   "completion wants one of: bash, zsh, fish, words -- WORD ...");
    return cli_error(cli, &error, EXIT_USAGE);
}
