/* cmd_download.c: trolley download. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "core/cli/arrivals.h"
#include "core/cli/cli.h"
#include "core/cli/message.h"
#include "core/cli/progress.h"
#include "core/cli/refs.h"
#include "core/cli/report.h"
#include "core/cli/verdict.h"

#define DOWNLOAD_SHOWN 10 /* objects that failed, told on standard error */

struct download {
    struct cli *cli;
    struct trolley_query_builder *query; /* one of query, one and list */
    struct trolley_ref one;
    bool one_given;
    struct refs *list;
    struct report report;
    bool reporting, dry_run;
    struct progress progress;
    struct arrivals arrivals;
    unsigned shown;
};

/* ---- callbacks of the library --------------------------------------------------------------- */

/* The single reference of --study, --series and --instance, once. */
static int download_one(void *ctx, struct trolley_ref *ref, struct trolley_error *error)
{
    struct download *download = ctx;

    (void)error;
    if (!download->one_given) return 0;
    download->one_given = false;
    *ref = download->one;
    return 1;
}

static void download_outcome(void *ctx, const struct trolley_outcome *outcome)
{
    struct download *download = ctx;
    struct kit_buffer text = {0};
    int r;

    if (download->reporting) report_outcome(&download->report, outcome);
    if (!download->dry_run) arrivals_outcome(&download->arrivals, outcome);
    if (outcome->kind != TROLLEY_OUTCOME_MISSING && outcome->kind != TROLLEY_OUTCOME_FAILED) return;
    if (++download->shown > DOWNLOAD_SHOWN) return;
    r = kit_buffer_printf(&text, "%s: study %s", outcome_name(outcome->kind),
                          outcome->study ? outcome->study : "unknown");
    if (r == 0 && outcome->series) r = kit_buffer_printf(&text, " series %s", outcome->series);
    if (r == 0 && outcome->instance)
        r = kit_buffer_printf(&text, " instance %s", outcome->instance);
    if (r == 0 && outcome->message) r = kit_buffer_printf(&text, ": %s", outcome->message);
    if (r == 0)
        console_log(&download->cli->console, TROLLEY_LOG_WARNING, outcome->downloader, text.data);
    kit_buffer_free(&text);
}

static void download_progress(void *ctx, const struct trolley_counts *counts)
{
    struct download *download = ctx;

    if (!download->dry_run) progress_show(&download->progress, counts);
}

static void download_worker(void *ctx, const struct trolley_worker *worker)
{
    struct download *download = ctx;

    progress_worker(&download->progress, worker);
}

/* A dry run's remarks are its result. */
static void download_remark(void *ctx, const struct trolley_remark *remark)
{
    struct download *download = ctx;
    struct output *output = &download->cli->output;
    struct trolley_error line;

    if (download->reporting) report_remark(&download->report, remark);
    if (!download->dry_run || remark->severity < TROLLEY_LOG_INFO) {
        cli_remark(download->cli, remark);
        return;
    }
    (void)cli_fail(&line, 0, "%s", remark->message);
    (void)output_printf(output, "%s: %s\n", remark->component ? remark->component : "trolley",
                        line.message);
}

/* ---- what to download ----------------------------------------------------------------------- */

/* --series without --study and the like. */
static int download_uids(struct download *download, struct trolley_error *error)
{
    const struct cli_args *args = &download->cli->args;
    struct trolley_ref *one = &download->one;

    *one = (struct trolley_ref){
        .size = sizeof *one,
        .study = options_value(args, OPTION_STUDY),
        .series = options_value(args, OPTION_SERIES),
        .instance = options_value(args, OPTION_INSTANCE),
    };
    if (one->series && !one->study)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--series needs --study");
    if (one->instance && !one->series)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--instance needs --study and --series");
    one->level = one->instance ? TROLLEY_LEVEL_INSTANCE
                 : one->series ? TROLLEY_LEVEL_SERIES
                               : TROLLEY_LEVEL_STUDY;
    download->one_given = one->study != NULL;
    return 0;
}

static int download_what(struct download *download, struct trolley_error *error)
{
    const struct cli_args *args = &download->cli->args;
    const char *from = options_value(args, OPTION_FROM);
    int r = download_uids(download, error);

    if (r < 0) return r;
    if ((args->word_count > 0) + download->one_given + (from != NULL) != 1)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "download wants one of: KEY=VALUE ..., --study UID, --from FILE");
    if (options_count(args, OPTION_OVERWRITE) && options_count(args, OPTION_VERIFY))
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "--overwrite and --verify exclude each other");
    if (options_value(args, OPTION_QUERY_TYPE) && args->word_count == 0)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--query-type goes with KEY=VALUE");
    if (args->word_count) return cli_query(download->cli, NULL, &download->query, error);
    return from ? refs_open(from, &download->list, error) : 0;
}

static uint32_t download_flags(const struct cli_args *args)
{
    static const struct {
        enum option_id id;
        uint32_t flag;
    } flags[] = {
        {OPTION_OVERWRITE, TROLLEY_DOWNLOAD_OVERWRITE},
        {OPTION_VERIFY, TROLLEY_DOWNLOAD_VERIFY},
        {OPTION_REQUIRE_VERIFIED, TROLLEY_DOWNLOAD_REQUIRE_VERIFIED},
        {OPTION_DRY_RUN, TROLLEY_DOWNLOAD_DRY_RUN},
    };
    uint32_t all = 0;
    size_t i;

    for (i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (options_count(args, flags[i].id)) all |= flags[i].flag;
    return all;
}

/* ---- running -------------------------------------------------------------------------------- */

/* Everything that can fail before anything is fetched. */
static int download_prepare(struct download *download, struct trolley_error *error)
{
    const char *report = options_value(&download->cli->args, OPTION_REPORT);
    int r = download_what(download, error);

    if (r == 0) r = cli_open_trolley(download->cli, error);
    if (r == 0) r = arrivals_open(&download->arrivals, download->cli, error);
    if (r == 0 && report) {
        r = report_open(&download->report, report, error);
        download->reporting = r == 0;
    }
    return r;
}

/* What is worth a word beside the verdict. */
static void download_notes(struct download *download, int r, const struct trolley_counts *counts)
{
    struct console *console = &download->cli->console;

    if (download->shown > DOWNLOAD_SHOWN)
        console_note(console, "%u more objects are missing or failed; --report lists them",
                     download->shown - DOWNLOAD_SHOWN);
    if (counts->unexpected || counts->duplicate)
        console_note(console, "warning: the server sent objects that nobody asked for, or twice; "
                              "they were not stored");
    if (r == 0 && !counts_verified(counts))
        console_note(console, "unverified: no searcher said what to expect%s",
                     counts->verified ? " of some studies" : "");
    if (r == TROLLEY_ERR_CANCELLED)
        console_note(console, "what is stored stays; the same command goes on from there");
}

/* Says how it went; returns the exit status. */
static int download_judge(struct download *download, int r, const struct trolley_counts *counts,
                          const struct trolley_error *error)
{
    struct cli *cli = download->cli;
    struct kit_buffer verdict = {0};
    int status = exit_of(r, counts_delivered(counts) > 0);

    if (r < 0 && error->message[0]) console_error(&cli->console, error->message);
    /* A malformed list is the user's affair, however much of it was fetched. */
    if (download->list && refs_failed(download->list)) status = EXIT_USAGE;
    if (status == EXIT_USAGE && counts_done(counts) == 0) return status;
    download_notes(download, r, counts);
    if (download->dry_run && r == 0)
        console_verdict(&cli->console, "dry run: nothing was fetched");
    else if (verdict_text(&verdict, r, counts) == 0)
        console_verdict(&cli->console, verdict.data);
    kit_buffer_free(&verdict);
    return status;
}

/* A report that is not whole leaves something asked for missing. */
static int download_close_report(struct download *download, int status)
{
    struct trolley_error error;
    bool closed = output_closed(&download->report.file) && download->report.file.fd == 1;

    if (report_close(&download->report, &error) == 0 || closed) return status;
    console_error(&download->cli->console, error.message);
    return exit_worse(status, EXIT_PARTIAL);
}

static int download_run(struct download *download)
{
    struct cli *cli = download->cli;
    struct trolley_download_options options = {
        .query = download->query,
        .output = options_value(&cli->args, OPTION_OUTPUT),
        .downloader = options_value(&cli->args, OPTION_DOWNLOADER),
        /* Hashes are for the report, and cost more than all the rest of the program. */
        .flags =
            download_flags(&cli->args) | (download->reporting ? 0 : TROLLEY_DOWNLOAD_NO_HASHES),
        .outcome = download_outcome,
        .progress = download_progress,
        .remark = download_remark,
        .ctx = download,
        .worker = download_worker,
    };
    struct trolley_counts counts = {0};
    struct trolley_error error = {0};
    int r, status = EXIT_COMPLETE;

    if (download->list) {
        options.source = refs_next;
        options.source_ctx = download->list;
    } else if (!download->query) {
        options.source = download_one;
        options.source_ctx = download;
    }
    download->progress.per_worker = cli->console.level >= TROLLEY_LOG_INFO && !cli->console.quiet;
    r = trolley_download(cli->trolley, &options, &counts, &error);
    progress_end(&download->progress);
    if (download->reporting) status = download_close_report(download, status);
    return exit_worse(download_judge(download, r, &counts, &error), status);
}

int cmd_download(struct cli *cli)
{
    struct download download = {.cli = cli};
    struct trolley_error error = {0};
    int status;

    download.dry_run = options_count(&cli->args, OPTION_DRY_RUN) > 0;
    download.progress.console = &cli->console;
    if (download_prepare(&download, &error) < 0)
        status = cli_error(cli, &error, EXIT_USAGE);
    else
        status = download_run(&download);
    status = exit_worse(status, arrivals_close(&download.arrivals));
    trolley_query_free(download.query);
    refs_close(download.list);
    return status;
}
