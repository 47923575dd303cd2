/* prefetch.h: what the files of `trolley prefetch` share. SPDX-License-Identifier: MIT */
#ifndef CLI_PREFETCH_H
#define CLI_PREFETCH_H

#include "core/cli/cli.h"

/* The help of the command, as main's table has it. */
#define PREFETCH_DETAILS                                                      \
    "run               runs tasks and polls watches until SIGTERM, which\n"   \
    "                  finishes the requests in hand\n"                       \
    "once              polls each watch once, runs what is due, ends\n"       \
    "check [--probe]   looks through the configuration, shows the URLs of\n"  \
    "                  an example; --probe: does the proxy keep them?\n"      \
    "export            schedules --exporter ID for --study UID [--series\n"   \
    "                  UID [--instance UID]] or for --query KEY=VALUE\n"      \
    "tasks list | show | count | cancel | reschedule | delete [ID ...]\n"     \
    "queue pause | resume NAME\n"                                             \
    "storage verify | purge NAME   what a template storage has written\n"     \
    "import-ldif FILE  dcm4chee's LDIF as sections of an INI file\n"          \
    "TIME: 2026-03-01, 2026-03-01T18:00, 18:00, all local; ...Z; +2h, -7d.\n" \
    "Exit status: 0 completed, 3 some requests failed, 1 failed, 2 usage.\n"

/* One form of the command: "tasks list". */
struct prefetch_form {
    const char *words[2];          /* the second may be NULL */
    const enum option_id *options; /* that it takes, up to OPTION_COUNT */
    int (*run)(struct cli *cli, struct trolley_prefetch *prefetch);
    uint32_t fewest, most; /* words behind */
    enum prefetch_need { PREFETCH_NEEDS_TASKS, PREFETCH_NEEDS_SETUP, PREFETCH_NEEDS_NOTHING } need;
};

/* What stands behind the words of the form. */
const char *const *prefetch_words(const struct cli *cli, const struct prefetch_form *form);
extern const struct prefetch_form prefetch_forms[];

/* Reads TIME; `now_ms` is its anchor. INVALID_ARG. */
int prefetch_time(const char *text, int64_t now_ms, int64_t *ret_ms, struct trolley_error *error);

/* "2026-03-01T18:00:00Z", or local time without the Z; "" for 0. At least 32 bytes. */
void prefetch_time_text(int64_t ms, bool local, char out[32]);

/* The filter that options and words (numbers of tasks) make. *ret_ids is the caller's. */
int prefetch_filter(struct cli *cli, const char *const *words, int64_t now_ms,
                    struct trolley_prefetch_filter *ret_filter, int64_t **ret_ids,
                    struct trolley_error *error);

/* Prints tasks as --format says. */
int prefetch_rows(struct cli *cli, struct trolley_prefetch *prefetch,
                  const struct trolley_prefetch_filter *filter, struct trolley_error *error);
int prefetch_counts(struct cli *cli, const uint64_t counts[8]);
/* One task in full. */
int prefetch_row_show(struct cli *cli, const struct trolley_prefetch_task *task);

int prefetch_run(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_once(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_export_command(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_tasks_list(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_tasks_show(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_tasks_count(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_tasks_cancel(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_tasks_reschedule(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_tasks_delete(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_queue_pause(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_queue_resume(struct cli *cli, struct trolley_prefetch *prefetch);
/* These get NULL for prefetch. */
int prefetch_check(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_storage_verify_command(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_storage_purge_command(struct cli *cli, struct trolley_prefetch *prefetch);
int prefetch_import(struct cli *cli, struct trolley_prefetch *prefetch);

#endif
