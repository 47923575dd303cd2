/* cmd_prefetch_export.c: trolley prefetch export. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include <kit/text.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

struct exporting {
    struct cli *cli;
    struct trolley_prefetch *prefetch;
    struct trolley_prefetch_order order;
    uint64_t studies;
    bool dry;
};

static int export_order(struct exporting *exporting, struct trolley_error *error)
{
    const struct cli_args *args = &exporting->cli->args;
    struct trolley_prefetch_order *order = &exporting->order;
    const char *at = options_value(args, OPTION_AT);

    *order = (struct trolley_prefetch_order){
        .exporter = options_value(args, OPTION_EXPORTER),
        .study = options_value(args, OPTION_STUDY),
        .series = options_value(args, OPTION_SERIES),
        .instance = options_value(args, OPTION_INSTANCE),
        .batch = options_value(args, OPTION_BATCH),
        .force = options_count(args, OPTION_FORCE) > 0,
    };
    if (!order->exporter)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "prefetch export: --exporter ID is missing");
    if ((order->study != NULL) == (options_count(args, OPTION_QUERY) > 0))
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "prefetch export wants one of: --study UID, --query KEY=VALUE");
    if (!order->study && (order->series || order->instance))
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--series and --instance need --study");
    if (order->instance && !order->series)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--instance needs --study and --series");
    return at ? prefetch_time(at, trolley_prefetch_now(exporting->prefetch), &order->at_ms, error)
              : 0;
}

static int export_url(void *ctx, const char *url)
{
    const struct exporting *exporting = ctx;
    struct kit_buffer line = {0};
    int r = kit_text_escape(&line, url, strlen(url));

    if (r == 0) r = kit_buffer_text(&line, "\n");
    if (r == 0) r = output_buffer(&exporting->cli->output, &line);
    kit_buffer_free(&line);
    return r;
}

static int export_told(struct exporting *exporting, const char *study, int64_t id, uint32_t merged)
{
    exporting->studies++;
    return output_printf(&exporting->cli->output, "task %" PRId64 ": %s %s%s\n", id,
                         exporting->order.exporter, study,
                         merged ? " (merged with a pending task)" : "");
}

static int export_study(void *ctx, const char *study, int64_t id, uint32_t merged)
{
    struct exporting *exporting = ctx;
    struct trolley_prefetch_order order = exporting->order;
    struct trolley_error error = {0};
    int r;

    if (!exporting->dry) return export_told(exporting, study, id, merged);
    exporting->studies++;
    order.study = study;
    r = trolley_prefetch_rehearse(exporting->prefetch, &order, export_url, exporting, &error);
    if (r < 0) (void)cli_error(exporting->cli, &error, EXIT_FAILED);
    return r;
}

static int export_query(struct exporting *exporting, struct trolley_error *error)
{
    const struct cli_args *args = &exporting->cli->args;
    struct trolley_query_builder *query;
    size_t i;
    int r = trolley_query_new(&query, error);

    if (r < 0) return r;
    for (i = 0; r == 0 && i < args->given_count; i++)
        if (args->given[i].id == OPTION_QUERY)
            r = cli_query_word(query, args->given[i].value, error);
    if (r == 0)
        r = trolley_prefetch_export_query(exporting->prefetch, &exporting->order, query,
                                          exporting->dry, export_study, exporting, error);
    trolley_query_free(query);
    if (r == 0 && exporting->studies == 0)
        console_note(&exporting->cli->console, "the query matches no study");
    return r;
}

int prefetch_export_command(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct exporting exporting = {.cli = cli, .prefetch = prefetch};
    struct trolley_error error = {0};
    uint32_t merged = 0;
    int64_t id = 0;
    int r = export_order(&exporting, &error);

    exporting.dry = options_count(&cli->args, OPTION_DRY_RUN) > 0;
    if (r == 0 && !exporting.order.study) {
        r = export_query(&exporting, &error);
    } else if (r == 0 && exporting.dry) {
        r = trolley_prefetch_rehearse(prefetch, &exporting.order, export_url, &exporting, &error);
    } else if (r == 0) {
        r = trolley_prefetch_export(prefetch, &exporting.order, &id, &merged, &error);
        if (r == 0) (void)export_told(&exporting, exporting.order.study, id, merged);
    }
    if (r == 0 || cli->output.failed) return EXIT_COMPLETE;
    return cli_error(cli, &error, exit_of(r, false));
}
