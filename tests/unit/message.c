/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

void message_put_bytes(struct message *message, const void *bytes, size_t length)
{
    assert_int_equal(kit_buffer_append(&message->bytes, bytes, length), 0);
}

void message_put_number(struct message *message, uint32_t number, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(number >> 8 * (message->big ? size - 1 - i : i));
        message_put_bytes(message, &byte, 1);
    }
}

void message_put_header(struct message *message, uint32_t tag, const char *vr, uint32_t length)
{
    bool wide = !message->implicit && strstr("OB OW SQ UC UN UR UT", vr) != NULL;

    message_put_number(message, tag >> 16, 2);
    message_put_number(message, tag & 0xFFFF, 2);
    if (!message->implicit && *vr) message_put_bytes(message, vr, 2);
    if (wide && *vr) message_put_number(message, 0, 2);
    message_put_number(message, length, message->implicit || wide || !*vr ? 4 : 2);
}

void message_put(struct message *message, uint32_t tag, const char *vr, const char *value)
{
    size_t length = strlen(value), padded = length + length % 2;

    message_put_header(message, tag, vr, (uint32_t)padded);
    message_put_bytes(message, value, length);
    if (padded > length) message_put_bytes(message, strcmp(vr, "UI") == 0 ? "" : " ", 1);
}

static void message_boundary(struct message *message)
{
    message->boundaries[message->boundary_count++] = message->bytes.length;
}

static void message_put_top(struct message *message, uint32_t tag, const char *vr,
                            const char *value)
{
    message_put(message, tag, vr, value);
    message_boundary(message);
}

void message_item(struct message *message, uint32_t low, uint32_t length)
{
    message_put_header(message, 0xFFFE0000 | low, "", length);
}

/* Appends a message of elements, with their boundaries. */
void message_put_nested(struct message *message, struct message *inner)
{
    for (size_t i = 0; i < inner->boundary_count; i++)
        message->boundaries[message->boundary_count++] =
            message->bytes.length + inner->boundaries[i];
    message_put_bytes(message, inner->bytes.data, inner->bytes.length);
    kit_buffer_free(&inner->bytes);
}

/* Sequences of undefined and defined length, nested, with what must not be taken for the top's. */
static void message_put_sequences(struct message *message)
{
    message_put_header(message, 0x00081115, "SQ", UNDEFINED);
    message_item(message, 0xE000, UNDEFINED);
    message_put(message, SERIES, "UI", "9.9.9");
    message_put_header(message, 0x00081199, "SQ", UNDEFINED);
    message_item(message, 0xE000, UNDEFINED);
    message_put(message, INSTANCE, "UI", "9.9.8");
    message_item(message, 0xE00D, 0);
    message_item(message, 0xE000, 0);
    message_item(message, 0xE0DD, 0);
    message_item(message, 0xE00D, 0);
    message_item(message, 0xE000, 4);
    message_put_bytes(message, "\xFE\xFF\xDD\xE0", 4);
    message_item(message, 0xE0DD, 0);
    message_boundary(message);
    message_put_header(message, 0x00081140, "SQ", 8);
    message_item(message, 0xE000, 0);
    message_boundary(message);
    message_put_header(message, 0x00091001, "OB", 6);
    message_put_bytes(message, "\x20\x00\x0D\x00\xFF\xFF", 6);
    message_boundary(message);
}

/* An UN of undefined length: its inside is implicit little endian whatever is around it. */
static void message_put_unknown(struct message *message)
{
    bool big = message->big, implicit = message->implicit;

    message_put_header(message, 0x00191010, "UN", UNDEFINED);
    if (!implicit) message->big = false;
    message->implicit = true;
    message_item(message, 0xE000, UNDEFINED);
    message_put(message, STUDY, "UI", "9.9.7");
    message_put_header(message, 0x00191011, "SQ", UNDEFINED);
    message_item(message, 0xE0DD, 0);
    message_item(message, 0xE00D, 0);
    message_item(message, 0xE0DD, 0);
    message->big = big;
    message->implicit = implicit;
    message_boundary(message);
}

void message_put_dataset(struct message *message)
{
    message_put_top(message, 0x00080005, "CS", "ISO_IR 100");
    message_put_top(message, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    message_put_top(message, INSTANCE, "UI", "1.2.3.4");
    message_put_sequences(message);
    message_put_top(message, 0x00100010, "PN", "Doe^John");
    message_put_unknown(message);
    message_put_top(message, STUDY, "UI", "1.2");
    message_put_top(message, SERIES, "UI", "1.2.3");
    message_put_header(message, 0x00280010, "US", 2);
    message_put_number(message, 512, 2);
    message_boundary(message);
    message_put_top(message, PERFORMED_DESCRIPTION, "LO", "Brain \\ MR\\");
    message_put_header(message, PIXEL_DATA, "OB", UNDEFINED);
    message_item(message, 0xE000, 0);
    message_item(message, 0xE000, 4);
    message_put_bytes(message, "\0\1\2\3", 4);
    message_item(message, 0xE0DD, 0);
}

void message_put_meta(struct message *message, const char *transfer_syntax, bool group_length)
{
    struct message group = {0};

    message_put_top(&group, 0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.2");
    message_put_header(&group, 0x00020001, "OB", 2);
    message_put_bytes(&group, "\0\1", 2);
    message_boundary(&group);
    message_put_top(&group, 0x00020010, "UI", transfer_syntax);
    if (group_length) {
        message_put_header(message, 0x00020000, "UL", 4);
        message_put_number(message, (uint32_t)group.bytes.length, 4);
        message_boundary(message);
    }
    message_put_nested(message, &group);
}

void message_put_preamble(struct message *message)
{
    static const char zeros[128];

    message_put_bytes(message, zeros, sizeof zeros);
    message_put_bytes(message, "DICM", 4);
}

void message_put_deflated(struct message *message, struct message *dataset)
{
    uint8_t out[4096];
    z_stream stream = {0};

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)dataset->bytes.data;
    stream.avail_in = (uInt)dataset->bytes.length;
    stream.next_out = out;
    stream.avail_out = sizeof out;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    message_put_bytes(message, out, sizeof out - stream.avail_out);
    (void)deflateEnd(&stream);
    kit_buffer_free(&dataset->bytes);
}
