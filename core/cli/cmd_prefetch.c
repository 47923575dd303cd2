/* cmd_prefetch.c: trolley prefetch: which of its forms is meant. SPDX-License-Identifier: MIT */
#include <string.h>

#include <kit/text.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

#define FILTER \
    OPTION_STATUS, OPTION_EXPORTER, OPTION_STUDY, OPTION_BATCH, OPTION_SINCE, OPTION_UNTIL

static const enum option_id takes_clock[] = {OPTION_CLOCK, OPTION_COUNT};
static const enum option_id takes_export[] = {
    OPTION_CLOCK, OPTION_EXPORTER, OPTION_STUDY, OPTION_SERIES,  OPTION_INSTANCE, OPTION_QUERY,
    OPTION_AT,    OPTION_BATCH,    OPTION_FORCE, OPTION_DRY_RUN, OPTION_COUNT};
static const enum option_id takes_filter[] = {OPTION_CLOCK, FILTER, OPTION_DRY_RUN, OPTION_COUNT};
static const enum option_id takes_list[] = {OPTION_CLOCK, FILTER, OPTION_FORMAT, OPTION_COUNT};
static const enum option_id takes_show[] = {OPTION_CLOCK, OPTION_FORMAT, OPTION_COUNT};
static const enum option_id takes_reschedule[] = {OPTION_CLOCK, FILTER,         OPTION_AT,
                                                  OPTION_TO,    OPTION_DRY_RUN, OPTION_COUNT};
static const enum option_id takes_once[] = {OPTION_CLOCK, OPTION_DRY_RUN, OPTION_COUNT};

static const enum option_id takes_check[] = {OPTION_PROBE,  OPTION_EXPORTER, OPTION_STUDY,
                                             OPTION_SERIES, OPTION_INSTANCE, OPTION_COUNT};
static const enum option_id takes_verify[] = {OPTION_STUDY, OPTION_SERIES, OPTION_INSTANCE,
                                              OPTION_FORGET, OPTION_COUNT};
static const enum option_id takes_purge[] = {OPTION_STUDY, OPTION_SERIES,  OPTION_INSTANCE,
                                             OPTION_OLDER, OPTION_DRY_RUN, OPTION_COUNT};
static const enum option_id takes_import[] = {OPTION_SEARCHER, OPTION_SESSION, OPTION_SET,
                                              OPTION_REWRITE,  OPTION_DRY_RUN, OPTION_COUNT};

const struct prefetch_form prefetch_forms[] = {
    {{"run", NULL}, takes_clock, prefetch_run, 0, 0, PREFETCH_NEEDS_TASKS},
    {{"once", NULL}, takes_once, prefetch_once, 0, 0, PREFETCH_NEEDS_TASKS},
    {{"export", NULL}, takes_export, prefetch_export_command, 0, 0, PREFETCH_NEEDS_TASKS},
    {{"tasks", "list"}, takes_list, prefetch_tasks_list, 0, UINT32_MAX, PREFETCH_NEEDS_TASKS},
    {{"tasks", "show"}, takes_show, prefetch_tasks_show, 1, 1, PREFETCH_NEEDS_TASKS},
    {{"tasks", "count"}, takes_list, prefetch_tasks_count, 0, UINT32_MAX, PREFETCH_NEEDS_TASKS},
    {{"tasks", "cancel"}, takes_filter, prefetch_tasks_cancel, 0, UINT32_MAX, PREFETCH_NEEDS_TASKS},
    {{"tasks", "reschedule"},
     takes_reschedule,
     prefetch_tasks_reschedule,
     0,
     UINT32_MAX,
     PREFETCH_NEEDS_TASKS},
    {{"tasks", "delete"}, takes_filter, prefetch_tasks_delete, 0, UINT32_MAX, PREFETCH_NEEDS_TASKS},
    {{"queue", "pause"}, takes_clock, prefetch_queue_pause, 1, 1, PREFETCH_NEEDS_TASKS},
    {{"queue", "resume"}, takes_clock, prefetch_queue_resume, 1, 1, PREFETCH_NEEDS_TASKS},
    {{"check", NULL}, takes_check, prefetch_check, 0, 0, PREFETCH_NEEDS_SETUP},
    {{"storage", "verify"},
     takes_verify,
     prefetch_storage_verify_command,
     1,
     1,
     PREFETCH_NEEDS_SETUP},
    {{"storage", "purge"}, takes_purge, prefetch_storage_purge_command, 1, 1, PREFETCH_NEEDS_SETUP},
    {{"import-ldif", NULL}, takes_import, prefetch_import, 1, 1, PREFETCH_NEEDS_NOTHING},
    {{NULL, NULL}, NULL, NULL, 0, 0, PREFETCH_NEEDS_TASKS},
};

/* ---- which form ----------------------------------------------------------------------------- */

struct wanted {
    const char *first; /* NULL: the first word is looked for */
};

static const char *form_word(void *ctx, size_t i)
{
    const struct wanted *wanted = ctx;
    const struct prefetch_form *form = prefetch_forms;

    for (; form->run; form++) {
        if (wanted->first && strcmp(form->words[0], wanted->first) != 0) continue;
        if (i-- == 0) return form->words[wanted->first ? 1 : 0];
    }
    return NULL;
}

static int form_unknown(const struct cli *cli, bool known_first, struct trolley_error *error)
{
    const char *word = cli->args.word_count > known_first ? cli->args.words[known_first] : NULL;
    struct wanted wanted = {known_first ? cli->args.words[0] : NULL};
    const char *near = word ? kit_text_nearest(word, form_word, &wanted) : NULL;
    const char *before = known_first ? cli->args.words[0] : "";

    if (!word)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                        "prefetch %s%swhat? see trolley prefetch --help", before,
                        known_first ? " " : "");
    return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "prefetch %s%s%s: no such command%s%s%s",
                    before, known_first ? " " : "", word, near ? "; did you mean " : "",
                    near ? near : "", near ? "?" : "; see trolley prefetch --help");
}

static int form_find(const struct cli *cli, const struct prefetch_form **ret_form,
                     struct trolley_error *error)
{
    const struct prefetch_form *form;
    bool first = false;

    for (form = prefetch_forms; form->run && cli->args.word_count; form++) {
        if (strcmp(cli->args.words[0], form->words[0]) != 0) continue;
        first = true;
        if (form->words[1] &&
            (cli->args.word_count < 2 || strcmp(cli->args.words[1], form->words[1]) != 0))
            continue;
        *ret_form = form;
        return 0;
    }
    return form_unknown(cli, first, error);
}

/* ---- what it may be given ------------------------------------------------------------------- */

static size_t form_length(const struct prefetch_form *form)
{
    return form->words[1] ? 2 : 1;
}

const char *const *prefetch_words(const struct cli *cli, const struct prefetch_form *form)
{
    return cli->args.words + form_length(form);
}

static bool form_takes(const struct prefetch_form *form, enum option_id id)
{
    const enum option_id *option;

    for (option = form->options; *option != OPTION_COUNT; option++)
        if (*option == id) return true;
    return option_entry(id)->commands == COMMAND_ANY;
}

static int form_check(const struct cli *cli, const struct prefetch_form *form,
                      struct trolley_error *error)
{
    const char *second = form->words[1] ? form->words[1] : "", *blank = form->words[1] ? " " : "";
    size_t words = cli->args.word_count - form_length(form), i;

    for (i = 0; i < cli->args.given_count; i++)
        if (!form_takes(form, cli->args.given[i].id))
            return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--%s is no option of prefetch %s%s%s",
                            option_entry(cli->args.given[i].id)->name, form->words[0], blank,
                            second);
    if (words < form->fewest)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "prefetch %s%s%s: which one?",
                        form->words[0], blank, second);
    if (words > form->most)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "prefetch %s%s%s: unexpected argument %s",
                        form->words[0], blank, second,
                        cli->args.words[form_length(form) + form->most]);
    return 0;
}

int cmd_prefetch(struct cli *cli)
{
    struct trolley_prefetch *prefetch = NULL;
    const struct prefetch_form *form = NULL;
    struct trolley_error error = {0};
    int status, r = form_find(cli, &form, &error);

    if (r == 0) r = form_check(cli, form, &error);
    if (r == 0 && form->need != PREFETCH_NEEDS_NOTHING) r = cli_open_setup(cli, false, &error);
    if (r == 0 && form->need == PREFETCH_NEEDS_TASKS)
        r = trolley_prefetch_open(cli->setup, options_value(&cli->args, OPTION_CLOCK), &prefetch,
                                  &error);
    if (r < 0) {
        bool usage = r == TROLLEY_ERR_INVALID_ARG || r == TROLLEY_ERR_INVALID_CONFIG ||
                     r == TROLLEY_ERR_NOT_FOUND;

        return cli_error(cli, &error, usage ? EXIT_USAGE : EXIT_FAILED);
    }
    status = form->run(cli, prefetch);
    exit_stops(NULL);
    trolley_prefetch_close(prefetch);
    return status;
}
