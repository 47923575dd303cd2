/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <kit/json.h>
#include <trolley/types.h>

static void test_strings(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\n\t\r\b\f\x01\x1f", 7, "\"\\n\\t\\r\\b\\f\\u0001\\u001f\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"M\xC3\xBCller", 7, "\"M\xC3\xBCller\""},
        {"\xF0\x9F\x98\x80", 4, "\"\xF0\x9F\x98\x80\""},
        {"x\xFFy", 3, "\"x\xEF\xBF\xBDy\""},
        {"\xC0\xAF", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"cut\xE5\xB1", 5, "\"cut\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {NULL, 0, "null"},
    };
    struct kit_buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kit_buffer_reset(&out);
        assert_int_equal(kit_json_string_n(&out, cases[i].text, cases[i].length), 0);
        assert_string_equal(out.data, cases[i].json);
    }
    kit_buffer_free(&out);
}

static void test_string_past_cap(void **state)
{
    struct kit_buffer out = {.cap = 8};

    (void)state;
    assert_int_equal(kit_json_string(&out, "abc"), 0);
    assert_int_equal(kit_json_string(&out, "abc"), TROLLEY_ERR_TOO_LARGE);
    assert_string_equal(out.data, "\"abc\"");
    kit_buffer_free(&out);
}

static void test_objects(void **state)
{
    struct kit_buffer out = {0};
    struct kit_json json = {.out = &out};

    (void)state;
    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "uid", "1.2");
    kit_json_text(&json, "none", NULL);
    kit_json_open(&json, "list", '[');
    kit_json_uint(&json, NULL, UINT64_MAX);
    kit_json_open(&json, NULL, '{');
    kit_json_close(&json);
    kit_json_bool(&json, NULL, false);
    kit_json_close(&json);
    kit_json_raw(&json, "raw", "{\"a\":[1]}");
    kit_json_bool(&json, "k\"", true);
    kit_json_close(&json);
    assert_int_equal(json.status, 0);
    assert_string_equal(out.data,
                        "{\"uid\":\"1.2\",\"none\":null,\"list\":[18446744073709551615,{},"
                        "false],\"raw\":{\"a\":[1]},\"k\\\"\":true}");
    kit_buffer_free(&out);
}

static void test_first_error_sticks(void **state)
{
    struct kit_buffer out = {0};
    struct kit_json deep = {.out = &out}, unbalanced = {.out = &out}, keyless = {.out = &out};

    (void)state;
    for (int i = 0; i <= KIT_JSON_DEPTH; i++)
        kit_json_open(&deep, NULL, '[');
    assert_int_equal(deep.status, TROLLEY_ERR_TOO_LARGE);
    kit_json_close(&deep);
    assert_int_equal(out.length, KIT_JSON_DEPTH);

    kit_buffer_reset(&out);
    kit_json_close(&unbalanced);
    assert_int_equal(unbalanced.status, TROLLEY_ERR_INVALID_ARG);
    kit_json_open(&keyless, NULL, '{');
    kit_json_uint(&keyless, NULL, 1);
    assert_int_equal(keyless.status, TROLLEY_ERR_INVALID_ARG);
    assert_string_equal(out.data, "{");
    kit_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_string_past_cap),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_first_error_sticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
