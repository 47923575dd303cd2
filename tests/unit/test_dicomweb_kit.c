/* Media types [RFC 9110 8.3.1] and URLs [RFC 3986]. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <kit/media_type.h>
#include <kit/url.h>
#include <trolley/types.h>

static void test_H6_media_type(void **state)
{
    (void)state;
    assert_true(kit_media_type_is("Application/DICOM", "application/dicom"));
    assert_true(kit_media_type_is(" application/dicom ; transfer-syntax=*", "application/dicom"));
    assert_true(kit_media_type_is("multipart/Related;boundary=x", "multipart/"));
    assert_false(kit_media_type_is("application/dicom+json", "application/dicom"));
    assert_false(kit_media_type_is("", "application/dicom"));
    assert_false(kit_media_type_is(NULL, "application/dicom"));
}

static void param_is(const char *value, const char *name, const char *expected)
{
    char text[32];
    int r = kit_media_type_param(value, name, text, sizeof text);

    if (r != 0) fail_msg("%s of %s: %d", name, value, r);
    assert_string_equal(text, expected);
}

static void test_H6_media_type_parameters(void **state)
{
    (void)state;
    param_is("multipart/related; type=\"application/dicom\"; boundary=abc", "boundary", "abc");
    param_is("multipart/related;BOUNDARY=\"a;b=\\\"c\\\"\";type=x", "Boundary", "a;b=\"c\"");
    param_is("a/b; c=\"boundary=no\"; boundary = yes ", "boundary", "yes");
    param_is("a/b; boundary=a/b:c=d; x=y", "boundary", "a/b:c=d");
    param_is("a/b; flag; boundary=x", "boundary", "x");
    param_is("a/b; boundary=\"\"", "boundary", "");
    param_is("a/b; boundary=\" x\"", "boundary", " x");
}

static void test_H6_media_type_parameters_refused(void **state)
{
    char text[4] = "old";

    (void)state;
    assert_int_equal(kit_media_type_param("a/b", "c", text, 4), TROLLEY_ERR_NOT_FOUND);
    assert_int_equal(kit_media_type_param("a/b; xc=d", "c", text, 4), TROLLEY_ERR_NOT_FOUND);
    assert_int_equal(kit_media_type_param("a/b; c=\"d", "c", text, 4), TROLLEY_ERR_PROTOCOL);
    assert_int_equal(kit_media_type_param("a/b; c=defg", "c", text, 4), TROLLEY_ERR_TOO_LARGE);
    assert_string_equal(text, "old");
    assert_int_equal(kit_media_type_param("a/b; c=def", "c", text, 4), 0);
    assert_string_equal(text, "def");
}

static void test_url(void **state)
{
    struct kit_buffer url = {0};

    (void)state;
    assert_int_equal(kit_url_join(&url, "https://h/dicom-web//", "/studies"), 0);
    assert_int_equal(kit_url_query(&url, "PatientName", "M\xc3\xbcller^A&B=C*"), 0);
    assert_int_equal(kit_url_query(&url, "x", "a/b 1.2,3.4%?+\\"), 0);
    assert_string_equal(url.data, "https://h/dicom-web/studies?PatientName=M%C3%BCller%5EA%26B%3DC*"
                                  "&x=a/b%201.2,3.4%25?%2B%5C");
    kit_buffer_reset(&url);
    assert_int_equal(kit_url_join(&url, "http://h/wado?tenant=7#x", "/studies"), 0);
    assert_int_equal(kit_url_query(&url, "limit", "1"), 0);
    assert_string_equal(url.data, "http://h/wado/studies?tenant=7&limit=1");
    kit_buffer_reset(&url);
    assert_int_equal(kit_url_encode(&url, "a/../b", ""), 0);
    assert_string_equal(url.data, "a%2F..%2Fb");
    kit_buffer_free(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_H6_media_type),
        cmocka_unit_test(test_H6_media_type_parameters),
        cmocka_unit_test(test_H6_media_type_parameters_refused),
        cmocka_unit_test(test_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
