/* SHA-256 against the examples that NIST publishes with FIPS 180-4. SPDX-License-Identifier: MIT */
#include <kit/digest.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *hex_of(struct kit_digest *digest, const char *text, size_t piece)
{
    static char hex[KIT_DIGEST_HEX_SIZE];
    const size_t length = strlen(text);
    size_t at;

    for (at = 0; at < length; at += piece)
        kit_digest_update(digest, text + at, length - at < piece ? length - at : piece);
    return kit_digest_hex(digest, hex);
}

static void test_examples(void **state)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    struct kit_digest *digest = kit_digest_new();
    size_t piece;

    (void)state;
    assert_non_null(digest);
    assert_string_equal(hex_of(digest, "", 1),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (piece = 1; piece < sizeof two_blocks; piece++) {
        assert_string_equal(hex_of(digest, "abc", piece),
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_string_equal(hex_of(digest, two_blocks, piece),
                            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
    kit_digest_free(digest);
}

/* A million times "a", in pieces that no block size divides. */
static void test_long(void **state)
{
    struct kit_digest *digest = kit_digest_new();
    static const unsigned char expected[4] = {0xcd, 0xc7, 0x6e, 0x5c};
    unsigned char sum[KIT_DIGEST_SIZE];
    char piece[997];
    size_t left, n;

    (void)state;
    memset(piece, 'a', sizeof piece);
    for (left = 1000000; left; left -= n) {
        n = left < sizeof piece ? left : sizeof piece;
        kit_digest_update(digest, piece, n);
    }
    assert_ptr_equal(kit_digest_end(digest, sum), sum);
    assert_memory_equal(sum, expected, sizeof expected);
    assert_int_equal(sum[31], 0xd0);
    kit_digest_free(digest);
}

static void test_nobody_asks(void **state)
{
    unsigned char sum[KIT_DIGEST_SIZE];
    char hex[KIT_DIGEST_HEX_SIZE];

    (void)state;
    kit_digest_update(NULL, "abc", 3);
    assert_null(kit_digest_end(NULL, sum));
    assert_null(kit_digest_hex(NULL, hex));
    kit_digest_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_nobody_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
