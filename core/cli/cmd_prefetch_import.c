/* cmd_prefetch_import.c: trolley prefetch import-ldif. SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

struct importing {
    struct cli *cli;
    bool dry;
};

static int import_text(void *ctx, const char *text)
{
    const struct importing *importing = ctx;

    return importing->dry ? 0 : output_text(&importing->cli->output, text);
}

static int import_note(void *ctx, const char *text)
{
    const struct importing *importing = ctx;

    console_note(&importing->cli->console, "%s", text);
    return 0;
}

/* Values of a repeatable option, in order. */
static uint32_t import_values(const struct cli_args *args, enum option_id id, const char **values)
{
    uint32_t count = 0;
    size_t i;

    for (i = 0; i < args->given_count; i++)
        if (args->given[i].id == id) values[count++] = args->given[i].value;
    return count;
}

int prefetch_import(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct importing importing = {cli, options_count(&cli->args, OPTION_DRY_RUN) > 0};
    const char **sets = calloc(2 * cli->args.given_count + 1, sizeof *sets);
    struct trolley_prefetch_import_options options = {
        .file = cli->args.words[1],
        .searcher = options_value(&cli->args, OPTION_SEARCHER),
        .session = options_value(&cli->args, OPTION_SESSION),
        .text = import_text,
        .note = import_note,
        .ctx = &importing,
    };
    struct trolley_error error = {0};
    int r;

    (void)prefetch;
    if (!sets) {
        (void)cli_no_memory(&error);
        return cli_error(cli, &error, EXIT_FAILED);
    }
    options.sets = sets;
    options.set_count = import_values(&cli->args, OPTION_SET, sets);
    options.rewrites = sets + options.set_count;
    options.rewrite_count = import_values(&cli->args, OPTION_REWRITE, sets + options.set_count);
    r = trolley_prefetch_import(&options, &error);
    free(sets);
    return r < 0 && !cli->output.failed ? cli_error(cli, &error, exit_of(r, false)) : EXIT_COMPLETE;
}
