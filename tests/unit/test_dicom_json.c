/* DICOM JSON [PS3.18 F.2] in pieces, as servers write it. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include <cmocka.h>
#include <kit/buffer.h>
#include <kit/dicom_json.h>
#include <kit/json_stream.h>

/* ---- the stream ---- */

static int collect(void *ctx, const char *text, size_t length)
{
    struct kit_buffer *out = ctx;
    int r = kit_buffer_text(out, "|");

    assert_int_equal(strlen(text), length);
    return r < 0 ? r : kit_buffer_append(out, text, length);
}

static int stream(const char *text, size_t length, size_t first, size_t step,
                  struct kit_buffer *out)
{
    struct kit_json_stream *reader = NULL;
    size_t at = 0, piece = first;
    int r = kit_json_stream_new(collect, out, &reader);

    while (r == 0 && at < length) {
        if (piece > length - at) piece = length - at;
        r = kit_json_stream_push(reader, text + at, piece);
        at += piece;
        piece = step;
    }
    if (r == 0) r = kit_json_stream_finish(reader);
    if (r < 0) assert_non_null(kit_json_stream_problem(reader));
    kit_json_stream_free(reader);
    return r;
}

struct sample {
    const char *text;
    const char *objects; /* each with a leading bar */
    int status;
};

static const struct sample samples[] = {
    {"", "", 0},
    {" \r\n", "", 0},
    {"[]", "", 0},
    {"\xef\xbb\xbf[ ]\n", "", 0},
    {"[{\"a\": 1 } , {}]",
     "|{\"a\":\"\xff"
     "1\"}|{}",
     0},
    {"{\"a\":[-1.5e+3,0]}",
     "|{\"a\":[\"\xff-1.5e+3\",\"\xff"
     "0\"]}",
     0},
    {"[{\"a\":\"}]\\\"{\\\\\"}]", "|{\"a\":\"}]\\\"{\\\\\"}", 0},
    {"[{\"a\":\"\\u00e9\xc3\xa9\"}]", "|{\"a\":\"\\u00e9\xc3\xa9\"}", 0},
    {"[{\"a\":9007199254740993}]",
     "|{\"a\":\"\xff"
     "9007199254740993\"}",
     0},
    {"[{\"a\":[true,null]}]", "|{\"a\":[true,null]}", 0},
    {"[{},{\"a\":1", "|{}", TROLLEY_ERR_TRUNCATED},
    {"[{}", "|{}", TROLLEY_ERR_TRUNCATED},
    {"[", "", TROLLEY_ERR_TRUNCATED},
    {"[{},]", "|{}", TROLLEY_ERR_PROTOCOL},
    {"[{}{}]", "|{}", TROLLEY_ERR_PROTOCOL},
    {"[1]", "", TROLLEY_ERR_PROTOCOL},
    {"[]x", "", TROLLEY_ERR_PROTOCOL},
    {"<html>", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":01}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":1.}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":1e}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":1-2}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":\"\\u0000\"}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":\"\\u00x0\"}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":\"\\x\"}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":\"\t\"}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":\"\xff"
     "1\"}]",
     "", TROLLEY_ERR_PROTOCOL},
    {"[{\"a\":\"\xc3\"}]", "", TROLLEY_ERR_PROTOCOL},
    {"[{\xc3\xa9}]", "", TROLLEY_ERR_PROTOCOL},
};

static void check(const struct sample *sample, size_t first, size_t step)
{
    struct kit_buffer out = {0};
    int r = stream(sample->text, strlen(sample->text), first, step, &out);
    const char *objects = out.data ? out.data : "";

    if (r != sample->status || strcmp(objects, sample->objects) != 0)
        fail_msg("%s, split at %zu: %d, %s", sample->text, first, r, objects);
    kit_buffer_free(&out);
}

static void test_Q11_every_split(void **state)
{
    size_t i, at;

    (void)state;
    for (i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        for (at = 0; at <= strlen(samples[i].text); at++)
            check(&samples[i], at, strlen(samples[i].text));
        check(&samples[i], 1, 1);
    }
}

/* Pushes `unit` over and over behind `head`; says how it ended and how many bytes that took. */
static int flood(const char *head, const char *unit, size_t most, size_t *ret_bytes)
{
    struct kit_buffer out = {0};
    struct kit_json_stream *reader = NULL;
    size_t bytes = strlen(head);
    int r = kit_json_stream_new(collect, &out, &reader);

    if (r == 0) r = kit_json_stream_push(reader, head, bytes);
    while (r == 0 && bytes < most) {
        r = kit_json_stream_push(reader, unit, strlen(unit));
        bytes += strlen(unit);
    }
    *ret_bytes = bytes;
    kit_json_stream_free(reader);
    kit_buffer_free(&out);
    return r;
}

static void test_Q11_bounds(void **state)
{
    size_t bytes = 0;

    (void)state;
    assert_int_equal(flood("[{\"a\":", "[", 100000, &bytes), TROLLEY_ERR_TOO_LARGE);
    assert_true(bytes <= 6 + KIT_JSON_OBJECT_DEPTH);
    assert_int_equal(flood("[{\"a\":\"", "xxxxxxxxxxxxxxxx", (size_t)64 << 20, &bytes),
                     TROLLEY_ERR_TOO_LARGE);
    assert_true(bytes <= KIT_JSON_OBJECT_CAP + 32);
    assert_int_equal(flood("[{\"a\":[", "[],[],", (size_t)64 << 20, &bytes), TROLLEY_ERR_TOO_LARGE);
    assert_true(bytes <= 3 * (size_t)KIT_JSON_OBJECT_VALUES + 16);
}

/* ---- the data set ---- */

static const char *lookup(uint32_t tag)
{
    return tag == 0x00080060 ? "CS" : tag == 0x00400275 ? "SQ" : "UN";
}

struct parsed {
    struct kit_dicom_json *data_set;
    int status;
};

static int parse_one(void *ctx, const char *text, size_t length)
{
    struct parsed *parsed = ctx;
    const char *problem = NULL;

    parsed->status = kit_dicom_json_parse(text, length, lookup, &parsed->data_set, &problem);
    assert_true((parsed->status == TROLLEY_ERR_PROTOCOL) == (problem != NULL));
    return 0;
}

static struct parsed parse(const char *text)
{
    struct parsed parsed = {NULL, 1};
    struct kit_json_stream *reader = NULL;

    assert_int_equal(kit_json_stream_new(parse_one, &parsed, &reader), 0);
    assert_int_equal(kit_json_stream_push(reader, text, strlen(text)), 0);
    assert_int_equal(kit_json_stream_finish(reader), 0);
    kit_json_stream_free(reader);
    return parsed;
}

/* The only element of `text`: vr, flags and its values joined by '\'. */
static void element_is(const char *text, const char *vr, uint32_t flags, const char *values)
{
    struct parsed parsed = parse(text);
    struct kit_buffer joined = {0};
    const struct trolley_element *element;
    struct trolley_span span;
    uint32_t i;

    assert_int_equal(parsed.status, 0);
    span = kit_dicom_json_elements(parsed.data_set);
    assert_int_equal(span.count, 1);
    element = trolley_span_at(&span, 0);
    assert_int_equal(element->size, sizeof *element);
    assert_string_equal(element->vr, vr);
    assert_int_equal(element->flags, flags);
    for (i = 0; i < element->values.count; i++)
        assert_int_equal(kit_buffer_printf(&joined, "%s%s", i ? "\\" : "",
                                           trolley_span_text(&element->values, i)),
                         0);
    assert_string_equal(joined.data ? joined.data : "", values);
    kit_buffer_free(&joined);
    kit_dicom_json_free(parsed.data_set);
}

static void test_values(void **state)
{
    (void)state;
    element_is("{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"12345\"]}}", "LO", 0, "12345");
    element_is("{\"00200013\":{\"vr\":\"IS\",\"Value\":[7,\"8\",-9]}}", "IS", 0, "7\\8\\-9");
    element_is("{\"00280030\":{\"vr\":\"DS\",\"Value\":[0.10,1e3]}}", "DS", 0, "0.10\\1e3");
    element_is("{\"00189999\":{\"vr\":\"UV\",\"Value\":[18446744073709551615]}}", "UV", 0,
               "18446744073709551615");
    element_is("{\"00080060\":{\"vr\":\"\",\"Value\":[\"CT\"]}}", "CS", 0, "CT");
    element_is("{\"00080060\":{\"Value\":\"CT\"}}", "CS", 0, "CT");
    element_is("{\"00080060\":{\"vr\":\"CS\"}}", "CS", TROLLEY_ELEMENT_NULL, "");
    element_is("{\"00080060\":{\"vr\":\"CS\",\"Value\":[]}}", "CS", TROLLEY_ELEMENT_NULL, "");
    element_is("{\"00080060\":{\"vr\":\"CS\",\"Value\":null}}", "CS", TROLLEY_ELEMENT_NULL, "");
    element_is("{\"00080060\":{\"vr\":\"CS\",\"Value\":[null]}}", "CS", TROLLEY_ELEMENT_NULL, "");
    element_is("{\"00080060\":null}", "CS", TROLLEY_ELEMENT_NULL, "");
    element_is("{\"00080008\":{\"vr\":\"CS\",\"Value\":[null,\"A\",null,\"B\"]}}", "CS", 0,
               "\\A\\\\B");
    element_is("{\"0009100a\":{\"vr\":\"UN\",\"Value\":[\"x\"]},\"comment\":1}", "UN", 0, "x");
}

static void test_names(void **state)
{
    (void)state;
    element_is("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"Doe^J\"}]}}", "PN", 0,
               "Doe^J");
    element_is("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Phonetic\":\"P\",\"Alphabetic\":\"A\","
               "\"Ideographic\":\"\"},{\"Ideographic\":\"I\"}]}}",
               "PN", 0, "A==P\\=I");
    element_is("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{}]}}", "PN", 0, "");
    element_is("{\"00100010\":{\"vr\":\"PN\",\"Value\":[\"Doe^J\"]}}", "PN", 0, "Doe^J");
    element_is("{\"00100010\":{\"Value\":[{\"Alphabetic\":\"Doe^J\"}]}}", "UN", 0, "Doe^J");
}

static void test_sequences(void **state)
{
    (void)state;
    element_is("{\"00400275\":{\"vr\":\"SQ\",\"Value\":[{\"00200013\":{\"vr\":\"IS\",\"Value\":"
               "[9007199254740993, \"a\\\"b\"]}}]}}",
               "SQ", TROLLEY_ELEMENT_JSON,
               "[{\"00200013\":{\"vr\":\"IS\",\"Value\":[9007199254740993,\"a\\\"b\"]}}]");
    element_is("{\"00400275\":{\"Value\":{\"00200013\":{}}}}", "SQ", TROLLEY_ELEMENT_JSON,
               "[{\"00200013\":{}}]");
    element_is("{\"00400275\":{\"vr\":\"SQ\"}}", "SQ", TROLLEY_ELEMENT_NULL, "");
}

static void test_bulk_data(void **state)
{
    struct parsed parsed;

    (void)state;
    element_is("{\"7FE00010\":{\"vr\":\"OW\",\"BulkDataURI\":\"http://h/1\"}}", "OW",
               TROLLEY_ELEMENT_BULK_URI, "http://h/1");
    parsed = parse("{\"00090010\":{\"vr\":\"OB\",\"InlineBinary\":\"AAAA\"}}");
    assert_int_equal(parsed.status, 0);
    assert_int_equal(kit_dicom_json_elements(parsed.data_set).count, 0);
    kit_dicom_json_free(parsed.data_set);
}

static void test_order_and_creators(void **state)
{
    struct parsed parsed = parse("{\"00091001\":{\"vr\":\"LO\",\"Value\":[\"x\"]},"
                                 "\"00090010\":{\"vr\":\"LO\",\"Value\":[\"ACME\"]},"
                                 "\"0020000D\":{\"vr\":\"UI\",\"Value\":[\"1.2\"]},"
                                 "\"00091101\":{\"vr\":\"LO\",\"Value\":[\"y\"]},"
                                 "\"00080005\":{\"VR\":\"CS\",\"value\":[\"a\"]}}");
    static const uint32_t tags[] = {0x00080005, 0x00090010, 0x00091001, 0x00091101, 0x0020000d};
    struct trolley_span span;
    uint32_t i;

    (void)state;
    assert_int_equal(parsed.status, 0);
    span = kit_dicom_json_elements(parsed.data_set);
    assert_int_equal(span.count, 5);
    for (i = 0; i < 5; i++) {
        const struct trolley_element *element = trolley_span_at(&span, i);

        assert_int_equal(element->tag, tags[i]);
        if (i == 2)
            assert_string_equal(element->private_creator, "ACME");
        else
            assert_null(element->private_creator);
        /* Names of members are matched with case. */
        if (i == 0) assert_int_equal(element->flags, TROLLEY_ELEMENT_NULL);
    }
    assert_string_equal(kit_dicom_json_text(parsed.data_set, 0x0020000d), "1.2");
    assert_null(kit_dicom_json_text(parsed.data_set, 0x00080005));
    assert_null(kit_dicom_json_text(parsed.data_set, 0x00080018));
    kit_dicom_json_free(parsed.data_set);
}

static void test_refused(void **state)
{
    static const char *const refused[] = {
        "{\"00080060\" \"x\"}",
        "{\"00080060\":{\"Value\":[\"x\"}]}",
        "{\"00080060\":7}",
        "{\"00080060\":{\"vr\":\"CS\",\"Value\":[[\"CT\"]]}}",
        "{\"00400275\":{\"vr\":\"SQ\",\"Value\":[{1:{}}]}}",
        "{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"\\ud800\"]}}",
        "{\"00080060\":{\"vr\":\"CS\",\"Value\":[tru]}}",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct parsed parsed = parse(refused[i]);

        if (parsed.status != TROLLEY_ERR_PROTOCOL) fail_msg("%s: %d", refused[i], parsed.status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_Q11_every_split),
        cmocka_unit_test(test_Q11_bounds),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_bulk_data),
        cmocka_unit_test(test_order_and_creators),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
