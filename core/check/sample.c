/* SPDX-License-Identifier: MIT */
#include "core/check/sample.h"

#include <string.h>

#include "core/trolley.h"

static const struct {
    uint32_t tag;
    const char *value;
} sample_values[] = {
    {0x00080005, "ISO_IR 100"}, {0x00080016, SAMPLE_CLASS},  {0x00080018, SAMPLE_INSTANCE},
    {0x00080020, "20200229"},   {0x00080030, "120000"},      {0x00080050, "A1"},
    {0x00080060, "OT"},         {0x00100010, "Check^One"},   {0x00100020, "CHECK"},
    {0x0020000d, SAMPLE_STUDY}, {0x0020000e, SAMPLE_SERIES}, {0x00200010, "1"},
    {0x00200011, "1"},          {0x00200013, "1"},
};
#define SAMPLE_COUNT (sizeof sample_values / sizeof sample_values[0])

const char *sample_value(uint32_t tag)
{
    const char *vr = trolley_vr(tag);
    size_t i;

    for (i = 0; i < SAMPLE_COUNT; i++)
        if (sample_values[i].tag == tag) return sample_values[i].value;
    if (strncmp(vr, "UI", 2) == 0) return "1.2.3";
    if (strncmp(vr, "DA", 2) == 0) return "20200229";
    if (strncmp(vr, "TM", 2) == 0) return "120000";
    return "1";
}

/* Explicit VR Little Endian with a length of two bytes [PS3.5 7.1.2]. */
static int sample_element(struct kit_buffer *out, uint32_t tag, const char *vr, const char *value)
{
    const size_t length = strlen(value), padded = length + length % 2;
    const unsigned char head[8] = {(unsigned char)(tag >> 16), (unsigned char)(tag >> 24),
                                   (unsigned char)tag,         (unsigned char)(tag >> 8),
                                   (unsigned char)vr[0],       (unsigned char)vr[1],
                                   (unsigned char)padded,      (unsigned char)(padded >> 8)};
    int r = kit_buffer_append(out, head, sizeof head);

    if (r == 0) r = kit_buffer_append(out, value, length);
    if (r == 0 && padded > length) r = kit_buffer_append(out, vr[0] == 'U' ? "" : " ", 1);
    return r;
}

static int sample_meta(struct kit_buffer *out)
{
    static const char zeros[128];
    static const unsigned char version[] = {2, 0, 1, 0, 'O', 'B', 0, 0, 2, 0, 0, 0, 0, 1};
    struct kit_buffer meta = {0};
    int r = kit_buffer_append(&meta, version, sizeof version);

    if (r == 0) r = sample_element(&meta, 0x00020002, "UI", SAMPLE_CLASS);
    if (r == 0) r = sample_element(&meta, 0x00020003, "UI", SAMPLE_INSTANCE);
    if (r == 0) r = sample_element(&meta, 0x00020010, "UI", SAMPLE_SYNTAX);
    if (r == 0) r = sample_element(&meta, 0x00020012, "UI", "1.2.826.0.1.3680043.8.498");
    if (r == 0) r = kit_buffer_append(out, zeros, sizeof zeros);
    if (r == 0) r = kit_buffer_append(out, "DICM", 4);
    if (r == 0) {
        const unsigned char group[12] = {2,
                                         0,
                                         0,
                                         0,
                                         'U',
                                         'L',
                                         4,
                                         0,
                                         (unsigned char)meta.length,
                                         (unsigned char)(meta.length >> 8)};

        r = kit_buffer_append(out, group, sizeof group);
    }
    if (r == 0) r = kit_buffer_append(out, meta.data, meta.length);
    kit_buffer_free(&meta);
    return r;
}

int sample_part10(struct kit_buffer *out, const char *comments)
{
    size_t i;
    int r = sample_meta(out);

    for (i = 0; r == 0 && i < SAMPLE_COUNT; i++)
        r = sample_element(out, sample_values[i].tag, trolley_vr(sample_values[i].tag),
                           sample_values[i].value);
    return r < 0 ? r : sample_element(out, 0x00204000, "LT", comments);
}
