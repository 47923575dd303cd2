/* cmd_prefetch_tasks.c: trolley prefetch tasks, queue. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

/* The words behind "tasks cancel" and the like. */
static const char *const *tasks_words(const struct cli *cli)
{
    return (const char *const *)cli->args.words + 2;
}

static int tasks_status(int r)
{
    return r == TROLLEY_ERR_INVALID_ARG || r == TROLLEY_ERR_INVALID_CONFIG ? EXIT_USAGE
                                                                           : EXIT_FAILED;
}

/* ---- looking -------------------------------------------------------------------------------- */

int prefetch_tasks_list(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct trolley_prefetch_filter filter;
    struct trolley_error error = {0};
    int64_t *ids = NULL;
    int r = prefetch_filter(cli, tasks_words(cli), trolley_prefetch_now(prefetch), &filter, &ids,
                            &error);

    if (r == 0) r = prefetch_rows(cli, prefetch, &filter, &error);
    free(ids);
    return r < 0 ? cli_error(cli, &error, tasks_status(r)) : EXIT_COMPLETE;
}

int prefetch_tasks_count(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct trolley_prefetch_filter filter;
    struct trolley_error error = {0};
    uint64_t counts[8];
    int64_t *ids = NULL;
    int r = prefetch_filter(cli, tasks_words(cli), trolley_prefetch_now(prefetch), &filter, &ids,
                            &error);

    if (r == 0) r = trolley_prefetch_count(prefetch, &filter, counts, &error);
    if (r == 0) (void)prefetch_counts(cli, counts);
    free(ids);
    return r < 0 ? cli_error(cli, &error, tasks_status(r)) : EXIT_COMPLETE;
}

struct tasks_shown {
    struct cli *cli;
    bool found;
};

static int tasks_show(void *ctx, const struct trolley_prefetch_task *task)
{
    struct tasks_shown *shown = ctx;

    shown->found = true;
    return prefetch_row_show(shown->cli, task);
}

int prefetch_tasks_show(struct cli *cli, struct trolley_prefetch *prefetch)
{
    struct tasks_shown shown = {cli, false};
    struct trolley_prefetch_filter filter;
    struct trolley_error error = {0};
    int64_t *ids = NULL;
    int r = prefetch_filter(cli, tasks_words(cli), trolley_prefetch_now(prefetch), &filter, &ids,
                            &error);

    if (r == 0) r = trolley_prefetch_tasks(prefetch, &filter, tasks_show, &shown, &error);
    free(ids);
    if (r == 0 && !shown.found)
        r = cli_fail(&error, TROLLEY_ERR_NOT_FOUND, "there is no task %s", tasks_words(cli)[0]);
    return r < 0 ? cli_error(cli, &error, tasks_status(r)) : EXIT_COMPLETE;
}

/* ---- changing ------------------------------------------------------------------------------- */

struct tasks_change {
    const char *done; /* "canceled" */
    int (*change)(struct cli *cli, struct trolley_prefetch *prefetch,
                  const struct trolley_prefetch_filter *filter,
                  struct trolley_prefetch_changes *ret_changes, struct trolley_error *error);
};

/* All tasks at once are not meant by a command line that was cut short. */
static int change_named(const struct cli *cli, const struct trolley_prefetch_filter *filter,
                        struct trolley_error *error)
{
    if (filter->ids || filter->states || filter->exporter || filter->study || filter->batch ||
        filter->since_ms || filter->until_ms)
        return 0;
    return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                    "prefetch tasks %s: which ones? numbers of tasks, or --status, --exporter, "
                    "--study, --batch, --since, --until",
                    cli->args.words[1]);
}

/* What was named and is not there, or may not be changed, is a failure; what a filter left out is
 * none. */
static int change_judge(struct cli *cli, const struct tasks_change *change,
                        const struct trolley_prefetch_filter *filter,
                        const struct trolley_prefetch_changes *changes)
{
    uint64_t known = changes->changed + changes->merged + changes->refused;

    (void)output_printf(&cli->output, "%" PRIu64 " tasks %s", changes->changed, change->done);
    if (changes->merged)
        (void)output_printf(&cli->output, ", %" PRIu64 " merged with a pending one",
                            changes->merged);
    if (changes->refused)
        (void)output_printf(&cli->output, ", %" PRIu64 " left: their state does not allow it",
                            changes->refused);
    if (filter->ids && known < filter->id_count)
        (void)output_printf(&cli->output, ", %" PRIu64 " not there", filter->id_count - known);
    (void)output_text(&cli->output, "\n");
    return filter->ids && changes->changed + changes->merged < filter->id_count ? EXIT_FAILED
                                                                                : EXIT_COMPLETE;
}

static int tasks_change(struct cli *cli, struct trolley_prefetch *prefetch,
                        const struct tasks_change *change)
{
    struct trolley_prefetch_changes changes = {0};
    struct trolley_prefetch_filter filter;
    struct trolley_error error = {0};
    int64_t *ids = NULL;
    int status = EXIT_COMPLETE,
        r = prefetch_filter(cli, tasks_words(cli), trolley_prefetch_now(prefetch), &filter, &ids,
                            &error);

    if (r == 0) r = change_named(cli, &filter, &error);
    if (r == 0 && options_count(&cli->args, OPTION_DRY_RUN)) {
        r = prefetch_rows(cli, prefetch, &filter, &error);
    } else if (r == 0) {
        r = change->change(cli, prefetch, &filter, &changes, &error);
        if (r == 0) status = change_judge(cli, change, &filter, &changes);
    }
    free(ids);
    return r < 0 ? cli_error(cli, &error, tasks_status(r)) : status;
}

static int change_cancel(struct cli *cli, struct trolley_prefetch *prefetch,
                         const struct trolley_prefetch_filter *filter,
                         struct trolley_prefetch_changes *ret_changes, struct trolley_error *error)
{
    (void)cli;
    return trolley_prefetch_cancel(prefetch, filter, ret_changes, error);
}

static int change_delete(struct cli *cli, struct trolley_prefetch *prefetch,
                         const struct trolley_prefetch_filter *filter,
                         struct trolley_prefetch_changes *ret_changes, struct trolley_error *error)
{
    (void)cli;
    return trolley_prefetch_delete(prefetch, filter, ret_changes, error);
}

static int change_reschedule(struct cli *cli, struct trolley_prefetch *prefetch,
                             const struct trolley_prefetch_filter *filter,
                             struct trolley_prefetch_changes *ret_changes,
                             struct trolley_error *error)
{
    const char *at = options_value(&cli->args, OPTION_AT);
    int64_t at_ms = 0;
    int r = at ? prefetch_time(at, trolley_prefetch_now(prefetch), &at_ms, error) : 0;

    if (r < 0) return r;
    return trolley_prefetch_reschedule(prefetch, filter, at_ms,
                                       options_value(&cli->args, OPTION_TO), ret_changes, error);
}

int prefetch_tasks_cancel(struct cli *cli, struct trolley_prefetch *prefetch)
{
    return tasks_change(cli, prefetch, &(const struct tasks_change){"canceled", change_cancel});
}

int prefetch_tasks_reschedule(struct cli *cli, struct trolley_prefetch *prefetch)
{
    return tasks_change(cli, prefetch,
                        &(const struct tasks_change){"rescheduled", change_reschedule});
}

int prefetch_tasks_delete(struct cli *cli, struct trolley_prefetch *prefetch)
{
    return tasks_change(cli, prefetch, &(const struct tasks_change){"deleted", change_delete});
}

/* ---- queues --------------------------------------------------------------------------------- */

static int queue_set(struct cli *cli, struct trolley_prefetch *prefetch, bool paused)
{
    struct trolley_error error = {0};
    int r = trolley_prefetch_pause(prefetch, cli->args.words[2], paused, &error);

    return r < 0 ? cli_error(cli, &error, tasks_status(r)) : EXIT_COMPLETE;
}

int prefetch_queue_pause(struct cli *cli, struct trolley_prefetch *prefetch)
{
    return queue_set(cli, prefetch, true);
}

int prefetch_queue_resume(struct cli *cli, struct trolley_prefetch *prefetch)
{
    return queue_set(cli, prefetch, false);
}
