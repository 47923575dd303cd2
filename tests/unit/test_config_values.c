/* Values by type, right and wrong. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/config/values.h"
#include "core/config/words.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define BAD INT64_MIN

struct row {
    const char *text;
    int64_t number; /* BAD: refused */
};

static void check_rows(const struct trolley_option *option, const struct row *rows, size_t count)
{
    struct trolley_error error;
    int64_t number;
    size_t i;

    for (i = 0; i < count; i++) {
        int r;

        number = -77;
        error.message[0] = '\0';
        r = option_parse(option, rows[i].text, &number, &error);
        if (rows[i].number == BAD) {
            if (r != TROLLEY_ERR_INVALID_CONFIG) fail_msg("`%s` gave %d", rows[i].text, r);
            assert_int_equal(number, -77);
            assert_true(error.message[0] != '\0');
        } else if (r != 0 || number != rows[i].number) {
            fail_msg("`%s` gave %d, %lld: %s", rows[i].text, r, (long long)number, error.message);
        }
    }
}

static void test_numbers(void **state)
{
    const struct trolley_option any = {.size = sizeof any, .type = TROLLEY_OPTION_INT};
    const struct trolley_option range = {
        .size = sizeof range, .type = TROLLEY_OPTION_INT, .min = -1, .max = 64};
    const struct trolley_option port = {.size = sizeof port, .type = TROLLEY_OPTION_PORT};
    const struct trolley_option any_port = {
        .size = sizeof any_port, .type = TROLLEY_OPTION_PORT, .max = 65535};
    const struct trolley_option octal = {.size = sizeof octal,
                                         .type = TROLLEY_OPTION_INT,
                                         .flags = CONFIG_OPTION_OCTAL,
                                         .min = 0400,
                                         .max = 0777};
    static const struct row any_rows[] = {{"0", 0},
                                          {"-5", -5},
                                          {"+5", 5},
                                          {"010", 10},
                                          {"9223372036854775807", INT64_MAX},
                                          {"9223372036854775808", BAD},
                                          {"-9223372036854775809", BAD},
                                          {"", BAD},
                                          {"x", BAD},
                                          {"1 ", BAD},
                                          {" 1", BAD},
                                          {"1.0", BAD},
                                          {"0x10", BAD},
                                          {"--1", BAD},
                                          {"-", BAD}};
    static const struct row range_rows[] = {{"-1", -1}, {"64", 64}, {"65", BAD}, {"-2", BAD}};
    static const struct row port_rows[] = {{"1", 1},       {"65535", 65535}, {"0", BAD},
                                           {"65536", BAD}, {"-1", BAD},      {"http", BAD}};
    static const struct row any_port_rows[] = {{"0", 0}, {"104", 104}, {"65536", BAD}};
    static const struct row octal_rows[] = {{"0640", 0640}, {"640", 0640}, {"0777", 0777},
                                            {"01777", BAD}, {"0200", BAD}, {"0680", BAD}};

    (void)state;
    check_rows(&any, any_rows, LENGTH(any_rows));
    check_rows(&range, range_rows, LENGTH(range_rows));
    check_rows(&port, port_rows, LENGTH(port_rows));
    check_rows(&any_port, any_port_rows, LENGTH(any_port_rows));
    check_rows(&octal, octal_rows, LENGTH(octal_rows));
}

static void test_words(void **state)
{
    const struct trolley_option boolean = {.size = sizeof boolean, .type = TROLLEY_OPTION_BOOL};
    const struct trolley_option choice = {
        .size = sizeof choice, .type = TROLLEY_OPTION_CHOICE, .choices = "none, batch,each"};
    static const struct row boolean_rows[] = {{"yes", 1}, {"no", 0},  {"TRUE", 1}, {"False", 0},
                                              {"on", 1},  {"off", 0}, {"1", 1},    {"0", 0},
                                              {"2", BAD}, {"", BAD},  {"y", BAD},  {"yes no", BAD}};
    static const struct row choice_rows[] = {{"none", 0},   {"batch", 1}, {"EACH", 2},
                                             {"", BAD},     {"bat", BAD}, {"batch,each", BAD},
                                             {"eachx", BAD}};

    (void)state;
    check_rows(&boolean, boolean_rows, LENGTH(boolean_rows));
    check_rows(&choice, choice_rows, LENGTH(choice_rows));
}

static void test_duration(void **state)
{
    const struct trolley_option any = {.size = sizeof any, .type = TROLLEY_OPTION_DURATION};
    const struct trolley_option range = {
        .size = sizeof range, .type = TROLLEY_OPTION_DURATION, .min = 1, .max = 60000};
    static const struct row rows[] = {{"0", 0},
                                      {"250ms", 250},
                                      {"10s", 10000},
                                      {"5m", 300000},
                                      {"2h", 7200000},
                                      {"1d", 86400000},
                                      {"0s", 0},
                                      {"10 s", 10000},
                                      {"9223372036854775807ms", INT64_MAX},
                                      {"9223372036854775808ms", BAD},
                                      {"9223372036854776s", BAD},
                                      {"106751991168d", BAD},
                                      {"", BAD},
                                      {"10", BAD},
                                      {"s", BAD},
                                      {"-1s", BAD},
                                      {"1.5s", BAD},
                                      {"10S", BAD},
                                      {"1h30m", BAD},
                                      {"10sec", BAD},
                                      {"10s ", BAD},
                                      {"PT1M", 60000},
                                      {"pt30s", 30000},
                                      {"PT0.5S", 500},
                                      {"PT1.2345S", 1234},
                                      {"PT90M", 5400000},
                                      {"P1D", 86400000},
                                      {"P1DT2H3M4S", 93784000},
                                      {"PT2H4S", 7204000},
                                      {"PT0S", 0},
                                      {"PT0.001S", 1},
                                      {"P", BAD},
                                      {"PT", BAD},
                                      {"P1DT", BAD},
                                      {"P1M", BAD},
                                      {"P1Y", BAD},
                                      {"P1W", BAD},
                                      {"PT1D", BAD},
                                      {"PT1M1H", BAD},
                                      {"PT1M1M", BAD},
                                      {"PT1.S", BAD},
                                      {"PT.5S", BAD},
                                      {"PT1.5M", BAD},
                                      {"-PT1M", BAD},
                                      {"PT-1M", BAD},
                                      {"PT1M ", BAD},
                                      {"PTT1M", BAD},
                                      {"PT1", BAD},
                                      {"P1S", BAD},
                                      {"PT9223372036854775808S", BAD},
                                      {"PT9223372036854775S", INT64_C(9223372036854775000)},
                                      {"PT9223372036854775.999S", BAD},
                                      {"PT2562047788015H", INT64_C(9223372036854000000)},
                                      {"PT2562047788016H", BAD}};
    static const struct row range_rows[] = {{"1ms", 1}, {"PT1M", 60000}, {"0", BAD}, {"61s", BAD}};

    (void)state;
    check_rows(&any, rows, LENGTH(rows));
    check_rows(&range, range_rows, LENGTH(range_rows));
}

static void test_size(void **state)
{
    const struct trolley_option any = {.size = sizeof any, .type = TROLLEY_OPTION_SIZE};
    static const struct row rows[] = {{"0", 0},
                                      {"4096", 4096},
                                      {"12B", 12},
                                      {"64KiB", 65536},
                                      {"10MB", 10000000},
                                      {"1kb", 1000},
                                      {"3 GiB", INT64_C(3221225472)},
                                      {"2TB", INT64_C(2000000000000)},
                                      {"1TiB", INT64_C(1099511627776)},
                                      {"8388607TiB", INT64_C(9223370937343148032)},
                                      {"8388608TiB", BAD},
                                      {"9223372036854775808", BAD},
                                      {"", BAD},
                                      {"-1", BAD},
                                      {"KiB", BAD},
                                      {"10K", BAD},
                                      {"10M", BAD},
                                      {"1.5MB", BAD},
                                      {"10 MB x", BAD},
                                      {"+1", BAD}};

    (void)state;
    check_rows(&any, rows, LENGTH(rows));
}

static void test_texts(void **state)
{
    const struct trolley_option url = {.size = sizeof url, .type = TROLLEY_OPTION_URL};
    const struct trolley_option ae = {.size = sizeof ae, .type = TROLLEY_OPTION_AE_TITLE};
    const struct trolley_option path = {.size = sizeof path, .type = TROLLEY_OPTION_PATH};
    const struct trolley_option text = {.size = sizeof text, .type = TROLLEY_OPTION_STRING};
    const struct trolley_option header = {
        .size = sizeof header, .type = TROLLEY_OPTION_LIST, .flags = CONFIG_OPTION_HEADER};
    static const struct row url_rows[] = {{"http://host", 0},
                                          {"HTTPS://host:8080/a/b?c=d", 0},
                                          {"http://[::1]:8042/x", 0},
                                          {"http://h\xc3\xa9/x", 0},
                                          {"", BAD},
                                          {"host", BAD},
                                          {"ftp://host", BAD},
                                          {"http://", BAD},
                                          {"http:///path", BAD},
                                          {"http://:80/", BAD},
                                          {"http://host:/", BAD},
                                          {"http://host:0/", BAD},
                                          {"http://host:65536/", BAD},
                                          {"http://host:8x/", BAD},
                                          {"http://[]/", BAD},
                                          {"http://[::1/", BAD},
                                          {"http://[::1]x/", BAD},
                                          {"http://user:pass@host/", BAD},
                                          {"http://host/a b", BAD},
                                          {"http://host/\t", BAD},
                                          {"http://host/a\x7f", BAD},
                                          {"http://host/\xff", BAD},
                                          {"http://host/a#b", BAD},
                                          {"http://host/@", 0}};
    static const struct row ae_rows[] = {
        {"A", 0},         {"SIXTEEN CHARS 16", 0},    {" PADDED ", 0},      {"", BAD},
        {"   ", BAD},     {"SEVENTEEN CHARS17", BAD}, {"BACK\\SLASH", BAD}, {"TAB\tX", BAD},
        {"\xc3\x84", BAD}};
    static const struct row path_rows[] = {{"/a", 0}, {"a", 0}, {"", BAD}};
    static const struct row text_rows[] = {{"", 0}, {"anything \xc3\xa4", 0}};
    static const struct row header_rows[] = {{"X-Key: abc", 0}, {"X-Key:", 0},       {"X-Key", BAD},
                                             {": abc", BAD},    {"X Key: abc", BAD}, {"", BAD}};

    (void)state;
    check_rows(&url, url_rows, LENGTH(url_rows));
    check_rows(&ae, ae_rows, LENGTH(ae_rows));
    check_rows(&path, path_rows, LENGTH(path_rows));
    check_rows(&text, text_rows, LENGTH(text_rows));
    check_rows(&header, header_rows, LENGTH(header_rows));
}

static void test_normal(void **state)
{
    static const struct {
        uint32_t type;
        const char *text, *normal;
    } rows[] = {
        {TROLLEY_OPTION_URL, "http://host/", "http://host"},
        {TROLLEY_OPTION_URL, "https://host/a//", "https://host/a"},
        {TROLLEY_OPTION_URL, "http://host/a?b=c/", "http://host/a?b=c/"},
        {TROLLEY_OPTION_PATH, "data/x", "/etc/trolley/data/x"},
        {TROLLEY_OPTION_PATH, "/data", "/data"},
        {TROLLEY_OPTION_AE_TITLE, " PACS ", "PACS"},
        {TROLLEY_OPTION_CHOICE, "BATCH", "batch"},
        {TROLLEY_OPTION_DURATION, "PT1M", "PT1M"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        const struct trolley_option option = {
            .size = sizeof option, .type = rows[i].type, .choices = "none,batch"};
        struct trolley_error error;
        char *text = NULL;
        int64_t number;

        assert_int_equal(
            config_value_normal(&option, rows[i].text, "/etc/trolley", &text, &number, &error), 0);
        assert_string_equal(text, rows[i].normal);
        free(text);
    }
}

/* A password in a URL is not repeated in the message. */
static void test_discreet(void **state)
{
    const struct trolley_option url = {.size = sizeof url, .type = TROLLEY_OPTION_URL};
    const struct trolley_option header = {
        .size = sizeof header, .type = TROLLEY_OPTION_LIST, .flags = CONFIG_OPTION_HEADER};
    struct trolley_error error;
    int64_t number;

    (void)state;
    assert_true(option_parse(&url, "http://reader:hunter2@host/", &number, &error) < 0);
    assert_null(strstr(error.message, "hunter2"));
    assert_non_null(strstr(error.message, "session"));
    assert_true(option_parse(&header, "Authorization hunter2", &number, &error) < 0);
    assert_null(strstr(error.message, "hunter2"));
}

static void test_split(void **state)
{
    static const struct {
        const char *text;
        const char *words[5];
    } rows[] = {
        {"pass", {"pass"}},
        {"  pass   show\tpacs ", {"pass", "show", "pacs"}},
        {"a 'b c' \"d e\"", {"a", "b c", "d e"}},
        {"a \"say \\\"hi\\\" \\\\ \\n\"", {"a", "say \"hi\" \\ \\n"}},
        {"a 'no \\' b", {"a", "no \\", "b"}},
        {"a\\ b c\\\\", {"a b", "c\\"}},
        {"a '' \"\"", {"a", "", ""}},
        {"x'y'\"z\"", {"xyz"}},
        {"echo $HOME `ls` *;", {"echo", "$HOME", "`ls`", "*;"}},
    };
    static const char *const bad[] = {"", "   ", "a 'b", "a \"b", "a \\", "'' x"};
    struct trolley_error error;
    char **words;
    size_t i, k;

    (void)state;
    for (i = 0; i < LENGTH(rows); i++) {
        assert_int_equal(config_words_split(rows[i].text, &words, &error), 0);
        for (k = 0; rows[i].words[k]; k++)
            assert_string_equal(words[k], rows[i].words[k]);
        assert_null(words[k]);
        config_words_free(words);
    }
    for (i = 0; i < LENGTH(bad); i++)
        assert_int_equal(config_words_split(bad[i], &words, &error), TROLLEY_ERR_INVALID_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),  cmocka_unit_test(test_words),
        cmocka_unit_test(test_duration), cmocka_unit_test(test_size),
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_normal),
        cmocka_unit_test(test_discreet), cmocka_unit_test(test_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
