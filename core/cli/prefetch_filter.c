/* prefetch_filter.c: which tasks a command line means. SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/message.h"
#include "core/cli/prefetch.h"

static int filter_ids(struct cli *cli, const char *const *words,
                      struct trolley_prefetch_filter *filter, int64_t **ret_ids,
                      struct trolley_error *error)
{
    size_t count = 0, i;
    int64_t *ids;

    while (words + count < (const char *const *)cli->args.words + cli->args.word_count)
        count++;
    if (count == 0) return 0;
    ids = calloc(count, sizeof *ids);
    if (!ids) return cli_no_memory(error);
    for (i = 0; i < count; i++) {
        char *end;

        errno = 0;
        ids[i] = strtoll(words[i], &end, 10);
        if (errno || !isdigit((unsigned char)words[i][0]) || *end) {
            free(ids);
            return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "%s: no number of a task", words[i]);
        }
    }
    filter->ids = *ret_ids = ids;
    filter->id_count = (uint32_t)count;
    return 0;
}

/* --status, repeated or with commas. */
static int filter_status(const char *list, struct trolley_prefetch_filter *filter,
                         struct trolley_error *error)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        char name[32] = "";
        uint32_t state;

        if (length < sizeof name) memcpy(name, list, length);
        state = trolley_prefetch_state_parse(name);
        if (!state)
            return cli_fail(error, TROLLEY_ERR_INVALID_ARG,
                            "--status %s: not one of scheduled, in-process, completed, warning, "
                            "failed, canceled, retry",
                            list);
        filter->states |= TROLLEY_PREFETCH_STATE_BIT(state);
        list += length + (list[length] == ',');
    }
    return 0;
}

int prefetch_filter(struct cli *cli, const char *const *words, int64_t now_ms,
                    struct trolley_prefetch_filter *ret_filter, int64_t **ret_ids,
                    struct trolley_error *error)
{
    const struct cli_args *args = &cli->args;
    const char *since = options_value(args, OPTION_SINCE),
               *until = options_value(args, OPTION_UNTIL);
    struct trolley_prefetch_filter filter = {.exporter = options_value(args, OPTION_EXPORTER),
                                             .study = options_value(args, OPTION_STUDY),
                                             .batch = options_value(args, OPTION_BATCH)};
    size_t i;
    int r = 0;

    *ret_ids = NULL;
    for (i = 0; r == 0 && i < args->given_count; i++)
        if (args->given[i].id == OPTION_STATUS)
            r = filter_status(args->given[i].value, &filter, error);
    if (r == 0 && since) r = prefetch_time(since, now_ms, &filter.since_ms, error);
    if (r == 0 && until) r = prefetch_time(until, now_ms, &filter.until_ms, error);
    if (r == 0) r = filter_ids(cli, words, &filter, ret_ids, error);
    if (r == 0) *ret_filter = filter;
    return r;
}
