/* SPDX-License-Identifier: MIT */
#include "core/cli/arrivals.h"

int arrivals_open(struct arrivals *arrivals, struct cli *cli, struct trolley_error *error)
{
    int r = trolley_prefetch_on_download(cli->setup, error);

    *arrivals = (struct arrivals){.cli = cli};
    return r > 0 ? trolley_prefetch_open(cli->setup, NULL, &arrivals->prefetch, error) : r;
}

void arrivals_outcome(struct arrivals *arrivals, const struct trolley_outcome *outcome)
{
    uint32_t kind;

    if (!arrivals->prefetch || arrivals->error.status || outcome->variant || !outcome->study)
        return;
    switch (outcome->kind) {
    case TROLLEY_OUTCOME_STORED:
        kind = TROLLEY_PREFETCH_NEW;
        break;
    case TROLLEY_OUTCOME_REPLACED:
        kind = TROLLEY_PREFETCH_REPLACED;
        break;
    case TROLLEY_OUTCOME_SKIPPED:
        kind = TROLLEY_PREFETCH_AGAIN;
        break;
    default:
        return;
    }
    (void)trolley_prefetch_arrived(
        arrivals->prefetch, trolley_searcher_name(arrivals->cli->trolley), kind, outcome->study,
        outcome->series, outcome->instance, &arrivals->error);
}

int arrivals_close(struct arrivals *arrivals)
{
    int status = EXIT_COMPLETE;

    if (!arrivals->prefetch) return status;
    if (!arrivals->error.status)
        (void)trolley_prefetch_arrivals_keep(arrivals->prefetch, &arrivals->error);
    if (arrivals->error.status) status = cli_error(arrivals->cli, &arrivals->error, EXIT_PARTIAL);
    trolley_prefetch_close(arrivals->prefetch);
    arrivals->prefetch = NULL;
    return status;
}
