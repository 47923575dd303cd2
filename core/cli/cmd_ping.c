/* cmd_ping.c: trolley ping. SPDX-License-Identifier: MIT */
#include <string.h>

#include <kit/text.h>

#include "core/cli/cli.h"

/* One line a backend, out at once: the next one may take its time. */
static void ping_each(void *ctx, const char *component, int status, const char *message,
                      double seconds)
{
    struct cli *cli = ctx;
    struct kit_buffer line = {0};
    int r = kit_text_escape(&line, component, strlen(component));

    if (r == 0 && status == TROLLEY_OK)
        r = kit_buffer_printf(&line, ": ok (%.0f ms)", seconds * 1000);
    else if (r == 0)
        r = kit_buffer_printf(&line, ": %s", trolley_status_name(status));
    if (r == 0 && message && *message) r = kit_buffer_text(&line, ": ");
    if (r == 0 && message) r = kit_text_escape(&line, message, strlen(message));
    if (r == 0) r = kit_buffer_text(&line, "\n");
    if (r == 0) r = output_buffer(&cli->output, &line);
    if (r == 0) (void)output_flush(&cli->output);
    kit_buffer_free(&line);
}

int cmd_ping(struct cli *cli)
{
    struct trolley_error error = {0};

    if (cli_no_words(cli, &error) < 0 || cli_open_trolley(cli, &error) < 0)
        return cli_error(cli, &error, EXIT_USAGE);
    if (trolley_ping(cli->trolley, ping_each, cli, &error) == 0) return EXIT_COMPLETE;
    return cli_error(cli, &error, EXIT_FAILED);
}
