/* Faulty option tables are refused, each for its fault. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/config/config.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define OPTION(option_type, name)                                                               \
    .size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_##option_type, .key = (name), \
    .help = "help"

static void test_faults(void **state)
{
    static const struct {
        const char *kind;
        struct trolley_option options[2];
        const char *message; /* NULL: sane */
    } rows[] = {
        {"searcher", {{OPTION(URL, "url")}, {OPTION(STRING, "url.")}}, "lower case"},
        {"searcher",
         {{OPTION(URL, "url")}, {OPTION(STRING, "p."), .flags = TROLLEY_OPTION_PREFIX}},
         NULL},
        {"searcher", {{OPTION(URL, "Url")}, {OPTION(STRING, "b")}}, "lower case"},
        {"searcher", {{OPTION(URL, "a-b")}, {OPTION(STRING, "b")}}, "lower case"},
        {"searcher", {{OPTION(URL, "")}, {OPTION(STRING, "b")}}, "lower case"},
        {"searcher", {{OPTION(URL, "2a")}, {OPTION(STRING, "b")}}, "lower case"},
        {"searcher", {{OPTION(URL, "a")}, {OPTION(STRING, "a")}}, "same key as option a"},
        {"searcher", {{OPTION(URL, "a")}, {OPTION(STRING, "b"), .aliases = "x, A"}}, "same key"},
        {"searcher",
         {{OPTION(URL, "a_b"), .aliases = "q"}, {OPTION(STRING, "b"), .aliases = "A-B"}},
         "same key"},
        {"searcher", {{OPTION(URL, "a")}, {OPTION(STRING, "b"), .aliases = "x y"}}, "malformed"},
        {"searcher", {{OPTION(URL, "a")}, {OPTION(STRING, "b"), .aliases = "x,,y"}}, "malformed"},
        {"searcher",
         {{OPTION(STRING, "a"), .flags = TROLLEY_OPTION_SECRET}, {OPTION(PATH, "a_file")}},
         "same key"},
        {"searcher",
         {{OPTION(PATH, "a_env")}, {OPTION(STRING, "a"), .flags = TROLLEY_OPTION_SECRET}},
         "same key"},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(INT, "b"), .flags = TROLLEY_OPTION_SECRET}},
         "a secret is a STRING"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(STRING, "type")}}, "belongs to the host: type"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(STRING, "session")}}, "belongs to the host"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(INT, "max_parallel")}}, "belongs to the host"},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(INT, "b"), .aliases = "Retry-Delay"}},
         "belongs to the host"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(INT, "min_free")}}, NULL},
        {"storage", {{OPTION(INT, "a")}, {OPTION(INT, "min_free")}}, "belongs to the host"},
        {"auth", {{OPTION(INT, "a")}, {OPTION(STRING, "password_env")}}, "belongs to the host"},
        {"auth", {{OPTION(INT, "a")}, {OPTION(URL, "token_url")}}, NULL},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(INT, "b"), .flags = CONFIG_OPTION_OCTAL}},
         "flags that do not exist"},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(STRING, "b"), .flags = TROLLEY_OPTION_PREFIX}},
         "ends in a full stop"},
        {"searcher",
         {{OPTION(INT, "a")},
          {OPTION(STRING, "b"), .flags = TROLLEY_OPTION_REQUIRED, .default_text = "x"}},
         "required and has a default"},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(PATH, "b"), .flags = TROLLEY_OPTION_ROOT_PATH}},
         "ROOT_PATH"},
        {"storage",
         {{OPTION(INT, "a")}, {OPTION(PATH, "b"), .flags = TROLLEY_OPTION_ROOT_PATH}},
         NULL},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(INT, "b"), .min = 5, .max = 4}}, "min is above"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(STRING, "b"), .max = 4}}, "has a range"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(PORT, "b"), .max = 65536}}, "a PORT is"},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(INT, "b"), .min = 1, .max = 4, .default_text = "5"}},
         "its default is refused: `5`"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(CHOICE, "b")}}, "needs `choices`"},
        {"searcher",
         {{OPTION(INT, "a")}, {OPTION(CHOICE, "b"), .choices = "x,,y"}},
         "empty choice"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(CHOICE, "b"), .choices = "x,y,X"}}, "twice"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(COMPONENT, "b"), .choices = "zebra"}}, "no kind"},
        {"searcher", {{OPTION(INT, "a")}, {OPTION(COMPONENT, "b"), .choices = "searcher"}}, NULL},
        {"searcher",
         {{OPTION(INT, "a")},
          {.size = sizeof(struct trolley_option), .type = 13, .key = "b", .help = "h"}},
         "a type that does not exist"},
        {"searcher",
         {{OPTION(INT, "a")},
          {.size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_INT, .key = "b"}},
         "one line of help"},
        {"searcher",
         {{OPTION(INT, "a")}, {.size = 8, .type = TROLLEY_OPTION_INT, .key = "b"}},
         "option 1: its size"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        const struct trolley_span span = {rows[i].options, 2, sizeof(struct trolley_option)};
        struct trolley_error error = {0};
        int r = option_table_check(rows[i].kind, &span, &error);

        if (!rows[i].message ? r != 0 : r != TROLLEY_ERR_INVALID_ARG)
            fail_msg("row %zu: %d %s", i, r, error.message);
        if (rows[i].message && !strstr(error.message, rows[i].message))
            fail_msg("row %zu: %s", i, error.message);
    }
    assert_int_equal(option_table_check("searcher", NULL, NULL), 0);
}

/* A table of a newer contract, whose structs are larger, reads as far as it is known. */
static void test_larger(void **state)
{
    static const struct {
        struct trolley_option option;
        char more[24];
    } larger[] = {
        {{.size = sizeof larger[0], .type = TROLLEY_OPTION_INT, .key = "a", .help = "h"}, "new"},
        {{.size = sizeof larger[0],
          .type = TROLLEY_OPTION_INT,
          .key = "b",
          .help = "h",
          .default_text = "3"},
         "new"},
    };
    const struct trolley_span span = {larger, 2, sizeof larger[0]};
    const struct trolley_span *tables[] = {&span, NULL};
    struct section *section = NULL;

    (void)state;
    assert_int_equal(option_table_check("searcher", &span, NULL), 0);
    assert_int_equal(section_resolve(NULL, NULL, tables, &section, NULL), 0);
    assert_int_equal(section_config(section)->integer(section_config(section), "b", 0), 3);
    section_free(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_larger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
