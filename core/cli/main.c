/* main.c: global options and the commands. SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "core/cli/cli.h"
#include "core/cli/log.h"
#include "core/cli/message.h"
#include "core/cli/prefetch.h"

static const struct cli_command main_commands[] = {
    {"find", COMMAND_FIND, "[KEY=VALUE ...]", "Finds studies, series or instances",
     "KEY is a DICOM keyword (PatientName), a tag (00100010), a dotted\n"
     "path of these, or a parameter of the query type (limit). VALUE may\n"
     "have the wildcards * and ?, and be several with \\ between. Dates:\n"
     "20150301, 2015-03-01, 20150301-20150401, A..B, today, today-7d.\n",
     cmd_find},
    {"download", COMMAND_DOWNLOAD, "[KEY=VALUE ...]",
     "Brings home what a query matches, or what references name",
     "One of: KEY=VALUE ... as for find; --study UID and below; --from\n"
     "FILE. What the storage holds whole is skipped: the same command\n"
     "again goes on where it stopped. The last line on standard error is\n"
     "the verdict.\n",
     cmd_download},
    {"ping", COMMAND_PING, "", "Asks every backend of the trolley for a sign of life", NULL,
     cmd_ping},
    {"plugins", COMMAND_PLUGINS, "[NAME]",
     "Lists the plugins, or one plugin's options and query types", NULL, cmd_plugins},
    {"config", COMMAND_CONFIG, "check | show | example [TYPE ...]",
     "Checks or shows the configuration, or prints a sample",
     "check    opens every component of the INI file, without the network\n"
     "show     what is in force, secrets masked\n"
     "example  a commented sample, of these types or of all\n",
     cmd_config},
    {"check-plugin", COMMAND_CHECK_PLUGIN, "FILE",
     "Checks a plugin's shared object against the contract",
     "Each check runs in a process of its own: a crash or a hang is a\n"
     "finding. No server is needed. Exit status 1 when some check fails.\n",
     cmd_check_plugin},
    {"prefetch", COMMAND_PREFETCH,
     "run | once | check | export | tasks | queue | storage | import-ldif ...",
     "Requests ahead what viewers will want, when studies arrive or change", PREFETCH_DETAILS,
     cmd_prefetch},
    {"completion", COMMAND_COMPLETION, "bash | zsh | fish | words -- WORD ...",
     "Prints what a shell needs to complete command lines",
     "bash, zsh, fish  the script; installed where these shells look for it\n"
     "words            what may follow these words: the scripts ask this\n",
     cmd_completion},
    {"manual", COMMAND_MANUAL, "1 | 5 [TYPE ...] | 7", "Prints a manual page for man",
     "1  trolley(1): the program\n"
     "5  trolley.ini(5): the INI file, with the keys of these plugins\n"
     "7  trolley-plugin(7): how a plugin is made\n",
     cmd_manual},
    {0},
};

static int main_help(struct cli *cli)
{
    struct kit_buffer text = {0};
    struct trolley_error error;
    int r = help_text(&text, main_commands, cli->args.command);

    if (r == 0) (void)output_buffer(&cli->output, &text);
    kit_buffer_free(&text);
    if (r == 0) return EXIT_COMPLETE;
    (void)cli_fail_kit(&error, r, "help");
    return cli_error(cli, &error, EXIT_FAILED);
}

static int main_run(struct cli *cli)
{
    struct trolley_error error = {0};

    if (options_count(&cli->args, OPTION_HELP)) return main_help(cli);
    if (options_count(&cli->args, OPTION_VERSION)) {
        (void)output_printf(&cli->output, "trolley %s\n", trolley_version());
        return EXIT_COMPLETE;
    }
    if (!cli->args.command) {
        (void)cli_fail(&error, TROLLEY_ERR_INVALID_ARG,
                       "which command? see trolley --help for the list");
        return cli_error(cli, &error, EXIT_USAGE);
    }
    return cli->args.command->run(cli);
}

/* Whether everything reached standard output. A reader that went away is no error. */
static int main_output(struct cli *cli, int status)
{
    struct trolley_error error = {0};

    if (output_end(&cli->output, &error) == 0) return status;
    if (output_closed(&cli->output)) return EXIT_COMPLETE;
    return exit_worse(cli_error(cli, &error, EXIT_FAILED), status);
}

static void main_console(struct cli *cli)
{
    const char *format = options_value(&cli->args, OPTION_LOG_FORMAT);

    cli->console.json = format && strcmp(format, "json") == 0;
    cli->console.quiet = options_count(&cli->args, OPTION_QUIET) > 0;
    log_install(&cli->console, &cli->args, NULL);
}

static void main_close(struct cli *cli)
{
    exit_cancels(NULL);
    trolley_free(cli->trolley);
    trolley_setup_close(cli->setup);
    trolley_set_log(NULL, NULL, 0);
    options_free(&cli->args);
    output_free(&cli->output);
    console_destroy(&cli->console);
}

int main(int argc, char **argv)
{
    struct cli cli = {.commands = main_commands,
                      .output = {.fd = STDOUT_FILENO, .name = "standard output"}};
    struct trolley_error error = {0};
    int status;

    exit_signals();
    console_init(&cli.console, STDERR_FILENO);
    if (options_parse(argc, argv, main_commands, &cli.args, &error) < 0) {
        status = cli_error(&cli, &error, EXIT_USAGE);
    } else {
        main_console(&cli);
        status = main_output(&cli, main_run(&cli));
    }
    if (status != EXIT_COMPLETE && exit_signalled()) status = exit_signalled();
    main_close(&cli);
    return status;
}
