/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <kit/text.h>
#include <kit/uid.h>

#include "core/model/error.h"

#include <cmocka.h>

static const struct {
    const char *text;
    size_t length;
    bool valid;
    const char *escaped;
} texts[] = {
    {"", 0, true, ""},
    {"plain", 5, true, "plain"},
    {"M\xc3\xbcller", 7, true, "M\xc3\xbcller"},
    {"\xe5\xb1\xb1", 3, true, "\xe5\xb1\xb1"},
    {"\xf0\x9f\xa9\xbb", 4, true, "\xf0\x9f\xa9\xbb"},
    {"\xf4\x8f\xbf\xbf", 4, true, "\xf4\x8f\xbf\xbf"},
    {"a\0b", 3, true, "a\\x00b"},
    {"\x1b[31m", 5, true, "\\x1b[31m"},
    {"a\r\n\tb", 5, true,
     "a\\x0d\\x0a\\x09"
     "b"},
    {"\x7f", 1, true, "\\x7f"},
    {"\xc2\x9b"
     "31m",
     5, true,
     "\\xc2\\x9b"
     "31m"}, /* C1: CSI */
    {"\xe2\x80\xae"
     "gpj",
     6, true,
     "\\xe2\\x80\\xae"
     "gpj"},                                      /* right-to-left override */
    {"\xe2\x81\xa6", 3, true, "\\xe2\\x81\\xa6"}, /* isolate */
    {"\xe2\x80\xa8", 3, true, "\\xe2\\x80\\xa8"}, /* line separator */
    {"M\xfcller", 6, false, "M\\xfcller"},        /* Latin-1 */
    {"\x80", 1, false, "\\x80"},                  /* stray continuation */
    {"\xc3", 1, false, "\\xc3"},                  /* cut */
    {"\xe5\xb1", 2, false, "\\xe5\\xb1"},
    {"\xc3(", 2, false, "\\xc3("},
    {"\xc0\xaf", 2, false, "\\xc0\\xaf"}, /* overlong */
    {"\xe0\x80\xaf", 3, false, "\\xe0\\x80\\xaf"},
    {"\xf0\x80\x80\xaf", 4, false, "\\xf0\\x80\\x80\\xaf"},
    {"\xed\xa0\x80", 3, false, "\\xed\\xa0\\x80"},          /* surrogate */
    {"\xf4\x90\x80\x80", 4, false, "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
    {"\xff", 1, false, "\\xff"},
};

static void test_utf8_and_escape(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct kit_buffer out = {0};

        assert_int_equal(kit_text_utf8_valid(texts[i].text, texts[i].length), texts[i].valid);
        assert_int_equal(kit_text_escape(&out, texts[i].text, texts[i].length), 0);
        assert_string_equal(out.data, texts[i].escaped);
        kit_buffer_free(&out);
    }
}

static void test_escape_past_cap_appends_nothing(void **state)
{
    struct kit_buffer out = {.cap = 8};

    (void)state;
    assert_int_equal(kit_buffer_text(&out, "ab"), 0);
    assert_int_equal(kit_text_escape(&out, "x\n\n\n", 4), TROLLEY_ERR_TOO_LARGE);
    assert_string_equal(out.data, "ab");
    assert_int_equal(out.length, 2);
    kit_buffer_free(&out);
}

static void test_key_equal(void **state)
{
    (void)state;
    assert_true(kit_text_key_equal("max_retries", "MAX-Retries"));
    assert_true(kit_text_key_equal("", ""));
    assert_false(kit_text_key_equal("max_retries", "max_retrie"));
    assert_false(kit_text_key_equal("max_retrie", "max_retries"));
    assert_false(kit_text_key_equal("max retries", "max_retries"));
}

static const char *next_word(void *ctx, size_t i)
{
    return ((const char *const *)ctx)[i];
}

static void test_nearest(void **state)
{
    static const char *const words[] = {"PatientName", "PatientID", "limit", "url", NULL};
    static const char *const none[] = {NULL};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"PatientNmae", "PatientName"}, /* a swap is one step */
        {"patientname", "PatientName"},
        {"PatentName", "PatientName"},
        {"PatienName", "PatientName"},
        {"PatientId", "PatientID"},
        {"limt", "limit"},
        {"ulr", "url"},
        {"xyz", NULL},
        {"uxx", NULL}, /* two steps of three letters */
        {"StudyDescription", NULL},
        {"", NULL},
    };
    char long_word[4096];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = kit_text_nearest(cases[i].word, next_word, (void *)words);

        if (cases[i].nearest)
            assert_string_equal(nearest, cases[i].nearest);
        else
            assert_null(nearest);
    }
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_null(kit_text_nearest(long_word, next_word, (void *)words));
    assert_null(kit_text_nearest("limit", next_word, (void *)none));
}

static void test_uid(void **state)
{
    static const char digits64[] =
        "1.234567890123456789012345678901234567890123456789012345678901.3";
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"1.2.840.10008.1.2", true},
        {"1", true},
        {"0.0", true},
        {"1.02.3", true},
        {digits64 + 1, false},
        {digits64, true},
        {"", false},
        {NULL, false},
        {".1", false},
        {"1.", false},
        {"1..2", false},
        {"1.2 ", false},
        {" 1.2", false},
        {"1.2a", false},
        {"1.*", false},
        {"-1.2", false},
        {"../../etc/passwd", false},
        {"1/2", false},
        {"1.2\n", false},
        {"\xd9\xa1", false},
    };
    char longer[sizeof digits64 + 1];
    size_t i;

    (void)state;
    assert_int_equal(strlen(digits64), KIT_UID_MAX);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(kit_uid_valid(cases[i].text), cases[i].valid);
    memcpy(longer, digits64, sizeof digits64);
    longer[KIT_UID_MAX] = '4';
    longer[KIT_UID_MAX + 1] = '\0';
    assert_false(kit_uid_valid(longer));
}

static void test_error_is_one_safe_line(void **state)
{
    struct trolley_error error;
    char text[4000];
    size_t i;

    (void)state;
    assert_int_equal(error_set(NULL, TROLLEY_ERR_IO, "x"), TROLLEY_ERR_IO);
    assert_int_equal(error_set(&error, TROLLEY_ERR_IO, "a\n%s", "\x1b[2J"), TROLLEY_ERR_IO);
    assert_string_equal(error.message, "a\\x0a\\x1b[2J");
    error_prefix(&error, "%s", "disk \"x\"");
    assert_string_equal(error.message, "disk \"x\": a\\x0a\\x1b[2J");
    /* Too long: cut between two characters, so that what remains is UTF-8. */
    for (i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    text[sizeof text - 1] = '\0';
    error_set(&error, TROLLEY_ERR_IO, "%.1500s", text);
    error_prefix(&error, "%.901s", text);
    assert_in_range(strlen(error.message), 2000, sizeof error.message - 1);
    assert_true(kit_text_utf8_valid(error.message, strlen(error.message)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_and_escape),
        cmocka_unit_test(test_escape_past_cap_appends_nothing),
        cmocka_unit_test(test_key_equal),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_uid),
        cmocka_unit_test(test_error_is_one_safe_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
