/* base64 text in pieces. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <kit/base64.h>
#include <kit/buffer.h>
#include <trolley/types.h>

#include <cmocka.h>

static int collect(void *ctx, const void *data, size_t length)
{
    return kit_buffer_append(ctx, data, length);
}

/* Decodes in pieces of that size. */
static int decode(const char *text, size_t piece, struct kit_buffer *out)
{
    struct kit_base64 base64 = {0};
    size_t at, length = strlen(text), take;
    int r = 0;

    for (at = 0; r == 0 && at < length; at += take) {
        take = length - at < piece ? length - at : piece;
        r = kit_base64_push(&base64, text + at, take, collect, out);
    }
    if (r == 0) r = kit_base64_finish(&base64);
    return r;
}

static void test_base64(void **state)
{
    static const struct {
        const char *text, *bytes; /* bytes NULL: status */
        int status;
    } cases[] = {
        {"", "", 0},
        {"Zg==", "f", 0},
        {"Zm8=", "fo", 0},
        {"Zm9v", "foo", 0},
        {"Zm9v\r\nYmFy\r\n", "foobar", 0},
        {" Z m 9 v Y g = = \n", "foob", 0},
        {"Zm9vYmE", NULL, TROLLEY_ERR_TRUNCATED},
        {"Zg=", NULL, TROLLEY_ERR_TRUNCATED},
        {"Zm9v*mFy", NULL, TROLLEY_ERR_PROTOCOL},
        {"Zm9v-mFy", NULL, TROLLEY_ERR_PROTOCOL},
        {"Zg==Zg==", NULL, TROLLEY_ERR_PROTOCOL},
        {"Zg==x", NULL, TROLLEY_ERR_PROTOCOL},
        {"Z===", NULL, TROLLEY_ERR_PROTOCOL},
        {"Zm9v\xc3\xa4", NULL, TROLLEY_ERR_PROTOCOL},
    };
    size_t i, piece;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (piece = 1; piece < 14; piece++) {
            struct kit_buffer out = {0};
            int r = decode(cases[i].text, piece, &out);

            if (r != cases[i].status) fail_msg("%s by %zu: %d", cases[i].text, piece, r);
            if (cases[i].bytes) {
                assert_int_equal(out.length, strlen(cases[i].bytes));
                if (out.length) assert_memory_equal(out.data, cases[i].bytes, out.length);
            }
            kit_buffer_free(&out);
        }
    }
}

/* All bytes, and more than is handed on at a time. */
static void test_long_text(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct kit_buffer text = {0}, out = {0};

    (void)state;
    for (uint32_t i = 0; i < 30000; i++) {
        uint32_t bits = i * 2654435761u >> 8;
        char group[4];

        for (int j = 0; j < 4; j++)
            group[j] = digits[bits >> (18 - 6 * j) & 63];
        assert_int_equal(kit_buffer_append(&text, group, 4), 0);
    }
    assert_int_equal(decode(text.data, 50000, &out), 0);
    assert_int_equal(out.length, 90000);
    for (uint32_t i = 0; i < 30000; i++) {
        uint32_t bits = i * 2654435761u >> 8;

        for (int j = 0; j < 3; j++)
            assert_int_equal((unsigned char)out.data[3 * i + (uint32_t)j],
                             bits >> (16 - 8 * j) & 255);
    }
    kit_buffer_free(&text);
    kit_buffer_free(&out);
}

/* A refusal ends it. */
static int refuse(void *ctx, const void *data, size_t length)
{
    (void)ctx;
    (void)data;
    return length == 3 ? TROLLEY_ERR_NO_SPACE : 0;
}

static void test_refusal(void **state)
{
    struct kit_base64 base64 = {0};

    (void)state;
    assert_int_equal(kit_base64_push(&base64, "Zm9v", 4, refuse, NULL), TROLLEY_ERR_NO_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
