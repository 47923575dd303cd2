/* cmd_find.c: trolley find. SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "core/cli/cli.h"
#include "core/cli/format.h"
#include "core/cli/message.h"

struct find {
    struct trolley_query_builder *query;
    struct columns fields, include;
    int (*write)(struct format *format, struct output *output);
    uint32_t level;
};

static const struct {
    const char *name;
    int (*write)(struct format *format, struct output *output);
} find_formats[] = {
    {"table", format_table}, {"tree", format_tree},   {"csv", format_csv},
    {"json", format_json},   {"jsonl", format_jsonl}, {"dicom-json", format_dicom_json},
};

static const char *const find_levels[] = {"", "study", "series", "instance"};

static uint32_t find_level(const char *name)
{
    uint32_t level;

    for (level = TROLLEY_LEVEL_STUDY; name && level <= TROLLEY_LEVEL_INSTANCE; level++)
        if (strcmp(find_levels[level], name) == 0) return level;
    return TROLLEY_LEVEL_STUDY;
}

static int find_prepare(struct cli *cli, struct find *find, struct trolley_error *error)
{
    const char *name = options_value(&cli->args, OPTION_FORMAT);
    size_t i;
    int r = 0;

    if (!name) name = isatty(cli->output.fd) ? "table" : "jsonl";
    for (i = 0; i < sizeof find_formats / sizeof find_formats[0]; i++)
        if (strcmp(find_formats[i].name, name) == 0) find->write = find_formats[i].write;
    find->level = find_level(options_value(&cli->args, OPTION_LEVEL));
    for (i = 0; r == 0 && i < cli->args.given_count; i++)
        if (cli->args.given[i].id == OPTION_FIELDS)
            r = columns_add_list(&find->fields, cli->args.given[i].value, error);
    if (r < 0) return r;
    return cli_query(cli, &find->include, &find->query, error);
}

/* Returns the exit status of printing alone; failed writes are the output's own affair. */
static int find_print(struct cli *cli, const struct find *find, const struct trolley_tree *tree)
{
    struct format format = {
        .tree = tree,
        .level = find->level,
        .fields = find->fields.count ? &find->fields : NULL,
        .include = &find->include,
        .raw = options_count(&cli->args, OPTION_RAW) > 0,
        .terminal = isatty(cli->output.fd),
        .bold = console_may_colour(cli->output.fd),
        .width = console_width(cli->output.fd, 0),
    };
    int r = find->write(&format, &cli->output);

    if (r < 0 && !cli->output.failed) {
        console_error(&cli->console, trolley_status_name(r));
        return EXIT_FAILED;
    }
    if (format.hidden)
        console_note(&cli->console,
                     "%zu more columns do not fit; choose with --fields, or see --format jsonl",
                     format.hidden);
    return EXIT_COMPLETE;
}

/* The exit status of a find that returned `r`, after saying what there is to say. */
static int find_judge(struct cli *cli, const struct find *find,
                      const struct trolley_find_result *result, int r,
                      const struct trolley_error *error)
{
    uint64_t rows = trolley_tree_count(result->tree, find->level);

    if (result->dropped)
        console_note(&cli->console, "%llu answers contradicted the query and were dropped",
                     (unsigned long long)result->dropped);
    if (r < 0) return cli_error(cli, error, exit_of(r, rows > 0));
    if (rows == 0) console_note(&cli->console, "no %s matches", find_levels[find->level]);
    return EXIT_COMPLETE;
}

static bool find_is_one(struct cli *cli, const struct trolley_tree *tree)
{
    uint64_t studies = trolley_tree_count(tree, TROLLEY_LEVEL_STUDY);
    struct trolley_error error;

    if (studies == 1 || !options_count(&cli->args, OPTION_ONE)) return true;
    (void)cli_fail(&error, TROLLEY_ERR_NOT_FOUND, "%llu studies match, --one wants exactly one",
                   (unsigned long long)studies);
    console_error(&cli->console, error.message);
    return false;
}

int cmd_find(struct cli *cli)
{
    struct trolley_find_result result = {0};
    struct trolley_error error = {0};
    struct find find = {0};
    int r, status = EXIT_USAGE;

    r = find_prepare(cli, &find, &error);
    if (r == 0) r = cli_open_trolley(cli, &error);
    if (r < 0) {
        status = cli_error(cli, &error, EXIT_USAGE);
        goto out;
    }
    r = trolley_find(cli->trolley, find.query, cli_remark, cli, &result, &error);
    if (!result.tree) {
        status = cli_error(cli, &error, exit_of(r, false));
        goto out;
    }
    status = find_judge(cli, &find, &result, r, &error);
    if (r == 0 && !find_is_one(cli, result.tree))
        status = EXIT_FAILED;
    else if (r == 0 || trolley_tree_count(result.tree, find.level) > 0)
        status = exit_worse(status, find_print(cli, &find, result.tree));
out:
    trolley_tree_free(result.tree);
    trolley_query_free(find.query);
    columns_free(&find.fields);
    columns_free(&find.include);
    return status;
}
