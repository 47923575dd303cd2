/* cmd_prefetch_storage.c: trolley prefetch storage verify, purge. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include <kit/text.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

static int storage_each(void *ctx, const char *path, const char *what)
{
    struct cli *cli = ctx;
    struct kit_buffer line = {0};
    int r = kit_buffer_printf(&line, "%s: ", what);

    if (r == 0) r = kit_text_escape(&line, path, strlen(path));
    if (r == 0) r = kit_buffer_text(&line, "\n");
    if (r == 0) r = output_buffer(&cli->output, &line);
    kit_buffer_free(&line);
    return r;
}

static int storage_options(struct cli *cli, struct trolley_prefetch_storage_options *options,
                           struct trolley_error *error)
{
    const char *older = options_value(&cli->args, OPTION_OLDER);
    struct kit_buffer text = {0};
    int64_t until;
    int r;

    *options = (struct trolley_prefetch_storage_options){
        .study = options_value(&cli->args, OPTION_STUDY),
        .series = options_value(&cli->args, OPTION_SERIES),
        .instance = options_value(&cli->args, OPTION_INSTANCE),
        .dry_run = options_count(&cli->args, OPTION_DRY_RUN) > 0,
        .forget = options_count(&cli->args, OPTION_FORGET) > 0,
        .each = storage_each,
        .ctx = cli,
    };
    if (!older) return 0;
    r = kit_buffer_printf(&text, "+%s", older);
    if (r == 0) r = prefetch_time(text.data, 0, &until, error);
    kit_buffer_free(&text);
    if (r == 0) options->older_ms = until;
    return r;
}

static int storage_failed(struct cli *cli, int r, const struct trolley_error *error)
{
    return cli_error(cli, error, exit_of(r, false));
}

int prefetch_storage_verify_command(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct trolley_prefetch_storage_options options;
    struct trolley_prefetch_storage_counts counts = {0};
    struct trolley_error error = {0};
    uint64_t bad;
    int r = storage_options(cli, &options, &error);

    (void)prefetch;
    if (r == 0)
        r = trolley_prefetch_storage_verify(cli->setup, cli->args.words[2], &options, &counts,
                                            &error);
    if (r < 0) return storage_failed(cli, r, &error);
    bad = counts.missing + counts.resized + counts.changed + counts.failed;
    console_note(&cli->console,
                 "%" PRIu64 " files looked at: %" PRIu64 " missing, %" PRIu64 " of another length, "
                 "%" PRIu64 " changed, %" PRIu64 " unreadable",
                 counts.files, counts.missing, counts.resized, counts.changed, counts.failed);
    return bad ? EXIT_FAILED : EXIT_COMPLETE;
}

int prefetch_storage_purge_command(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct trolley_prefetch_storage_options options;
    struct trolley_prefetch_storage_counts counts = {0};
    struct trolley_error error = {0};
    int r = storage_options(cli, &options, &error);

    (void)prefetch;
    if (r == 0)
        r = trolley_prefetch_storage_purge(cli->setup, cli->args.words[2], &options, &counts,
                                           &error);
    if (r < 0) return storage_failed(cli, r, &error);
    console_note(&cli->console, "%" PRIu64 " files %s, %" PRIu64 " bytes, %" PRIu64 " failed",
                 counts.files, options.dry_run ? "would be removed" : "removed", counts.bytes,
                 counts.failed);
    return counts.failed ? EXIT_FAILED : EXIT_COMPLETE;
}
