/* SPDX-License-Identifier: MIT */
#include "dicom_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_number(struct kit_buffer *out, uint64_t number, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)(number >> (8 * i));

        if (kit_buffer_append(out, &byte, 1) < 0) abort();
    }
}

static void put_tag(struct kit_buffer *out, uint32_t tag)
{
    put_number(out, tag >> 16, 2);
    put_number(out, tag & 0xFFFF, 2);
}

void dicom_put(struct kit_buffer *out, uint32_t tag, const char *vr, const void *value,
               size_t length)
{
    static const char *const long_vrs = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";
    size_t even = length + (length & 1);

    put_tag(out, tag);
    if (kit_buffer_append(out, vr, 2) < 0) abort();
    if (strstr(long_vrs, vr)) {
        put_number(out, 0, 2);
        put_number(out, even, 4);
    } else {
        put_number(out, even, 2);
    }
    if (kit_buffer_append(out, value, length) < 0) abort();
    if (even > length) put_number(out, strcmp(vr, "UI") == 0 ? 0 : ' ', 1);
}

void dicom_text(struct kit_buffer *out, uint32_t tag, const char *vr, const char *text)
{
    dicom_put(out, tag, vr, text, strlen(text));
}

void dicom_item(struct kit_buffer *out, const struct kit_buffer *item)
{
    put_tag(out, 0xFFFEE000);
    put_number(out, item->length, 4);
    if (kit_buffer_append(out, item->data, item->length) < 0) abort();
}

void dicom_save(const char *path, const struct kit_buffer *dataset)
{
    struct kit_buffer meta = {0}, file = {0};
    char preamble[128] = {0}, length[4];
    FILE *out;
    size_t i;

    dicom_text(&meta, 0x00020010, "UI", "1.2.840.10008.1.2.1");
    for (i = 0; i < 4; i++)
        length[i] = (char)(meta.length >> (8 * i));
    if (kit_buffer_append(&file, preamble, sizeof preamble) < 0) abort();
    if (kit_buffer_append(&file, "DICM", 4) < 0) abort();
    dicom_put(&file, 0x00020000, "UL", length, 4);
    if (kit_buffer_append(&file, meta.data, meta.length) < 0) abort();
    if (kit_buffer_append(&file, dataset->data, dataset->length) < 0) abort();
    out = fopen(path, "wb");
    if (!out || fwrite(file.data, 1, file.length, out) != file.length || fclose(out) != 0) abort();
    kit_buffer_free(&meta);
    kit_buffer_free(&file);
}
