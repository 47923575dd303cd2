/* Content-Type against Accept, and which objects have pixels. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/prefetch/accept.h"
#include "core/prefetch/pixels.h"

#include <cmocka.h>

static void test_accept(void **state)
{
    static const struct {
        const char *accept, *type;
        bool fits;
    } rows[] = {
        {NULL, "image/jpeg", true},
        {NULL, "", true},
        {NULL, "text/html", false},
        {NULL, "text/html;charset=utf-8", false},
        {NULL, "TEXT/HTML", false},
        {NULL, "application/xhtml+xml", false},
        {"*/*", "text/html", false},
        {"image/jpeg, */*;q=0.1", "text/html", false},
        {"text/html", "text/html", true},
        {"text/*", "text/html; charset=x", true},
        {"image/jpeg, text/html;q=0.5", "text/html", true},
        {"*/*", "image/png", true},
        {"image/jpeg", "image/jpeg", true},
        {"image/jpeg", "", true},
        {"image/jpeg", "Image/JPEG", true},
        {"image/jpeg", "image/jpg", true},
        {"image/jpeg", "image/png", false},
        {"image/jpeg", "image/jpegx", false},
        {"image/jpegx", "image/jpeg", false},
        {"image/*", "image/png", true},
        {"image/*", "imagex/png", false},
        {"image/jpeg,image/png", "image/png", true},
        {"image/jpeg;q=0.5 , image/png", "image/png", true},
        {"image/jpeg;a=\"x,image/png\"", "image/png", false},
        {"application/json", "application/dicom+json", true},
        {"application/dicom+json", "application/json; charset=utf-8", true},
        {"application/dicom+xml", "text/xml", true},
        {"application/dicom+json", "application/dicom+xml", false},
        {"multipart/related; type=\"application/dicom\"",
         "multipart/related; boundary=x; type=\"application/dicom\"", true},
        {"application/dicom", "multipart/related; type=\"application/dicom\"", false},
        {"", "image/jpeg", false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct prefetch_url url = {.text = "http://x/[0]", .accept = rows[i].accept};
        char problem[256] = "";

        if (accept_judge(&url, rows[i].type, problem, sizeof problem) != rows[i].fits)
            fail_msg("%s against %s: %s", rows[i].type, rows[i].accept, problem);
        assert_int_equal(!*problem, rows[i].fits);
    }
}

static void test_html_by_url(void **state)
{
    const struct prefetch_url url = {.text = "http://x/wado?contentType=text/html&o=[2]"};
    const struct prefetch_url coded = {.text = "http://x/wado?contentType=text%2Fhtml"};
    char problem[64];

    (void)state;
    assert_true(accept_judge(&url, "text/html", problem, sizeof problem));
    assert_true(accept_judge(&coded, "text/html", problem, sizeof problem));
}

static void test_images(void **state)
{
    (void)state;
    assert_string_equal(accept_image("image/png", "\xff\xd8\xff\xe0", 4), "image/jpeg");
    assert_string_equal(accept_image("image/jpeg", "\x89PNG\r\n", 6), "image/png");
    assert_string_equal(accept_image("image/png", "GIF89a", 6), "image/gif");
    assert_null(accept_image("image/png", "\xff\xd8", 2));
    assert_null(accept_image("image/png", NULL, 0));
    assert_null(accept_image("application/json", "\xff\xd8\xff\xe0", 4));
}

static void test_pixels(void **state)
{
    static const char *const without[] = {
        "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.88.59",
        "1.2.840.10008.5.1.4.1.1.11.1",  "1.2.840.10008.5.1.4.1.1.9.1.1",
        "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.481.3",
        "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.66",
        "1.2.840.10008.5.1.4.1.1.4.2",   "1.2.840.10008.5.1.4.38.1"};
    /* CT, MR, RT Image, RT Dose, Segmentation, Secondary Capture, VL, OPT, and what is unknown. */
    static const char *const with[] = {"1.2.840.10008.5.1.4.1.1.2",
                                       "1.2.840.10008.5.1.4.1.1.4",
                                       "1.2.840.10008.5.1.4.1.1.481.1",
                                       "1.2.840.10008.5.1.4.1.1.481.2",
                                       "1.2.840.10008.5.1.4.1.1.66.4",
                                       "1.2.840.10008.5.1.4.1.1.7",
                                       "1.2.840.10008.5.1.4.1.1.7.4",
                                       "1.2.840.10008.5.1.4.1.1.77.1.5.4",
                                       "1.2.840.10008.5.1.4.1.1.481.23",
                                       "1.2.840.10008.5.1.4.1.1.881",
                                       "1.2.3",
                                       "",
                                       "1.2.840.10008.5.1.4.1.1.",
                                       "1.2.840.10008.5.1.4.1.1.4.1"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof without / sizeof without[0]; i++)
        if (!prefetch_without_pixels(without[i])) fail_msg("%s", without[i]);
    for (i = 0; i < sizeof with / sizeof with[0]; i++)
        if (prefetch_without_pixels(with[i])) fail_msg("%s", with[i]);
    assert_false(prefetch_without_pixels(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_html_by_url),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_pixels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
