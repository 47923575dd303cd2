/* Sections against tables: what is read, what is refused and how that is said.
 * SPDX-License-Identifier: MIT */
#include "tests/unit/config_fixture.h"

#include <kit/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define OPTION(option_type, name)                                                               \
    .size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_##option_type, .key = (name), \
    .help = "what it is for"

static const struct trolley_option demo_options[] = {
    {OPTION(URL, "url"), .flags = TROLLEY_OPTION_REQUIRED, .aliases = "dcmURI, base-url"},
    {OPTION(STRING, "token"), .flags = TROLLEY_OPTION_SECRET, .aliases = "pass_phrase"},
    {OPTION(STRING, "param."), .flags = TROLLEY_OPTION_PREFIX},
    {OPTION(LIST, "condition")},
    {OPTION(INT, "limit"), .default_text = "100", .min = 1, .max = 1000},
    {OPTION(DURATION, "wait"), .default_text = "2s"},
    {OPTION(CHOICE, "request"), .default_text = "auto", .choices = "study,series,auto"},
    {OPTION(PATH, "cache")},
    {OPTION(AE_TITLE, "called_ae")},
    {OPTION(COMPONENT, "inner"), .choices = "searcher"},
    {OPTION(BOOL, "old"), .flags = TROLLEY_OPTION_DEPRECATED},
};
static const struct trolley_span demo_span = TROLLEY_SPAN(demo_options);

static const struct trolley_span *const *demo_tables(void)
{
    static const struct trolley_span *tables[4];

    tables[0] = config_host_options("searcher");
    tables[1] = config_http_options();
    tables[2] = &demo_span;
    return tables;
}

static const struct trolley_span *const *host_tables(const char *kind)
{
    static const struct trolley_span *tables[2];

    tables[0] = config_host_options(kind);
    return tables;
}

#define DEMO "[searcher x]\ntype = demo\nurl = http://host/\n" /* three lines */

static void test_read(void **state)
{
    struct section *section = fixture_resolve(DEMO "Max-Retries = 7\n"
                                                   "PARAM.StudyDate = a\n"
                                                   "param.limit = b\n"
                                                   "condition = one, two\n"
                                                   "Condition = three ; comment\n"
                                                   "request = SERIES\n"
                                                   "cache = sub/dir\n"
                                                   "called_ae = \" PACS \"\n"
                                                   "inner = y\n"
                                                   "[searcher y]\n",
                                              demo_tables());
    const struct trolley_config *config = section_config(section);
    struct trolley_span span;
    char path[300];

    (void)state;
    assert_int_equal(config->size, sizeof *config);
    assert_string_equal(config->section, "x");
    assert_string_equal(config->text(config, "type"), "demo");
    assert_string_equal(config->text(config, "url"), "http://host");
    assert_int_equal(config->integer(config, "max_retries", -1), 7);
    assert_int_equal(config->integer(config, "retry_delay", -1), 500);
    assert_int_equal(config->integer(config, "limit", -1), 100);
    assert_int_equal(config->integer(config, "wait", -1), 2000);
    assert_int_equal(config->integer(config, "refilter", -1), 1);
    assert_int_equal(config->integer(config, "request", -1), 1);
    assert_string_equal(config->text(config, "request"), "series");
    assert_string_equal(config->text(config, "called_ae"), "PACS");
    assert_string_equal(config->text(config, "inner"), "y");
    (void)snprintf(path, sizeof path, "%s/sub/dir", fixture_directory());
    assert_string_equal(config->text(config, "cache"), path);
    span = config->list(config, "condition");
    assert_int_equal(span.count, 2);
    assert_string_equal(trolley_span_text(&span, 0), "one, two");
    assert_string_equal(trolley_span_text(&span, 1), "three");
    span = config->keys(config, "param.");
    assert_int_equal(span.count, 2);
    assert_string_equal(trolley_span_text(&span, 0), "StudyDate");
    assert_string_equal(trolley_span_text(&span, 1), "limit");
    assert_string_equal(config->text(config, "param.StudyDate"), "a");
    assert_string_equal(config->text(config, "param.limit"), "b");
    assert_null(config->text(config, "param.other"));
    assert_null(config->text(config, "session"));
    assert_null(config->text(config, "no_such_key"));
    assert_int_equal(config->integer(config, "no_such_key", -9), -9);
    assert_int_equal(config->list(config, "limit").count, 0);
    assert_int_equal(config->keys(config, "condition").count, 0);
    assert_string_equal(fixture_warnings(), "");
    fixture_drop(section);
}

static void test_aliases(void **state)
{
    struct section *section = fixture_resolve(
        "[searcher x]\ntype = demo\ndcmuri = http://a/b/\npass-phrase = s\n", demo_tables());

    (void)state;
    assert_string_equal(section_config(section)->text(section_config(section), "url"),
                        "http://a/b");
    fixture_drop(section);
    section = fixture_resolve("[searcher x]\ntype = demo\nBASE_URL = http://a\n", demo_tables());
    assert_string_equal(section_config(section)->text(section_config(section), "url"), "http://a");
    fixture_drop(section);
}

static void test_urls(void **state)
{
    static const struct trolley_option table[] = {
        {OPTION(URL, "wado_url")},
        {OPTION(STRING, "name"), .default_text = "http://no-url"},
        {OPTION(URL, "url."), .flags = TROLLEY_OPTION_PREFIX},
        {OPTION(URL, "base"), .default_text = "https://d/"},
    };
    static const struct trolley_span span = TROLLEY_SPAN(table);
    static const struct trolley_span *const tables[] = {&span, NULL};
    static const char *const expected[] = {"http://b", "http://c", "https://d"};
    struct section *section =
        fixture_resolve("[searcher x]\nurl.one = http://b\nurl.two = http://c\n", tables);
    uint32_t i;

    (void)state;
    for (i = 0; i < 3; i++)
        assert_string_equal(config_url(section_config(section), i), expected[i]);
    assert_null(config_url(section_config(section), 3));
    fixture_drop(section);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[searcher x]\ntype = d\nulr = http://h\n",
         "3: [searcher x] key `ulr`: unknown; did you mean `url`?"},
        {DEMO "zebra = 1\n", "4: [searcher x] key `zebra`: unknown"},
        {DEMO "tokn_env = X\n",
         "4: [searcher x] key `tokn_env`: unknown; did you mean `token_env`?"},
        {DEMO "max_parallel = 4\n", "4: [searcher x] key `max_parallel`: unknown"},
        {DEMO "url_env = X\n", "4: [searcher x] key `url_env`: unknown"},
        {DEMO "param. = X\n", "4: [searcher x] key `param.`: unknown"},
        {"[searcher x]\ntype = demo\n", "1: [searcher x] key `url`: required, and missing"},
        {"[searcher x]\nurl = http://h\n", "1: [searcher x] key `type`: required, and missing"},
        {"[searcher x]\ntype =\n", "2: [searcher x] key `type`: required, and empty"},
        {DEMO "\nurl = http://h\n", "5: [searcher x] key `url`: stands here and in line 3 already"},
        {DEMO "dcmURI = http://h\n",
         "4: [searcher x] key `dcmuri`: stands here and in line 3 already"},
        {DEMO "param.a = 1\nPARAM.A = 2\n",
         "5: [searcher x] key `param.A`: stands here and in line 4 already"},
        {DEMO "token = 1\ntoken_env = 2\n",
         "5: [searcher x] key `token_env`: line 4 has this secret already; one of token, "
         "token_env, token_file and token_command is enough"},
        {DEMO "token_file = a\npass_phrase_command = b\n",
         "5: [searcher x] key `pass_phrase_command`: line 4 has this secret already"},
        {DEMO "token_command = \"a 'b\"\n",
         "4: [searcher x] key `token_command`: a quote is not closed"},
        {DEMO "token_command =\n", "4: [searcher x] key `token_command`: is empty"},
        {DEMO "token_env = A=B\n", "4: [searcher x] key `token_env`: wants the name of"},
        {DEMO "limit = many\n", "4: [searcher x] key `limit`: `many` is not a number"},
        {DEMO "limit = 1001\n", "4: [searcher x] key `limit`: `1001` is not from 1 to 1000"},
        {DEMO "wait = soon\n", "4: [searcher x] key `wait`: `soon` is not a duration"},
        {DEMO "request = all\n",
         "4: [searcher x] key `request`: `all` is not one of: study,series,auto"},
        {DEMO "refilter = maybe\n", "4: [searcher x] key `refilter`: `maybe` is not yes or no"},
        {DEMO "inner = z\n[searcher zz]\n",
         "4: [searcher x] key `inner`: there is no [searcher z]"},
        {DEMO "inner = mian\n[searcher main]\n",
         "4: [searcher x] key `inner`: there is no [searcher mian]; did you mean `main`?"},
        {DEMO "session = x\n", "4: [searcher x] key `session`: there is no [session x]"},
        {DEMO "condition =\n", "4: [searcher x] key `condition`: an item is empty"},
        {DEMO "cache = \"\"\n", "4: [searcher x] key `cache`: is empty"},
        {DEMO "called_ae = MUCH TOO LONG A TITLE\n", "4: [searcher x] key `called_ae`: "},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        const char *message = fixture_resolve_refuse(rows[i].text, demo_tables());

        if (strncmp(message, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("%s: %s", rows[i].text, message);
    }
}

static void test_host_tables(void **state)
{
    static const struct {
        const char *kind, *text, *message; /* NULL: accepted */
    } rows[] = {
        {"settings", "[settings]\nplugin_path = /a:/b\nplugin_path = /c\nlog_phi = yes\n", NULL},
        {"settings", "[settings]\nplugin_path = /a:b\n",
         "2: [settings] key `plugin_path`: `b` is not an absolute path"},
        {"settings", "[settings]\nplugin_path = /a::/b\n",
         "2: [settings] key `plugin_path`: an item is empty"},
        {"settings", "[settings]\nlog_level = loud\n", "2: [settings] key `log_level`: `loud`"},
        {"settings", "[settings]\ntrolley = x\n", "2: [settings] key `trolley`: there is no"},
        {"session",
         "[session s]\nauth = basic\nuser = u\npassword_env = P\nheader = A: b\nheader = C: d\n"
         "verify = no\nproxy = http://p:1\nmax_rate = 1MB\ntotal_timeout = 0\nmax_document = 1GiB\n"
         "http_version = 1.1\nuser_agent = x\nca_file = a\nclient_cert = b\nclient_key = c\n"
         "connect_timeout = 1s\nidle_timeout = PT2M\n",
         NULL},
        {"session", "[session s]\nconnect_timeout = 0\n",
         "2: [session s] key `connect_timeout`: `0` is less than 1 milliseconds"},
        {"session", "[session s]\nheader = nonsense\n", "2: [session s] key `header`: "},
        {"downloader", "[downloader d]\ntype = t\nmax_parallel = 8\nmax_instance = 2GiB\n", NULL},
        {"downloader", "[downloader d]\ntype = t\nmax_parallel = 0\n",
         "3: [downloader d] key `max_parallel`: `0` is not from 1 to 256"},
        {"downloader", "[downloader d]\ntype = t\nsession = s\n",
         "3: [downloader d] key `session`: unknown"},
        {"storage", "[storage s]\ntype = t\ndurability = each\nfile_mode = 0600\nmin_free = 0\n",
         NULL},
        {"storage", "[storage s]\ntype = t\nfile_mode = 888\n",
         "3: [storage s] key `file_mode`: `888` is not an octal number"},
        {"storage", "[storage s]\ntype = t\ndir_mode = 0600\n",
         "3: [storage s] key `dir_mode`: `0600` is not from 0700 to 0777"},
        {"trolley",
         "[trolley t]\ndownloader = a , b\ndownloader = c\n[downloader a]\n"
         "[downloader b]\n[downloader c]\n",
         NULL},
        {"trolley", "[trolley t]\ndownloader = a, bb\n[downloader a]\n[downloader bbb]\n",
         "2: [trolley t] key `downloader`: there is no [downloader bb]; did you mean `bbb`?"},
        {"trolley", "[trolley t]\ndownloader = a,\n[downloader a]\n",
         "2: [trolley t] key `downloader`: an item is empty"},
        {"trolley", "[trolley t]\nstorage = x\nsearcher = y\n",
         "2: [trolley t] key `storage`: there is no [storage x]"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        const char *message;

        if (!rows[i].message) {
            fixture_drop(fixture_resolve(rows[i].text, host_tables(rows[i].kind)));
            continue;
        }
        message = fixture_resolve_refuse(rows[i].text, host_tables(rows[i].kind));
        if (strncmp(message, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("%s: %s", rows[i].text, message);
    }
    assert_null(config_host_options("zebra"));
}

static void test_split(void **state)
{
    struct section *section = fixture_resolve(
        "[settings]\nplugin_path = /a : /b c\nplugin_path = /d\n", host_tables("settings"));
    struct trolley_span span =
        section_config(section)->list(section_config(section), "plugin_path");

    (void)state;
    assert_int_equal(span.count, 3);
    assert_string_equal(trolley_span_text(&span, 0), "/a");
    assert_string_equal(trolley_span_text(&span, 1), "/b c");
    assert_string_equal(trolley_span_text(&span, 2), "/d");
    fixture_drop(section);
    section = fixture_resolve("[storage s]\ntype = t\nfile_mode = 640\n", host_tables("storage"));
    assert_int_equal(section_config(section)->integer(section_config(section), "file_mode", 0),
                     0640);
    assert_int_equal(section_config(section)->integer(section_config(section), "dir_mode", 0),
                     0750);
    assert_int_equal(section_config(section)->integer(section_config(section), "min_free", 0),
                     1 << 30);
    fixture_drop(section);
}

static void test_warnings(void **state)
{
    static const char text[] = DEMO "old = yes\ntoken = hunter2\n";
    struct config_file *file = NULL;
    struct section *section = NULL;
    const char *path, *warnings;

    (void)state;
    fixture_drop(fixture_resolve(text, demo_tables()));
    warnings = fixture_warnings();
    assert_non_null(strstr(warnings, "test.ini:4: [searcher x] key `old`: deprecated: what it is"));
    assert_null(strstr(warnings, "token"));
    path = fixture_write("test.ini", text, sizeof text - 1, 0644);
    assert_int_equal(config_file_read(path, &file, NULL), 0);
    assert_int_equal(section_resolve(file, config_file_first(file), demo_tables(), &section, NULL),
                     0);
    warnings = fixture_warnings();
    assert_non_null(strstr(warnings, "test.ini:5: [searcher x] key `token`: anyone can read"));
    assert_null(strstr(warnings, "hunter2"));
    section_free(section);
    config_file_free(file);
}

static void test_defaults(void **state)
{
    struct section *section = NULL;
    struct trolley_config *config;
    struct trolley_peer *peer = NULL;

    (void)state;
    assert_int_equal(section_resolve(NULL, NULL, demo_tables(), &section, NULL), 0);
    config = section_config(section);
    assert_int_equal(config->integer(config, "limit", 0), 100);
    assert_null(config->text(config, "url"));
    assert_string_equal(section_where(section, "limit"), "defaults");
    assert_int_equal(config->peer(config, "inner", NULL, &peer), TROLLEY_ERR_UNSUPPORTED);
    assert_null(peer);
    section_free(section);
}

static void test_override(void **state)
{
    struct section *section = fixture_resolve(DEMO "param.a = 1\ncondition = one\n", demo_tables());
    const struct trolley_config *config = section_config(section);
    struct trolley_error error;
    struct trolley_span span;
    char here[4096], want[4200], where[300];

    (void)state;
    (void)snprintf(where, sizeof where, "%s/test.ini:3", fixture_directory());
    assert_string_equal(section_where(section, "url"), where);
    (void)snprintf(where, sizeof where, "%s/test.ini:1", fixture_directory());
    assert_string_equal(section_where(section, "limit"), where);
    assert_int_equal(section_override(section, "Limit", "7", &error), 0);
    assert_int_equal(config->integer(config, "limit", 0), 7);
    assert_int_equal(section_override(section, "limit", "0", &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_string_equal(error.message, "[searcher x] key `limit`: `0` is not from 1 to 1000");
    assert_int_equal(config->integer(config, "limit", 0), 7);
    assert_int_equal(section_override(section, "limti", "1", &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_string_equal(error.message, "[searcher x] key `limti`: unknown; did you mean `limit`?");
    assert_int_equal(section_override(section, "cache", "sub", &error), 0);
    assert_non_null(getcwd(here, sizeof here));
    (void)snprintf(want, sizeof want, "%s/sub", here);
    assert_string_equal(config->text(config, "cache"), want);
    assert_int_equal(section_override(section, "param.a", "2", &error), 0);
    assert_int_equal(section_override(section, "param.b", "3", &error), 0);
    assert_string_equal(config->text(config, "param.a"), "2");
    assert_string_equal(config->text(config, "param.b"), "3");
    assert_int_equal(config->keys(config, "param.").count, 2);
    assert_int_equal(section_override(section, "condition", "two", &error), 0);
    span = config->list(config, "condition");
    assert_int_equal(span.count, 1);
    assert_string_equal(trolley_span_text(&span, 0), "two");
    fixture_drop(section);
}

static void show_expect(const char *text, const struct trolley_span *const *tables,
                        const char *const *lines, size_t count)
{
    struct section *section = fixture_resolve(text, tables);
    struct kit_buffer shown = {0};
    size_t i;

    assert_int_equal(section_show(section, &shown), 0);
    for (i = 0; i < count; i++)
        if (!strstr(shown.data, lines[i])) fail_msg("`%s` not in:\n%s", lines[i], shown.data);
    if (strstr(shown.data, "hunter2")) fail_msg("a secret in:\n%s", shown.data);
    kit_buffer_free(&shown);
    fixture_drop(section);
}

static void test_show(void **state)
{
    static const char *const demo[] = {
        "[searcher x]\ntype = demo\n",   "\nurl = http://host\n", "\nlimit = 5\n",
        "\nwait = 2s ; default\n",       "\ntoken = ***\n",       "\nparam.Quoted = \"a ; b\"\n",
        "\ncondition = \"x\\\"\\\\\"\n", "\nparam.Plain = c;d\n"};
    static const char *const command[] = {"\ntoken_command = pass ***\n"};
    static const char *const environment[] = {"\ntoken_env = NAME\n"};
    static const char *const session[] = {"[session s]\n", "\nproxy = http://***@proxy:3128\n",
                                          "\nheader = X-Api-Key: ***\n", "\nuser = reader\n",
                                          "\npassword = ***\n"};

    (void)state;
    show_expect(DEMO "limit = 5\ntoken = hunter2\nparam.Quoted = \"a ; b\"\n"
                     "param.Plain = c;d\ncondition = x\"\\\n",
                demo_tables(), demo, LENGTH(demo));
    show_expect(DEMO "token_command = pass show hunter2\n", demo_tables(), command,
                LENGTH(command));
    show_expect(DEMO "token_env = NAME\n", demo_tables(), environment, LENGTH(environment));
    show_expect("[session s]\nuser = reader\npassword = hunter2\nheader = X-Api-Key: hunter2\n"
                "proxy = http://me:hunter2@proxy:3128\n",
                host_tables("session"), session, LENGTH(session));
    show_expect("[session s]\nproxy = me:hunter2@proxy:3128\n", host_tables("session"), NULL, 0);
}

/* What is shown reads back to the same values. */
static void test_show_again(void **state)
{
    static const char *const values[] = {"plain", " x ", "a ; b",  "\"q\"", "a\"b",
                                         "\\",    "; x", "a;b",    "",      "=",
                                         "#x",    "[x]", "a\\\"b", "x \\\\"};
    struct trolley_error error;
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(values); i++) {
        struct section *section = fixture_resolve(DEMO, demo_tables());
        struct kit_buffer shown = {0};

        assert_int_equal(section_override(section, "param.v", values[i], &error), 0);
        assert_int_equal(section_show(section, &shown), 0);
        fixture_drop(section);
        section = fixture_resolve(shown.data, demo_tables());
        assert_string_equal(section_config(section)->text(section_config(section), "param.v"),
                            values[i]);
        fixture_drop(section);
        kit_buffer_free(&shown);
    }
}

static void test_example(void **state)
{
    struct kit_buffer text = {0};
    struct section *section;
    char *at;

    (void)state;
    assert_int_equal(section_example("searcher", "my-demo", "demo", demo_tables(), &text), 0);
    assert_non_null(strstr(text.data, "[searcher my-demo]\n"));
    assert_non_null(strstr(text.data, "\ntype = demo\n"));
    assert_non_null(strstr(text.data, "\n; what it is for (URL, required)\nurl = http"));
    assert_non_null(strstr(text.data, "\n;limit = 100\n"));
    assert_non_null(strstr(text.data, "\n;token_env = "));
    assert_non_null(strstr(text.data, "\n;param.NAME = "));
    assert_null(strstr(text.data, "old"));
    fixture_drop(fixture_resolve(text.data, demo_tables()));
    /* With every key live it is right too, once the sections it names are there. */
    for (at = text.data; (at = strstr(at, "\n;"));)
        if (at[2] != ' ')
            memmove(at + 1, at + 2, strlen(at + 2) + 1);
        else
            at++;
    assert_int_equal(kit_buffer_append(&text, "", 0), 0);
    text.length = strlen(text.data);
    assert_int_equal(kit_buffer_text(&text, "[searcher NAME]\n[session NAME]\n"), 0);
    section = fixture_resolve(text.data, demo_tables());
    assert_string_equal(section_config(section)->text(section_config(section), "inner"), "NAME");
    fixture_drop(section);
    kit_buffer_free(&text);
}

static void test_examples_of_host(void **state)
{
    const char *kind;
    size_t i;

    (void)state;
    for (i = 0; (kind = config_kind(NULL, i)); i++) {
        struct kit_buffer text = {0};
        const bool nameless = strcmp(kind, "settings") == 0 || strcmp(kind, "prefetch") == 0;

        assert_int_equal(section_example(kind, nameless ? "" : "x", "t", host_tables(kind), &text),
                         0);
        /* What required keys name. */
        assert_int_equal(kit_buffer_text(&text, "[exporter NAME]\n[searcher NAME]\n"), 0);
        fixture_drop(fixture_resolve(text.data, host_tables(kind)));
        kit_buffer_free(&text);
        assert_int_equal(option_table_check(NULL, config_host_options(kind), NULL), 0);
    }
    assert_int_equal(i, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_host_tables),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_override),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_show_again),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_examples_of_host),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
