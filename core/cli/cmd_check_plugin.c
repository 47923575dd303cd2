/* cmd_check_plugin.c: trolley check-plugin. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <kit/json.h>
#include <kit/text.h>

#include "core/cli/cli.h"
#include "core/cli/message.h"

#define CHECK_SECONDS_MAX 86400

/* Where results are written, and their sum. */
struct check_output {
    struct cli *cli;
    bool json;
    uint64_t seed;
    unsigned counts[TROLLEY_CHECK_SKIPPED + 1];
    int status;
};

static const char *check_word(uint32_t outcome)
{
    static const char *const words[] = {"unknown", "passed", "failed", "skipped"};

    return words[outcome <= TROLLEY_CHECK_SKIPPED ? outcome : 0];
}

/* "passed   searcher   create-random: ..." */
static int check_line(struct kit_buffer *line, const struct trolley_check_result *result)
{
    int r = kit_buffer_printf(line, "%-8s %-11s %s", check_word(result->outcome),
                              result->component ? result->component : "", result->check);

    if (r == 0 && *result->message) r = kit_buffer_text(line, ": ");
    if (r == 0) r = kit_text_escape(line, result->message, strlen(result->message));
    return r < 0 ? r : kit_buffer_text(line, "\n");
}

/* One object a line. */
static int check_json(struct kit_buffer *line, const struct check_output *out,
                      const struct trolley_check_result *result)
{
    struct kit_json json = {.out = line};
    struct kit_buffer seconds = {0};
    int r = kit_buffer_printf(&seconds, "%.3f", result->seconds);

    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "check", result->check);
    kit_json_text(&json, "component", result->component);
    kit_json_text(&json, "outcome", check_word(result->outcome));
    kit_json_text(&json, "message", result->message);
    if (r == 0) kit_json_raw(&json, "seconds", seconds.data);
    kit_json_uint(&json, "seed", out->seed);
    kit_json_close(&json);
    kit_buffer_free(&seconds);
    return json.status < 0 ? json.status : kit_buffer_text(line, "\n");
}

/* Out at once: the next check may take its time. */
static int check_each(void *ctx, const struct trolley_check_result *result)
{
    struct check_output *out = ctx;
    struct kit_buffer line = {0};
    int r = out->json ? check_json(&line, out, result) : check_line(&line, result);

    if (result->outcome <= TROLLEY_CHECK_SKIPPED) out->counts[result->outcome]++;
    if (r == 0) r = output_buffer(&out->cli->output, &line);
    if (r == 0) r = output_flush(&out->cli->output);
    kit_buffer_free(&line);
    out->status = r;
    return r < 0 || exit_signalled();
}

static int check_list(struct cli *cli)
{
    const char *name, *about = "";
    uint32_t i;

    for (i = 0; (name = trolley_plugin_check_name(i, &about)); i++)
        (void)output_printf(&cli->output, "%-20s  %s\n", name, about);
    return EXIT_COMPLETE;
}

/* A whole number of an option; `fallback` when it was not given. */
static int check_number(const struct cli *cli, enum option_id id, uint64_t least, uint64_t most,
                        uint64_t fallback, uint64_t *ret_number, struct trolley_error *error)
{
    const char *text = options_value(&cli->args, id);
    unsigned long long number = fallback;
    char *end;

    if (text) {
        number = strtoull(text, &end, 10);
        if (!*text || strspn(text, "0123456789") != strlen(text) || *end || strlen(text) > 18 ||
            number < least || number > most)
            return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "--%s %s: a number from %llu to %llu",
                            option_entry(id)->name, text, (unsigned long long)least,
                            (unsigned long long)most);
    }
    *ret_number = number;
    return 0;
}

static int check_arguments(const struct cli *cli, struct trolley_check_options *ret_options,
                           bool *ret_json, struct trolley_error *error)
{
    const char *format = options_value(&cli->args, OPTION_FORMAT);
    uint64_t seed, seconds;
    int r;

    if (cli->args.word_count != 1)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "check-plugin takes one file");
    if (format && strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
        return cli_fail(error, TROLLEY_ERR_INVALID_ARG, "check-plugin --format: table or json");
    r = check_number(cli, OPTION_SEED, 1, INT64_MAX, 1, &seed, error);
    if (r == 0) r = check_number(cli, OPTION_TIME_LIMIT, 1, CHECK_SECONDS_MAX, 30, &seconds, error);
    if (r < 0) return r;
    ret_options->only = options_value(&cli->args, OPTION_ONLY);
    ret_options->seed = seed;
    ret_options->time_limit_ms = (uint32_t)seconds * 1000;
    *ret_json = format && strcmp(format, "json") == 0;
    return 0;
}

int cmd_check_plugin(struct cli *cli)
{
    struct trolley_check_options options = {0};
    struct check_output out = {.cli = cli};
    struct trolley_error error = {0};
    int r;

    if (options_count(&cli->args, OPTION_LIST)) return check_list(cli);
    if (check_arguments(cli, &options, &out.json, &error) < 0)
        return cli_error(cli, &error, EXIT_USAGE);
    out.seed = options.seed;
    r = trolley_plugin_check(cli->args.words[0], &options, check_each, &out, &error);
    if (!out.json && (r == 0 || r == TROLLEY_ERR_INVALID_CONFIG))
        (void)output_printf(&cli->output, "%u passed, %u failed, %u skipped (seed %llu)\n",
                            out.counts[TROLLEY_CHECK_PASSED], out.counts[TROLLEY_CHECK_FAILED],
                            out.counts[TROLLEY_CHECK_SKIPPED], (unsigned long long)out.seed);
    if (r == 0 || out.status < 0) return EXIT_COMPLETE;
    return cli_error(cli, &error,
                     r == TROLLEY_ERR_NOT_FOUND || r == TROLLEY_ERR_INVALID_ARG ? EXIT_USAGE
                                                                                : EXIT_FAILED);
}
