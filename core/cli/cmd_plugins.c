/* cmd_plugins.c: trolley plugins. SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/message.h"
#include "core/cli/plugin_text.h"
#include "core/cli/table.h"

enum { PLUGINS_NAME, PLUGINS_VERSION, PLUGINS_KINDS, PLUGINS_SUMMARY, PLUGINS_COLUMNS };

struct plugins {
    struct cli *cli;
    struct table table;
    struct kit_buffer line;
    struct kit_json json;
    int status;
};

/* The cells of a plugin: name, version, kinds, and its summary or what is the matter with it. */
static int plugins_cells(const struct trolley_plugin_info *info,
                         struct kit_buffer cells[PLUGINS_COLUMNS])
{
    const struct trolley_plugin *plugin = info->plugin;
    int r = plugin_escape(&cells[PLUGINS_NAME], info->name);

    if (r == 0) r = plugin_escape(&cells[PLUGINS_VERSION], plugin ? plugin->version : "-");
    if (r == 0)
        r = plugin ? plugin_kinds(&cells[PLUGINS_KINDS], plugin)
                   : kit_buffer_text(&cells[PLUGINS_KINDS], "-");
    if (r == 0 && info->shadowed_by) {
        r = kit_buffer_text(&cells[PLUGINS_SUMMARY], "shadowed by ");
        return r < 0 ? r : plugin_escape(&cells[PLUGINS_SUMMARY], info->shadowed_by);
    }
    if (r < 0) return r;
    return plugin_escape(&cells[PLUGINS_SUMMARY], plugin ? plugin->summary : info->problem);
}

/* Measures or (`print`) prints the row of a plugin. */
static void plugins_row(struct plugins *plugins, const struct trolley_plugin_info *info, bool print)
{
    struct kit_buffer cells[PLUGINS_COLUMNS] = {{0}};
    int r = plugins->status < 0 ? plugins->status : plugins_cells(info, cells);
    size_t i;

    for (i = 0; r == 0 && i < PLUGINS_COLUMNS; i++)
        if (print)
            r = table_cell(&plugins->table, i, cells[i].data, &plugins->line);
        else
            table_measure(&plugins->table, i, cells[i].data);
    if (r == 0 && print) r = output_buffer(&plugins->cli->output, &plugins->line);
    for (i = 0; i < PLUGINS_COLUMNS; i++)
        kit_buffer_free(&cells[i]);
    plugins->status = r;
}

static void plugins_measure(void *ctx, const struct trolley_plugin_info *info)
{
    plugins_row(ctx, info, false);
}

static void plugins_print(void *ctx, const struct trolley_plugin_info *info)
{
    plugins_row(ctx, info, true);
}

static void plugins_json(void *ctx, const struct trolley_plugin_info *info)
{
    struct plugins *plugins = ctx;

    if (plugins->status == 0) plugin_json(&plugins->json, info);
    if (plugins->status == 0) plugins->status = plugins->json.status;
    if (plugins->status == 0)
        plugins->status = output_buffer(&plugins->cli->output, &plugins->line);
}

static int plugins_list_table(struct plugins *plugins, struct trolley_error *error)
{
    static const char *const headers[PLUGINS_COLUMNS] = {"NAME", "VERSION", "KINDS", "SUMMARY"};
    struct cli *cli = plugins->cli;
    int r = table_init(&plugins->table, headers, PLUGINS_COLUMNS);

    if (r < 0) return cli_no_memory(error);
    r = trolley_plugins(cli->setup, plugins_measure, plugins, error);
    if (r < 0) return r;
    table_layout(&plugins->table, console_width(cli->output.fd, 0), false);
    plugins->table.bold = console_may_colour(cli->output.fd);
    plugins->status = table_headers(&plugins->table, &plugins->line);
    if (plugins->status == 0) plugins->status = output_buffer(&cli->output, &plugins->line);
    return trolley_plugins(cli->setup, plugins_print, plugins, error);
}

static int plugins_list_json(struct plugins *plugins, struct trolley_error *error)
{
    int r;

    kit_json_open(&plugins->json, NULL, '[');
    r = trolley_plugins(plugins->cli->setup, plugins_json, plugins, error);
    kit_json_close(&plugins->json);
    if (r == 0 && plugins->status == 0) plugins->status = plugins->json.status;
    if (r == 0 && plugins->status == 0) plugins->status = kit_buffer_text(&plugins->line, "\n");
    if (r == 0 && plugins->status == 0)
        plugins->status = output_buffer(&plugins->cli->output, &plugins->line);
    return r;
}

static int plugins_one(struct plugins *plugins, const char *name, bool json,
                       struct trolley_error *error)
{
    struct trolley_plugin_info info = {0};
    int r = trolley_plugin_get(plugins->cli->setup, name, &info, error);

    if (r < 0) return r;
    if (json) {
        plugin_json(&plugins->json, &info);
        plugins->status = plugins->json.status;
        if (plugins->status == 0) plugins->status = kit_buffer_text(&plugins->line, "\n");
    } else {
        plugins->status = plugin_text(&plugins->line, &info);
    }
    if (plugins->status == 0)
        plugins->status = output_buffer(&plugins->cli->output, &plugins->line);
    return 0;
}

/* The format wanted: 1 for json, 0 for text, or INVALID_ARG. */
static int plugins_format(const struct cli *cli, struct trolley_error *error)
{
    const char *format = options_value(&cli->args, OPTION_FORMAT);

    if (cli->args.word_count > 1)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "plugins takes one name at most");
    if (!format || strcmp(format, "table") == 0) return 0;
    if (strcmp(format, "json") == 0) return 1;
    return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "plugins --format: table or json");
}

int cmd_plugins(struct cli *cli)
{
    struct plugins plugins = {.cli = cli};
    struct trolley_error error = {0};
    int r, json = plugins_format(cli, &error), status = EXIT_COMPLETE;

    if (json < 0 || cli_open_setup(cli, true, &error) < 0)
        return cli_error(cli, &error, EXIT_USAGE);
    plugins.json.out = &plugins.line;
    if (cli->args.word_count)
        r = plugins_one(&plugins, cli->args.words[0], json, &error);
    else
        r = json ? plugins_list_json(&plugins, &error) : plugins_list_table(&plugins, &error);
    if (r == 0 && plugins.status < 0 && !cli->output.failed)
        r = cli_fail_kit(&error, plugins.status, "plugins");
    if (r < 0)
        status = cli_error(cli, &error, r == TROLLEY_ERR_NOT_FOUND ? EXIT_USAGE : EXIT_FAILED);
    kit_buffer_free(&plugins.line);
    table_free(&plugins.table);
    return status;
}
