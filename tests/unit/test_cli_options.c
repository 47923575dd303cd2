/* Reading command lines, and the help made from the same table. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/options.h"

static const struct cli_command commands[] = {
    {"find", COMMAND_FIND, "[KEY=VALUE ...]", "Finds", NULL, NULL},
    {"download", COMMAND_DOWNLOAD, "", "Downloads", NULL, NULL},
    {"plugins", COMMAND_PLUGINS, "[NAME]", "Lists", NULL, NULL},
    {0},
};

static struct cli_args args;
static struct trolley_error error;

/* Parses "trolley" followed by the words up to NULL. */
static int parse(const char *first, ...)
{
    char *argv[16] = {(char *)(uintptr_t) "trolley", (char *)(uintptr_t)first};
    int argc = first ? 2 : 1;
    va_list list;

    va_start(list, first);
    while (first && argc < 15 && (argv[argc] = va_arg(list, char *)) != NULL)
        argc++;
    va_end(list);
    memset(&error, 0, sizeof error);
    options_free(&args);
    return options_parse(argc, argv, commands, &args, &error);
}

static int clean(void **state)
{
    (void)state;
    options_free(&args);
    return 0;
}

static void refuses(int r, const char *part)
{
    assert_int_equal(r, TROLLEY_ERR_INVALID_ARG);
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

static void takes_options_on_both_sides_of_the_command(void **state)
{
    (void)state;
    assert_int_equal(parse("--config", "a.ini", "-vv", "find", "PatientID=1", "--level=series",
                           "--include", "Modality", "StudyDate=2015", "--include=StudyID", NULL),
                     0);
    assert_string_equal(args.command->name, "find");
    assert_string_equal(options_value(&args, OPTION_CONFIG), "a.ini");
    assert_string_equal(options_value(&args, OPTION_LEVEL), "series");
    assert_int_equal(options_count(&args, OPTION_VERBOSE), 2);
    assert_int_equal(options_count(&args, OPTION_INCLUDE), 2);
    assert_string_equal(options_value(&args, OPTION_INCLUDE), "StudyID");
    assert_null(options_value(&args, OPTION_FORMAT));
    assert_int_equal(args.word_count, 2);
    assert_string_equal(args.words[0], "PatientID=1");
    assert_string_equal(args.words[1], "StudyDate=2015");
}

static void takes_empty_values_and_equals_signs_in_values(void **state)
{
    (void)state;
    assert_int_equal(parse("find", "--fields=", "--trolley=a=b", "PatientName=", NULL), 0);
    assert_string_equal(options_value(&args, OPTION_FIELDS), "");
    assert_string_equal(options_value(&args, OPTION_TROLLEY), "a=b");
    assert_string_equal(args.words[0], "PatientName=");
}

static void takes_everything_behind_two_hyphens_as_words(void **state)
{
    (void)state;
    assert_int_equal(parse("download", "--from", "-", "--", "--study", "-v", NULL), 0);
    assert_string_equal(options_value(&args, OPTION_FROM), "-");
    assert_int_equal(args.word_count, 2);
    assert_string_equal(args.words[0], "--study");
    assert_int_equal(options_count(&args, OPTION_VERBOSE), 0);
}

static void names_the_nearest_option_and_command(void **state)
{
    (void)state;
    refuses(parse("find", "--formt", "csv", NULL), "did you mean --format?");
    refuses(parse("find", "--xyzzyxyzzy", NULL), "unknown option --xyzzyxyzzy");
    assert_null(strstr(error.message, "did you mean"));
    refuses(parse("fnd", NULL), "did you mean find?");
    refuses(parse("find", "-x", NULL), "unknown option -x");
}

static void refuses_values_missing_superfluous_or_wrong(void **state)
{
    (void)state;
    refuses(parse("find", "--level", NULL), "--level needs a value");
    refuses(parse("download", "--report", "--overwrite", NULL), "--report needs a value");
    refuses(parse("find", "--one=yes", NULL), "--one takes no value");
    refuses(parse("find", "--level", "patient", NULL), "study,series,instance");
    refuses(parse("find", "--level", "stud", NULL), "not one of");
    refuses(parse("find", "--level=", NULL), "not one of");
    refuses(parse("find", "--level", "study,series", NULL), "not one of");
}

static void refuses_options_of_other_commands_and_given_twice(void **state)
{
    (void)state;
    refuses(parse("--overwrite", "find", NULL), "--overwrite is no option of find");
    refuses(parse("find", "--one", "--one", NULL), "--one is given twice");
    refuses(parse("find", "-q", "-q", NULL), "--quiet is given twice");
}

static void refuses_what_is_not_utf8(void **state)
{
    (void)state;
    refuses(parse("find", "PatientName=M\xfcller", NULL), "argument 2 is not UTF-8");
    assert_non_null(strstr(error.message, "\\xfc"));
    assert_int_equal(parse("find", "PatientName=M\xc3\xbcller", NULL), 0);
}

static void help_tells_every_option_where_it_belongs(void **state)
{
    struct kit_buffer find = {0}, download = {0}, all = {0};
    unsigned id;

    (void)state;
    assert_int_equal(help_text(&find, commands, &commands[0]), 0);
    assert_int_equal(help_text(&download, commands, &commands[1]), 0);
    assert_int_equal(help_text(&all, commands, NULL), 0);
    for (id = 0; id < OPTION_COUNT; id++) {
        const struct cli_option *option = option_entry((enum option_id)id);
        char text[64];

        assert_non_null(option->name);
        (void)snprintf(text, sizeof text, " --%s%s%s", option->name, option->argument ? " " : "",
                       option->argument ? option->argument : "");
        assert_int_equal(strstr(find.data, text) != NULL, (option->commands & COMMAND_FIND) != 0);
        assert_int_equal(strstr(download.data, text) != NULL,
                         (option->commands & COMMAND_DOWNLOAD) != 0);
        assert_int_equal(strstr(all.data, text) != NULL, option->commands == COMMAND_ANY);
    }
    kit_buffer_free(&find);
    kit_buffer_free(&download);
    kit_buffer_free(&all);
}

static void help_fits_eighty_columns(void **state)
{
    struct kit_buffer text = {0};
    const char *line;

    (void)state;
    assert_int_equal(help_text(&text, commands, &commands[0]), 0);
    for (line = text.data; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 80);
    kit_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(takes_options_on_both_sides_of_the_command, clean),
        cmocka_unit_test_teardown(takes_empty_values_and_equals_signs_in_values, clean),
        cmocka_unit_test_teardown(takes_everything_behind_two_hyphens_as_words, clean),
        cmocka_unit_test_teardown(names_the_nearest_option_and_command, clean),
        cmocka_unit_test_teardown(refuses_values_missing_superfluous_or_wrong, clean),
        cmocka_unit_test_teardown(refuses_options_of_other_commands_and_given_twice, clean),
        cmocka_unit_test_teardown(refuses_what_is_not_utf8, clean),
        cmocka_unit_test(help_tells_every_option_where_it_belongs),
        cmocka_unit_test(help_fits_eighty_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
