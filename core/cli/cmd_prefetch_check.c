/* cmd_prefetch_check.c: trolley prefetch check. SPDX-License-Identifier: MIT */
#include <string.h>

#include <kit/text.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

struct checking {
    struct cli *cli;
    uint32_t errors, warnings;
};

static void check_finding(void *ctx, uint32_t severity, const char *section, const char *message)
{
    struct checking *checking = ctx;
    const char *word = severity == TROLLEY_LOG_ERROR     ? "error"
                       : severity == TROLLEY_LOG_WARNING ? "warning"
                                                         : "note";

    checking->errors += severity == TROLLEY_LOG_ERROR;
    checking->warnings += severity == TROLLEY_LOG_WARNING;
    (void)output_printf(&checking->cli->output, "%s: [%s] %s\n", word, section, message);
}

static void check_url(void *ctx, const char *exporter, const char *url)
{
    const struct checking *checking = ctx;
    struct kit_buffer line = {0};

    if (kit_buffer_printf(&line, "%s: ", exporter) == 0 &&
        kit_text_escape(&line, url, strlen(url)) == 0 && kit_buffer_text(&line, "\n") == 0)
        (void)output_buffer(&checking->cli->output, &line);
    kit_buffer_free(&line);
}

int prefetch_check(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct checking checking = {.cli = cli};
    const struct trolley_prefetch_check_options options = {
        .exporter = options_value(&cli->args, OPTION_EXPORTER),
        .study = options_value(&cli->args, OPTION_STUDY),
        .series = options_value(&cli->args, OPTION_SERIES),
        .instance = options_value(&cli->args, OPTION_INSTANCE),
        .probe = options_count(&cli->args, OPTION_PROBE) > 0,
        .finding = check_finding,
        .url = check_url,
        .ctx = &checking,
    };
    struct trolley_error error = {0};
    int r = trolley_prefetch_check(cli->setup, &options, &error);

    (void)prefetch;
    if (r == 0) {
        console_note(&cli->console, "sound, with %u warnings", (unsigned)checking.warnings);
        return EXIT_COMPLETE;
    }
    if (checking.errors == 0)
        return cli_error(cli, &error,
                         r == TROLLEY_ERR_INVALID_ARG || r == TROLLEY_ERR_INVALID_CONFIG
                             ? EXIT_USAGE
                             : EXIT_FAILED);
    console_note(&cli->console, "%u errors, %u warnings", (unsigned)checking.errors,
                 (unsigned)checking.warnings);
    return EXIT_FAILED;
}
