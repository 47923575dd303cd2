/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <kit/buffer.h>
#include <trolley/helpers.h>

#include "core/model/part10.h"

#include <cmocka.h>

#include "message.h"

#define IMPLICIT_LE "1.2.840.10008.1.2"
#define EXPLICIT_LE "1.2.840.10008.1.2.1"
#define DEFLATED_LE "1.2.840.10008.1.2.1.99"
#define EXPLICIT_BE "1.2.840.10008.1.2.2"
#define JPEG "1.2.840.10008.1.2.4.50"

/* ---- reading them ---- */

static const uint32_t tags[] = {PERFORMED_DESCRIPTION, 0x00100010, 0x00280010, SERIES};

static struct part10 *reader_new(void)
{
    const struct trolley_span span = TROLLEY_SPAN(tags);
    struct part10 *reader;

    assert_int_equal(part10_new(&span, &reader), 0);
    return reader;
}

/* Everything a reader says, as text. */
static void tell(struct part10 *reader, struct kit_buffer *out)
{
    struct trolley_span elements = part10_elements(reader);
    const char *syntax = part10_transfer_syntax(reader), *problem = part10_problem(reader);

    kit_buffer_reset(out);
    (void)kit_buffer_printf(out, "%d %d %s %s", part10_finish(reader), part10_has_preamble(reader),
                            syntax ? syntax : "-", problem ? problem : "-");
    for (uint32_t i = 0; i < elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&elements, i);
        (void)kit_buffer_printf(out, "\n%08X %s", element->tag, element->vr);
        for (uint32_t j = 0; j < element->values.count; j++)
            (void)kit_buffer_printf(out, " [%s]", trolley_span_text(&element->values, j));
        assert_non_null(part10_text(reader, element->tag));
    }
}

static void read_pieces(const struct message *message, size_t first, size_t step,
                        struct kit_buffer *out)
{
    struct part10 *reader = reader_new();
    size_t at = first < message->bytes.length ? first : message->bytes.length;

    (void)part10_feed(reader, message->bytes.data, at);
    while (at < message->bytes.length) {
        size_t left = message->bytes.length - at, take = step && step < left ? step : left;
        (void)part10_feed(reader, message->bytes.data + at, take);
        at += take;
    }
    tell(reader, out);
    part10_free(reader);
}

/* One way to put the same data set on the wire. */
static const struct {
    const char *name, *syntax;
    bool preamble, meta, group_length, big, implicit, deflated;
} forms[] = {
    {"explicit little endian", EXPLICIT_LE, true, true, true, false, false, false},
    {"implicit little endian", IMPLICIT_LE, true, true, true, false, true, false},
    {"explicit big endian", EXPLICIT_BE, true, true, true, true, false, false},
    {"deflated", DEFLATED_LE, true, true, true, false, false, true},
    {"deflated without group length", DEFLATED_LE, true, true, false, false, false, true},
    {"encapsulated", JPEG, true, true, false, false, false, false},
    {"no preamble", EXPLICIT_LE, false, true, true, false, false, false},
    {"bare explicit", NULL, false, false, false, false, false, false},
    {"bare implicit", NULL, false, false, false, false, true, false},
    {"bare big endian", NULL, false, false, false, true, false, false},
    {"no file meta information", NULL, true, false, false, false, false, false},
    {"said to be implicit", IMPLICIT_LE, true, true, true, false, false, false},
    {"said to be explicit", EXPLICIT_LE, true, true, true, false, true, false},
};
#define FORMS (sizeof forms / sizeof forms[0])

static void make(struct message *message, size_t form)
{
    struct message dataset = {.big = forms[form].big, .implicit = forms[form].implicit};

    memset(message, 0, sizeof *message);
    if (forms[form].preamble) message_put_preamble(message);
    if (forms[form].meta) message_put_meta(message, forms[form].syntax, forms[form].group_length);
    message_put_dataset(&dataset);
    if (forms[form].deflated)
        message_put_deflated(message, &dataset);
    else
        message_put_nested(message, &dataset);
}

static void expect(size_t form, struct kit_buffer *out)
{
    kit_buffer_reset(out);
    (void)kit_buffer_printf(out, "%d %d %s -", PART10_DONE, forms[form].preamble,
                            forms[form].syntax ? forms[form].syntax : "-");
    if (forms[form].meta) (void)kit_buffer_printf(out, "\n00020010 UI [%s]", forms[form].syntax);
    (void)kit_buffer_text(out, "\n00080005 CS [ISO_IR 100]"
                               "\n00080016 UI [1.2.840.10008.5.1.4.1.1.2]"
                               "\n00080018 UI [1.2.3.4]"
                               "\n00100010 PN [Doe^John]"
                               "\n0020000D UI [1.2]"
                               "\n0020000E UI [1.2.3]"
                               "\n00400254 LO [Brain] [MR] []");
}

static void test_forms_in_every_split(void **state)
{
    struct kit_buffer want = {0}, got = {0};
    struct message message;

    (void)state;
    for (size_t form = 0; form < FORMS; form++) {
        make(&message, form);
        expect(form, &want);
        for (size_t split = 0; split <= message.bytes.length; split++) {
            read_pieces(&message, split, 0, &got);
            if (strcmp(want.data, got.data) != 0)
                fail_msg("%s split at %zu:\n%s\nwanted\n%s", forms[form].name, split, got.data,
                         want.data);
        }
        for (size_t step = 1; step < 14; step++) {
            read_pieces(&message, 0, step, &got);
            if (strcmp(want.data, got.data) != 0)
                fail_msg("%s by %zu bytes:\n%s\nwanted\n%s", forms[form].name, step, got.data,
                         want.data);
        }
        kit_buffer_free(&message.bytes);
    }
    kit_buffer_free(&want);
    kit_buffer_free(&got);
}

/* Is what lies before `length` a head with whole elements? Known where it is not compressed. */
static bool is_whole(const struct message *message, size_t length)
{
    bool whole = length > message->boundaries[message->boundary_count - 1];

    for (size_t i = 0; i < message->boundary_count; i++)
        whole |= message->boundaries[i] == length;
    return whole;
}

/* Cut anywhere: whole only at an element's end, or once everything wanted was passed. */
static void test_cut(void **state)
{
    struct message message;

    (void)state;
    for (size_t form = 0; form < FORMS; form++) {
        make(&message, form);
        for (size_t length = 0; length < message.bytes.length; length++) {
            struct part10 *reader = reader_new();
            bool whole = is_whole(&message, length);
            (void)part10_feed(reader, message.bytes.data, length);
            if (forms[form].deflated && length > message.boundaries[message.boundary_count - 1])
                whole = part10_text(reader, PERFORMED_DESCRIPTION) != NULL;
            if ((part10_finish(reader) == PART10_DONE) != whole)
                fail_msg("%s cut at %zu: expected %d, %s", forms[form].name, length, whole,
                         part10_problem(reader));
            assert_true((part10_finish(reader) == PART10_BAD) == (part10_problem(reader) != NULL));
            part10_free(reader);
        }
        kit_buffer_free(&message.bytes);
    }
}

/* Behind the head: cut but where a fragment ends, which may also be all that there is. */
static void test_cut_behind_head(void **state)
{
    struct message message;

    (void)state;
    for (size_t form = 0; form < FORMS; form++) {
        size_t last, header = forms[form].implicit ? 8 : 12;

        if (forms[form].deflated) continue;
        make(&message, form);
        last = message.boundaries[message.boundary_count - 1];
        for (size_t length = last; length <= message.bytes.length; length++) {
            struct part10 *reader = reader_new();
            const size_t behind = length - last;
            bool cut = behind != 0 && behind != header && behind != header + 8 &&
                       behind != header + 20 && length != message.bytes.length;

            /* In two pieces, and byte by byte. */
            (void)part10_feed(reader, message.bytes.data, length / 2);
            (void)part10_feed(reader, message.bytes.data + length / 2, length - length / 2);
            (void)part10_finish(reader);
            if (part10_is_cut(reader) != cut)
                fail_msg("%s cut %zu behind the head: expected %d", forms[form].name, behind, cut);
            part10_free(reader);
            reader = reader_new();
            for (size_t at = 0; at < length; at++)
                (void)part10_feed(reader, message.bytes.data + at, 1);
            (void)part10_finish(reader);
            assert_int_equal(part10_is_cut(reader), cut);
            part10_free(reader);
        }
        kit_buffer_free(&message.bytes);
    }
}

/* Padding behind the last element is not a cut, be it out of order or half a header. */
static void test_padding_behind(void **state)
{
    static const char padding[64] = {0};
    struct message message;

    (void)state;
    for (size_t length = 0; length <= sizeof padding; length++) {
        struct part10 *reader = reader_new();

        make(&message, 0);
        message_put_bytes(&message, padding, length);
        (void)part10_feed(reader, message.bytes.data, message.bytes.length);
        assert_int_equal(part10_finish(reader), PART10_DONE);
        assert_false(part10_is_cut(reader));
        part10_free(reader);
        kit_buffer_free(&message.bytes);
    }
}

/* ---- hostile and odd streams ---- */

static enum part10_state read_all(const struct message *message, struct part10 **ret_reader)
{
    *ret_reader = reader_new();
    (void)part10_feed(*ret_reader, message->bytes.data, message->bytes.length);
    return part10_finish(*ret_reader);
}

static void expect_bad(struct message *message, const char *problem)
{
    struct part10 *reader;
    enum part10_state state = read_all(message, &reader);

    if (state != PART10_BAD || !strstr(part10_problem(reader), problem))
        fail_msg("%d %s, expected %s", state, part10_problem(reader), problem);
    part10_free(reader);
    kit_buffer_free(&message->bytes);
}

static void begin(struct message *message)
{
    memset(message, 0, sizeof *message);
    message_put_preamble(message);
    message_put_meta(message, EXPLICIT_LE, true);
    message_put(message, INSTANCE, "UI", "1.2.3.4");
}

static void test_hostile(void **state)
{
    static const char *const not_dicom[] = {
        "", "DICM", "<!DOCTYPE html><html><body>log in</body></html>",
        "{\"error\":\"no such instance\"}", "--boundary\r\n\r\n"};
    struct message message;

    (void)state;
    for (size_t i = 0; i < sizeof not_dicom / sizeof not_dicom[0]; i++) {
        memset(&message, 0, sizeof message);
        message_put_bytes(&message, not_dicom[i], strlen(not_dicom[i]));
        expect_bad(&message, "not DICOM");
    }
    begin(&message);
    message_put_header(&message, 0x00100010, "UT",
                       0xFFFFFFFE); /* more than may be kept, and a lie */
    expect_bad(&message, "more than the head may hold");
    begin(&message);
    message_put_header(&message, 0x00091010, "OB", 0xFFFFFFFE);
    message_put_bytes(&message, "x", 1);
    expect_bad(&message, "within an element");
    begin(&message);
    message_put_header(&message, 0x00081115, "SQ", UNDEFINED);
    message_put(&message, STUDY, "UI", "1.2");
    expect_bad(&message, "where an item belongs");
    begin(&message);
    message_put_header(&message, 0x00081115, "SQ", UNDEFINED);
    message_item(&message, 0xE000, UNDEFINED);
    message_item(&message, 0xE0DD, 0);
    expect_bad(&message, "out of place");
    begin(&message);
    message_item(&message, 0xE000, 0);
    expect_bad(&message, "out of place");
    begin(&message);
    for (int i = 0; i < 100000; i++) {
        message_put_header(&message, 0x00081115, "SQ", UNDEFINED);
        message_item(&message, 0xE000, UNDEFINED);
    }
    expect_bad(&message, "nested too deep");
    begin(&message);
    message_put_header(&message, 0x00100010, "UC", 800000);
    for (int i = 0; i < 400000; i++)
        message_put_bytes(&message, "\\\\", 2);
    expect_bad(&message, "too many values");
}

static void test_deflated_bomb(void **state)
{
    struct message message = {0}, dataset = {0};
    static uint8_t zeros[1 << 20];
    uint8_t out[65536];
    z_stream stream = {0};

    (void)state;
    message_put_preamble(&message);
    message_put_meta(&message, DEFLATED_LE, true);
    message_put_header(&dataset, 0x00091010, "OB", 0xFFFFFFF0);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    for (int i = 0; i < 20; i++) {
        stream.next_in = i ? zeros : (Bytef *)dataset.bytes.data;
        stream.avail_in = i ? sizeof zeros : (uInt)dataset.bytes.length;
        do {
            stream.next_out = out;
            stream.avail_out = sizeof out;
            (void)deflate(&stream, i == 19 ? Z_FINISH : Z_NO_FLUSH);
            message_put_bytes(&message, out, sizeof out - stream.avail_out);
        } while (stream.avail_out == 0);
    }
    (void)deflateEnd(&stream);
    kit_buffer_free(&dataset.bytes);
    expect_bad(&message, "too many bytes");

    message_put_preamble(&message);
    message_put_meta(&message, DEFLATED_LE, true);
    message_put_bytes(&message, "\xFF\xFF\xFF\xFF", 4);
    expect_bad(&message, "damaged");
}

/* What is skipped is only counted, whatever its size. */
static void test_large_private_element(void **state)
{
    static const uint8_t zeros[1 << 20];
    struct message message, rest = {0};
    struct part10 *reader = reader_new();

    (void)state;
    begin(&message);
    message_put_header(&message, 0x00091010, "OB", UINT32_C(3) << 30);
    assert_int_equal(part10_feed(reader, message.bytes.data, message.bytes.length), PART10_MORE);
    for (int i = 0; i < 3 << 10; i++)
        assert_int_equal(part10_feed(reader, zeros, sizeof zeros), PART10_MORE);
    message_put(&rest, STUDY, "UI", "1.2");
    message_put(&rest, SERIES, "UI", "1.2.3");
    message_put_header(&rest, PIXEL_DATA, "OB", 4);
    assert_int_equal(part10_feed(reader, rest.bytes.data, rest.bytes.length), PART10_DONE);
    assert_string_equal(part10_text(reader, SERIES), "1.2.3");
    part10_free(reader);
    kit_buffer_free(&message.bytes);
    kit_buffer_free(&rest.bytes);
}

static void test_odd(void **state)
{
    struct message message;
    struct part10 *reader;

    (void)state;
    begin(&message);
    message_put_header(&message, 0x00081115, "SQ", 8); /* defined, with delimiters all the same */
    message_item(&message, 0xE000, 0);
    message_item(&message, 0xE0DD, 0);
    message_put(&message, 0x00100010, "PN", "");  /* empty */
    message_put_header(&message, STUDY, "UN", 4); /* UN where the dictionary knows better */
    message_put_bytes(&message, "1.2", 4);
    message_put(&message, STUDY, "UI", "9.9"); /* the first of two stays */
    message.implicit = true;                   /* one element without VR among others */
    message_put(&message, SERIES, "", "1.2.3\0");
    message.implicit = false;
    message_put(&message, PERFORMED_ID, "SH", "not wanted");
    assert_int_equal(read_all(&message, &reader), PART10_DONE);
    assert_string_equal(part10_text(reader, 0x00100010), "");
    assert_string_equal(part10_text(reader, STUDY), "1.2");
    assert_string_equal(part10_text(reader, SERIES), "1.2.3");
    assert_null(part10_text(reader, PERFORMED_ID));
    assert_null(part10_problem(reader));
    part10_free(reader);
    kit_buffer_free(&message.bytes);
    part10_free(NULL);
}

/* A backslash byte that is half a character does not split [PS3.5 6.1.2.5]. */
static void test_split_by_charset(void **state)
{
    static const struct {
        const char *charset, *value;
        uint32_t count;
        const char *second;
    } cases[] = {
        {"ISO_IR 100", "a\\b\\c", 3, "b"},
        {"GB18030", "\x81\x5C\\b", 2, "b"},
        {"GB18030", "\x81\x30\x81\x30\\b", 2, "b"},
        {"GBK", "\xD5\x5C\\\xD5\x5C", 2, "\xD5\x5C"},
        {"SHIFT_JIS", "\x83\x5C\\b", 2, "b"},
        {"\\ISO 2022 IR 87", "\x1B$B\x21\x5C\x1B(B\\b", 2, "b"},
        {"\\ISO 2022 IR 159", "\x1B$(D\x30\x5C\x1B(B\\b", 2, "b"},
        {"\\ISO 2022 IR 149", "\x1B$)C\xB1\xE8\\b", 2, "b"},
        {"\\ISO 2022 IR 87", "\x1B", 1, NULL},
        {"\\ISO 2022 IR 87", "\x1B$", 1, NULL},
        {"\\ISO 2022 IR 87", "\x1B$B!", 1, NULL},
        {"GB18030", "\x81", 1, NULL},
        {"GB18030", "\x81\x30", 1, NULL},
    };
    struct message message;
    struct part10 *reader;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_span elements;
        const struct trolley_element *element;
        memset(&message, 0, sizeof message);
        message_put_preamble(&message);
        message_put_meta(&message, EXPLICIT_LE, true);
        message_put(&message, 0x00080005, "CS", cases[i].charset);
        message_put(&message, PERFORMED_DESCRIPTION, "LO", cases[i].value);
        assert_int_equal(read_all(&message, &reader), PART10_DONE);
        elements = part10_elements(reader);
        element = trolley_span_at(&elements, elements.count - 1);
        if (element->values.count != cases[i].count)
            fail_msg("case %zu: %u values", i, element->values.count);
        if (cases[i].second)
            assert_string_equal(trolley_span_text(&element->values, 1), cases[i].second);
        part10_free(reader);
        kit_buffer_free(&message.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_in_every_split),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_cut_behind_head),
        cmocka_unit_test(test_padding_behind),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_deflated_bomb),
        cmocka_unit_test(test_large_private_element),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_split_by_charset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
