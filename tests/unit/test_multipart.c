/* The multipart splitter [RFC 2046 5.1.1]: any split of a body gives the same parts.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <kit/buffer.h>
#include <kit/multipart.h>
#include <trolley/types.h>

/* Writes what happens as text: "<type|data>" for each part, "<type|data" for a broken one. */
struct transcript {
    struct kit_buffer text;
    int refuse; /* returned by part_data when not 0 */
};

static int on_begin(void *ctx, const struct kit_multipart *multipart)
{
    struct transcript *transcript = ctx;
    const char *type = kit_multipart_header(multipart, "content-type");

    return kit_buffer_printf(&transcript->text, "<%s|", type ? type : "");
}

static int on_data(void *ctx, const void *data, size_t length)
{
    struct transcript *transcript = ctx;

    assert_true(length > 0);
    if (transcript->refuse) return transcript->refuse;
    return kit_buffer_append(&transcript->text, data, length);
}

static int on_end(void *ctx)
{
    return kit_buffer_text(&((struct transcript *)ctx)->text, ">");
}

static struct kit_multipart *splitter(const char *boundary, struct transcript *transcript)
{
    struct kit_multipart_handler handler = {transcript, on_begin, on_data, on_end};
    struct kit_multipart *multipart = NULL;

    assert_int_equal(kit_multipart_new(boundary, &handler, &multipart), 0);
    return multipart;
}

/* Pushes [0, first), then pieces of `step`; each from a buffer of its own, so that reading past a
 * piece shows. */
static int split(const char *body, size_t length, size_t first, size_t step,
                 struct transcript *transcript)
{
    struct kit_multipart *multipart = splitter("b7", transcript);
    size_t at = 0, piece = first;
    int r = 0;

    while (r == 0 && at < length) {
        char *copy;

        if (piece > length - at) piece = length - at;
        copy = malloc(piece + 1);
        assert_non_null(copy);
        memcpy(copy, body + at, piece);
        r = kit_multipart_push(multipart, copy, piece);
        free(copy);
        at += piece;
        piece = step;
    }
    if (r == 0) r = kit_multipart_finish(multipart);
    kit_multipart_free(multipart);
    return r;
}

struct message {
    const char *name;
    const char *body;
    size_t length;
    const char *parts;
    size_t parts_length;
    int status;
};
#define MESSAGE(name, body, parts, status)                           \
    {                                                                \
        name, body, sizeof body - 1, parts, sizeof parts - 1, status \
    }

static const struct message messages[] = {
    MESSAGE(
        "two parts",
        "--b7\r\nContent-Type: a/b\r\n\r\none\r\n--b7\r\nContent-Type:c/d\r\n\r\ntwo\r\n--b7--\r\n",
        "<a/b|one><c/d|two>", 0),
    MESSAGE("preamble and epilogue",
            "before --b7\r\n--b7x\r\n\r\n--b7\r\n\r\nx\r\n--b7--\r\n--b7\r\n\r\nnot a part", "<|x>",
            0),
    MESSAGE("no headers, empty part", "\r\n--b7\r\n\r\n\r\n--b7\r\n\r\n--b7--", "<|><|>", 0),
    MESSAGE("white space behind the delimiter", "--b7 \t\r\n\r\nx\r\n--b7  \r\n\r\ny\r\n--b7--",
            "<|x><|y>", 0),
    MESSAGE("boundary-like data",
            "--b7\r\n\r\n--b7x\r\n--b7-x\r\n--b7\rx\n--b7\r\nx--b7\r\n\r\n--b8\r\n--b7 "
            "x\r\n--b\r\n--b7--",
            "<|--b7x\r\n--b7-x\r\n--b7\rx\n--b7\r\nx--b7\r\n\r\n--b8\r\n--b7 x\r\n--b>", 0),
    MESSAGE("line ends in data", "--b7\r\n\r\n\r\n\r\r\n\n\r\r\n--b7--", "<|\r\n\r\r\n\n\r>", 0),
    MESSAGE("a CR before the delimiter's own", "--b7\r\n\r\nx\r\n--b7\r\r\n--b7--",
            "<|x\r\n--b7\r>", 0),
    MESSAGE("zero bytes", "--b7\r\n\r\na\0b\r\n\0--b7\r\n--b7--", "<|a\0b\r\n\0--b7>", 0),
    MESSAGE("folded header, odd case",
            "--b7\r\nX: 1\r\ncONTENT-tYPE: a/b;\r\n c=d  \r\n\r\nx\r\n--b7--", "<a/b;   c=d|x>", 0),
    MESSAGE("no closing delimiter", "--b7\r\n\r\nx\r\n--b7\r\n\r\ny", "<|x><|y",
            TROLLEY_ERR_TRUNCATED),
    MESSAGE("cut within the closing delimiter", "--b7\r\n\r\nx\r\n--b7-", "<|x",
            TROLLEY_ERR_TRUNCATED),
    MESSAGE("cut, but proved by its length", "--b7\r\nContent-Length: 3\r\n\r\nxyz\r\n--b",
            "<|xyz>", TROLLEY_ERR_TRUNCATED),
    MESSAGE("cut, length proves the held bytes", "--b7\r\nContent-Length: 3\r\n\r\nx\r\n",
            "<|x\r\n>", TROLLEY_ERR_TRUNCATED),
    MESSAGE("cut short of its length", "--b7\r\nContent-Length: 4\r\n\r\nxyz", "<|xyz",
            TROLLEY_ERR_TRUNCATED),
    MESSAGE("cut within headers", "--b7\r\nContent-Type: a", "", TROLLEY_ERR_TRUNCATED),
    MESSAGE("nothing", "", "", TROLLEY_ERR_TRUNCATED),
    MESSAGE("header without colon", "--b7\r\n--b7\r\n\r\nx\r\n--b7--", "", TROLLEY_ERR_PROTOCOL),
};

static void check(const struct message *message, size_t first, size_t step)
{
    struct transcript transcript = {0};
    int r = split(message->body, message->length, first, step, &transcript);
    const char *text = transcript.text.data ? transcript.text.data : "";

    if (r != message->status || transcript.text.length != message->parts_length ||
        memcmp(text, message->parts, message->parts_length) != 0)
        fail_msg("%s, split at %zu: %d, [%s]", message->name, first, r, text);
    kit_buffer_free(&transcript.text);
}

static void test_W5_every_split(void **state)
{
    size_t i, at;

    (void)state;
    for (i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        for (at = 0; at <= messages[i].length; at++)
            check(&messages[i], at, messages[i].length);
        for (at = 1; at < 5; at++)
            check(&messages[i], at, at);
    }
}

/* Data made of the bytes a delimiter is made of, so near-misses are everywhere. A model that knows
 * only the rule, not the splitter, says what is no data. */
static bool holds_delimiter(const char *data, size_t length)
{
    size_t i;

    for (i = 0; i + 6 < length; i++) {
        size_t after = i + 6;

        if (memcmp(data + i, "\r\n--b7", 6) != 0) continue;
        while (after < length && (data[after] == ' ' || data[after] == '\t'))
            after++;
        if (after + 1 < length && memcmp(data + after, "\r\n", 2) == 0) return true;
        if (memcmp(data + i + 6, "--", 2) == 0) return true;
    }
    return false;
}

static void test_W4_near_boundaries(void **state)
{
    static const char alphabet[] = "\r\r\n\n--b7 x";
    static const char *const pieces[] = {"\r\n--b7", "\r\n--b", "\r\n--b7-", "\r\n--b7 ", "\r\n"};
    unsigned round, tried = 0;

    (void)state;
    srand(7);
    for (round = 0; round < 20000; round++) {
        struct kit_buffer data = {0}, body = {0};
        struct transcript transcript = {0};
        int n = rand() % 12;

        /* The line end before the data lets a delimiter begin with the data itself. */
        assert_int_equal(kit_buffer_text(&data, "\r\n"), 0);
        while (n--) {
            if (rand() % 3 == 0)
                assert_int_equal(kit_buffer_text(&data, pieces[rand() % 5]), 0);
            else
                assert_int_equal(kit_buffer_append(&data, &alphabet[rand() % 10], 1), 0);
        }
        assert_int_equal(kit_buffer_printf(&body, "--b7\r\n%s\r\n--b7--", data.data), 0);
        /* Looked for in the body's data and the line end behind it. */
        if (!holds_delimiter(body.data + 4, body.length - 4 - 6)) {
            size_t step = 1 + (size_t)(rand() % 9);

            assert_int_equal(split(body.data, body.length, step, step, &transcript), 0);
            assert_int_equal(transcript.text.length, data.length - 2 + 3);
            assert_memory_equal(transcript.text.data + 2, data.data + 2, data.length - 2);
            tried++;
        }
        kit_buffer_free(&data);
        kit_buffer_free(&body);
        kit_buffer_free(&transcript.text);
    }
    assert_true(tried > 10000);
}

static void test_handed_on_whole(void **state)
{
    struct transcript transcript = {.refuse = TROLLEY_ERR_NO_SPACE};
    struct kit_multipart *multipart = splitter("b7", &transcript);

    (void)state;
    assert_int_equal(kit_multipart_push(multipart, "--b7\r\n\r\nx", 9), TROLLEY_ERR_NO_SPACE);
    assert_int_equal(kit_multipart_push(multipart, "x", 1), TROLLEY_ERR_PROTOCOL);
    assert_int_equal(kit_multipart_parts(multipart), 1);
    assert_false(kit_multipart_closed(multipart));
    kit_multipart_free(multipart);
    kit_buffer_free(&transcript.text);
}

/* A piece without a delimiter comes on as it is: the very same bytes, not a copy. */
struct origin {
    const void *data;
    size_t length;
};

static int origin_begin(void *ctx, const struct kit_multipart *multipart)
{
    (void)ctx, (void)multipart;
    return 0;
}

static int origin_data(void *ctx, const void *data, size_t length)
{
    struct origin *origin = ctx;

    origin->data = data;
    origin->length = length;
    return 0;
}

static int origin_end(void *ctx)
{
    (void)ctx;
    return 0;
}

static void test_W5_no_copy(void **state)
{
    static char data[100000];
    struct origin origin = {0};
    struct kit_multipart_handler handler = {&origin, origin_begin, origin_data, origin_end};
    struct kit_multipart *multipart = NULL;

    (void)state;
    memset(data, '-', sizeof data);
    assert_int_equal(kit_multipart_new("--", &handler, &multipart), 0);
    assert_int_equal(kit_multipart_push(multipart, "----\r\n\r\nx", 9), 0);
    assert_int_equal(kit_multipart_push(multipart, data, sizeof data), 0);
    assert_ptr_equal(origin.data, data);
    assert_int_equal(origin.length, sizeof data);
    kit_multipart_free(multipart);
}

static void test_header_block_bounded(void **state)
{
    struct transcript transcript = {0};
    struct kit_multipart *multipart = splitter("b7", &transcript);
    size_t i;
    int r = kit_multipart_push(multipart, "--b7\r\n", 6);

    (void)state;
    for (i = 0; r == 0 && i < KIT_MULTIPART_HEADER_CAP; i++)
        r = kit_multipart_push(multipart, "a:b\r\n", 5);
    assert_int_equal(r, TROLLEY_ERR_TOO_LARGE);
    assert_true(i <= KIT_MULTIPART_HEADER_CAP / 5 + 1);
    kit_multipart_free(multipart);
    kit_buffer_free(&transcript.text);
}

static void test_boundaries(void **state)
{
    static const char *const refused[] = {"", "ends in space ", "a\r\nb", "a\x7f"};
    struct kit_multipart_handler handler = {0};
    struct kit_multipart *multipart = NULL;
    char longest[KIT_MULTIPART_BOUNDARY_MAX + 2] = "";
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++)
        assert_int_equal(kit_multipart_new(refused[i], &handler, &multipart), TROLLEY_ERR_PROTOCOL);
    memset(longest, 'x', sizeof longest - 1);
    assert_int_equal(kit_multipart_new(longest, &handler, &multipart), TROLLEY_ERR_PROTOCOL);
    assert_null(multipart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_W5_every_split),       cmocka_unit_test(test_W4_near_boundaries),
        cmocka_unit_test(test_handed_on_whole),      cmocka_unit_test(test_W5_no_copy),
        cmocka_unit_test(test_header_block_bounded), cmocka_unit_test(test_boundaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
