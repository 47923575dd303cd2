/* The grammar of an INI file, where it is found, who may touch it. SPDX-License-Identifier: MIT */
#include "tests/unit/config_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void test_values(void **state)
{
    static const struct {
        const char *line, *key, *value;
    } rows[] = {
        {"key=value", "key", "value"},
        {"  key \t = \t value  ", "key", "value"},
        {"key =", "key", ""},
        {"key = ; all comment", "key", ""},
        {"key =; no white space before", "key", "; no white space before"},
        {"key = a=b=c", "key", "a=b=c"},
        {"key = http://host:80/a;b", "key", "http://host:80/a;b"},
        {"key = a;b ; comment", "key", "a;b"},
        {"key = a\t;comment", "key", "a"},
        {"key = a # no comment", "key", "a # no comment"},
        {"key = a \"b ; c\" d ; comment", "key", "a \"b ; c\" d"},
        {"key = 5\" disk ; comment", "key", "5\" disk"},
        {"key = \"a ; b\"", "key", "a ; b"},
        {"key = \"  a  \" ; comment", "key", "  a  "},
        {"key = \"say \\\"hi\\\" \\\\ \\n\"", "key", "say \"hi\" \\ \\n"},
        {"key = \"\"", "key", ""},
        {"KEY-With_Both = x", "key_with_both", "x"},
        {"Param.Study-Date = x", "param.Study-Date", "x"},
        {"key = p\xc3\xa0", "key", "p\xc3\xa0"},
        {"\tkey = indented, no continuation", "key", "indented, no continuation"},
        {"key = [not a section]", "key", "[not a section]"},
    };
    char text[512];
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        const struct config_section *section;
        struct config_file *file;

        (void)snprintf(text, sizeof text, "[searcher a]\nbefore = 1\n%s\nafter = 2\n",
                       rows[i].line);
        file = fixture_read(text);
        section = config_file_first(file);
        assert_int_equal(section->count, 3);
        assert_string_equal(section->entries[1].key, rows[i].key);
        assert_string_equal(section->entries[1].value, rows[i].value);
        assert_int_equal(section->entries[1].line, 3);
        assert_string_equal(section->entries[2].value, "2");
        config_file_free(file);
    }
}

static void test_faults(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[searcher a]\nkey: value\n", "2: neither `[kind name]` nor `key = value`"},
        {"[searcher a]\nurl: http://h/?a=b\n", "2: key `url: http://h/?a`: "},
        {"[searcher a]\n= value\n", "2: no key before `=`"},
        {"[searcher a]\nk\xc3\xa9y = value\n", "2: key `k\xc3\xa9y`: "},
        {"[searcher a]\n\nkey = \"open\n", "3: key `key`: the quote is not closed"},
        {"[searcher a]\nkey = \"open\\\"\n", "2: key `key`: the quote is not closed"},
        {"[searcher a]\nkey = \"a\" b\n", "2: key `key`: text after the closing quote"},
        {"[searcher a]\nkey = \"a\";c\n", "2: key `key`: text after the closing quote"},
        {"\n\nkey = value\n", "3: key `key` stands before the first section"},
        {"[searcher a\n", "1: a section is written `[kind name]`"},
        {"[searcher a] x\n", "1: a section is written `[kind name]`"},
        {"[searcher ; a]\n", "1: a section is written `[kind name]`"},
        {"[\n", "1: a section is written `[kind name]`"},
        {"[]\n", "1: a section is written `[kind name]`"},
        {"[searcher a[b]\n", "1: brackets and quotes"},
        {"[searcher \"a\"]\n", "1: brackets and quotes"},
        {"[searcher]\n", "1: a name is missing: `[searcher NAME]`"},
        {"[searcher a,b]\n", "1: a section's name has no comma, found `a,b`"},
        {"[settings x]\n", "1: [settings] takes no name, found `x`"},
        {"; c\n[sercher a]\n", "2: unknown kind of section `sercher`; did you mean `searcher`?"},
        {"[zebra a]\n", "1: unknown kind of section `zebra`"},
        {"[storage a]\n\n[searcher a]\n[storage  a ]\n",
         "4: [storage  a] stands here and in line 1 already"},
        {"[settings]\n[settings]\n", "2: [settings] stands here and in line 1 already"},
        {"[searcher a]\nkey = a\001b\n", "2: control character"},
        {"[searcher a]\nkey = a\rb\n", "2: control character"},
        {"[searcher a]\nkey = \xff\n", "2: not UTF-8"},
        {"[searcher a]\r\nkey = x\r\nbad\r\n", "3: neither"},
        {"\xef\xbb\xbf[searcher a]\nbad\n", "2: neither"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        const char *message = fixture_refuse(rows[i].text);

        if (strncmp(message, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("%s: %s", rows[i].text, message);
    }
}

static void test_sections(void **state)
{
    struct config_file *file = fixture_read("\xef\xbb\xbf; first\r\n"
                                            "[settings]\r\n"
                                            "log_level = info\r\n"
                                            "# comment\r\n"
                                            "  ; indented comment\r\n"
                                            "\r\n"
                                            " [searcher  Main  PACS ] ; comment\r\n"
                                            "type = x\r\n"
                                            "[storage empty]\r\n"
                                            "[downloader Main  PACS]");
    const struct config_section *section = config_file_first(file);

    (void)state;
    assert_string_equal(section->kind, "settings");
    assert_string_equal(section->name, "");
    assert_int_equal(section->line, 2);
    assert_int_equal(section->entries[0].line, 3);
    assert_string_equal(section->entries[0].value, "info");
    section = config_file_section(file, "searcher", "Main  PACS");
    assert_non_null(section);
    assert_int_equal(section->line, 7);
    assert_int_equal(section->count, 1);
    section = section->next;
    assert_string_equal(section->name, "empty");
    assert_int_equal(section->count, 0);
    section = section->next;
    assert_string_equal(section->kind, "downloader");
    assert_int_equal(section->line, 10);
    assert_null(section->next);
    assert_null(config_file_section(file, "searcher", "main  pacs"));
    config_file_free(file);
    file = fixture_read("");
    assert_null(config_file_first(file));
    config_file_free(file);
}

/* Lines and names around every bound of inih's own (49, 200) and ours. */
static void test_long(void **state)
{
    static const size_t lengths[] = {48,  49,  50,  51,   189,  190,  191,  192,  193,
                                     194, 195, 196, 197,  198,  199,  200,  201,  399,
                                     400, 401, 999, 4095, 4096, 4097, 9999, 65000};
    char *text = malloc(200000), *value = malloc(100000);
    struct config_file *file;
    const struct config_section *section;
    size_t i, k;

    (void)state;
    for (i = 0; i < LENGTH(lengths); i++) {
        for (k = 0; k < lengths[i]; k++)
            value[k] = (char)('a' + (k * 7 + i) % 26);
        value[k] = '\0';
        (void)snprintf(text, 200000, "[storage %s]\nkey = %s\nq = \"%s\" ; c\nlast = 1\n", value,
                       value, value);
        file = fixture_read(text);
        section = config_file_first(file);
        assert_string_equal(section->name, value);
        assert_int_equal(section->count, 3);
        assert_string_equal(section->entries[0].value, value);
        assert_string_equal(section->entries[1].value, value);
        assert_int_equal(section->entries[2].line, 4);
        config_file_free(file);
    }
    (void)snprintf(text, 200000, "[storage a]\nkey = %065530d\n", 1);
    config_file_free(fixture_read(text));
    (void)snprintf(text, 200000, "[storage a]\nkey = %065531d\n", 1);
    assert_string_equal(fixture_refuse(text), "2: the line is longer than 64 KiB");
    (void)snprintf(text, 200000, "[storage a]\n%.100s = 1\n", value);
    config_file_free(fixture_read(text));
    (void)snprintf(text, 200000, "[storage a]\n%.101s = 1\n", value);
    assert_string_equal(fixture_refuse(text), "2: the key is too long");
    free(text);
    free(value);
}

static void test_bounds(void **state)
{
    const size_t most = CONFIG_FILE_MAX + 1;
    char *text = malloc(most);
    struct config_file *file = NULL;
    struct trolley_error error;
    const char *path;
    size_t i, length;

    (void)state;
    memset(text, '\n', most);
    path = fixture_write("big.ini", text, most, 0600);
    assert_int_equal(config_file_read(path, &file, &error), TROLLEY_ERR_TOO_LARGE);
    path = fixture_write("big.ini", text, most - 1, 0600);
    assert_int_equal(config_file_read(path, &file, &error), 0);
    config_file_free(file);
    for (i = length = 0; i <= CONFIG_COUNT_MAX; i++)
        length += (size_t)snprintf(text + length, most - length, "[storage %zu]\n", i);
    assert_string_equal(fixture_refuse(text), "4097: more than 4096 sections");
    length = (size_t)snprintf(text, most, "[storage a]\n");
    for (i = 0; i <= CONFIG_COUNT_MAX; i++)
        length += (size_t)snprintf(text + length, most - length, "k = %zu\n", i);
    assert_string_equal(fixture_refuse(text), "4098: key `k`: more than 4096 keys in a section");
    path = fixture_write("nul.ini", "[storage a]\nk = a\0b\n", 21, 0600);
    assert_int_equal(config_file_read(path, &file, &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "nul.ini:2: control character"));
    free(text);
}

static void test_permissions(void **state)
{
    static const char text[] = "[storage a]\n";
    struct config_file *file = NULL;
    struct trolley_error error;
    const char *path = fixture_write("open.ini", text, sizeof text - 1, 0602);

    (void)state;
    assert_int_equal(config_file_read(path, &file, &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, "chmod o-w"));
    path = fixture_write("open.ini", text, sizeof text - 1, 0664);
    assert_int_equal(config_file_read(path, &file, &error), 0);
    assert_string_equal(config_file_path(file), path);
    config_file_free(file);
    assert_int_equal(config_file_read(fixture_directory(), &file, &error), TROLLEY_ERR_IO);
    assert_int_equal(config_file_read("/nonexistent/x.ini", &file, &error), TROLLEY_ERR_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nonexistent/x.ini"));
    assert_string_equal(fixture_warnings(), "");
}

static void find_expect(const char *path, int status, const char *what)
{
    struct trolley_error error;
    char *found = NULL;

    assert_int_equal(config_find(path, &found, &error), status);
    if (status == 0)
        assert_string_equal(found, what);
    else if (!strstr(error.message, what))
        fail_msg("%s", error.message);
    free(found);
}

static void test_find(void **state)
{
    char named[300], home[300], xdg[300];

    (void)state;
    assert_int_equal(setenv("HOME", fixture_directory(), 1), 0);
    unsetenv("TROLLEY_CONFIG");
    unsetenv("XDG_CONFIG_HOME");
    (void)snprintf(home, sizeof home, "%s/.config", fixture_directory());
    find_expect(NULL, TROLLEY_ERR_NOT_FOUND, "/.config/trolley/trolley.ini and ");
    assert_int_equal(mkdir(home, 0700), 0);
    (void)snprintf(home, sizeof home, "%s/.config/trolley", fixture_directory());
    assert_int_equal(mkdir(home, 0700), 0);
    (void)snprintf(home, sizeof home, "%s",
                   fixture_write(".config/trolley/trolley.ini", "", 0, 0600));
    find_expect(NULL, 0, home);
    setenv("XDG_CONFIG_HOME", "relative", 1);
    find_expect(NULL, 0, home);
    (void)snprintf(xdg, sizeof xdg, "%s/xdg", fixture_directory());
    setenv("XDG_CONFIG_HOME", xdg, 1);
    find_expect(NULL, TROLLEY_ERR_NOT_FOUND, "/xdg/trolley/trolley.ini and ");
    (void)snprintf(named, sizeof named, "%s", fixture_write("named.ini", "", 0, 0600));
    setenv("TROLLEY_CONFIG", named, 1);
    find_expect(NULL, 0, named);
    find_expect(home, 0, home);
    find_expect("/nonexistent.ini", TROLLEY_ERR_NOT_FOUND, "/nonexistent.ini (named by --config)");
    setenv("TROLLEY_CONFIG", "/nonexistent.ini", 1);
    find_expect(NULL, TROLLEY_ERR_NOT_FOUND, "named by TROLLEY_CONFIG");
    setenv("TROLLEY_CONFIG", "", 1);
    find_expect(NULL, TROLLEY_ERR_NOT_FOUND, "looked for");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_faults),
        cmocka_unit_test(test_sections), cmocka_unit_test(test_long),
        cmocka_unit_test(test_bounds),   cmocka_unit_test(test_permissions),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
