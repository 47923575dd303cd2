/* message.h: DICOM messages made element by element, for tests of the head reader.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_MESSAGE_H
#define TESTS_UNIT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kit/buffer.h>

#define UNDEFINED UINT32_C(0xFFFFFFFF)
#define STUDY 0x0020000D
#define SERIES 0x0020000E
#define INSTANCE 0x00080018
#define PERFORMED_ID 0x00400253
#define PERFORMED_DESCRIPTION 0x00400254
#define PIXEL_DATA 0x7FE00010

struct message {
    struct kit_buffer bytes;
    bool big, implicit;
    size_t boundaries[64]; /* ends of whole elements at the top */
    size_t boundary_count;
};

void message_put_bytes(struct message *message, const void *bytes, size_t length);
void message_put_number(struct message *message, uint32_t number, uint32_t size);
void message_put_header(struct message *message, uint32_t tag, const char *vr, uint32_t length);

/* An element with padding. */
void message_put(struct message *message, uint32_t tag, const char *vr, const char *value);

/* An item's header or a delimiter: FFFE and `low`. */
void message_item(struct message *message, uint32_t low, uint32_t length);

void message_put_preamble(struct message *message);
void message_put_meta(struct message *message, const char *transfer_syntax, bool group_length);

/* An image with UIDs, a name, sequences of every kind, and encapsulated pixel data. */
void message_put_dataset(struct message *message);

/* Appends a message with its boundaries, or deflated, and frees it. */
void message_put_nested(struct message *message, struct message *inner);
void message_put_deflated(struct message *message, struct message *dataset);

#endif
