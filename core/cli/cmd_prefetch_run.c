/* cmd_prefetch_run.c: trolley prefetch run, once. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

static int run_failed(struct cli *cli, int r, const struct trolley_error *error)
{
    return cli_error(cli, error,
                     r == TROLLEY_ERR_INVALID_ARG || r == TROLLEY_ERR_INVALID_CONFIG ? EXIT_USAGE
                                                                                     : EXIT_FAILED);
}

static void run_verdict(struct cli *cli, const char *word,
                        const struct trolley_prefetch_run_counts *counts)
{
    char line[256];

    (void)snprintf(line, sizeof line,
                   "%s: %" PRIu64 " tasks completed, %" PRIu64 " with warnings, %" PRIu64
                   " failed, %" PRIu64 " to be retried",
                   word, counts->completed, counts->warnings, counts->failed, counts->retries);
    console_verdict(&cli->console, line);
}

int prefetch_run(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct trolley_prefetch_run_counts counts;
    struct trolley_error error = {0};
    int r;

    exit_stops(prefetch);
    r = trolley_prefetch_run(prefetch, 0, cli_remark, cli, &counts, &error);
    if (r < 0) return run_failed(cli, r, &error);
    run_verdict(cli, "ended", &counts);
    return EXIT_COMPLETE;
}

/* What would be taken up now. */
static int once_dry(struct cli *cli, struct trolley_prefetch *prefetch)
{
    const struct trolley_prefetch_filter pending = {
        .states = TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_SCHEDULED) |
                  TROLLEY_PREFETCH_STATE_BIT(TROLLEY_PREFETCH_RETRY)};
    struct trolley_error error = {0};
    int r = prefetch_rows(cli, prefetch, &pending, &error);

    return r < 0 ? run_failed(cli, r, &error) : EXIT_COMPLETE;
}

int prefetch_once(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct trolley_prefetch_run_counts counts;
    struct trolley_error error = {0};
    int r;

    if (options_count(&cli->args, OPTION_DRY_RUN)) return once_dry(cli, prefetch);
    exit_stops(prefetch);
    r = trolley_prefetch_run(prefetch, TROLLEY_PREFETCH_ONCE, cli_remark, cli, &counts, &error);
    if (r < 0) return run_failed(cli, r, &error);
    if (counts.failed || counts.retries) {
        run_verdict(cli, "failed", &counts);
        return EXIT_FAILED;
    }
    run_verdict(cli, counts.warnings ? "warning" : "completed", &counts);
    return counts.warnings ? EXIT_PARTIAL : EXIT_COMPLETE;
}
