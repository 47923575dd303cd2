/*
 * DICOM JSON from any bytes: whole and in pieces the stream must hand on the same objects; each is
 * read as a record and written as a file. The first byte sets the pieces' size, its highest bit
 * asks for the file too. SPDX-License-Identifier: MIT
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <kit/dicom_json.h>
#include <kit/json_stream.h>
#include <kit/text.h>
#include <trolley/helpers.h>

#include "plugins/wado-rs/metadata_dcmtk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct objects {
    uint64_t sum, count;
    bool files; /* write them too */
    int pushed, finished;
};

static const char *vr_of(uint32_t tag)
{
    return tag == 0x00100010 ? "PN" : tag == 0x00280010 ? "US" : "UN";
}

/* What the contract of records promises. */
static void check_elements(const struct kit_dicom_json *object)
{
    struct trolley_span elements = kit_dicom_json_elements(object);
    uint32_t last = 0, i, j;

    for (i = 0; i < elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&elements, i);

        if (element->tag < last || element->vr[3]) abort();
        last = element->tag;
        for (j = 0; j < element->values.count; j++) {
            const char *text = trolley_span_text(&element->values, j);

            if (!text || !kit_text_utf8_valid(text, strlen(text))) abort();
        }
    }
}

/* A file begins with a preamble and DICM. */
struct file {
    char head[132];
    uint64_t length;
};

static int32_t file_write(void *ctx, const void *data, uint64_t length)
{
    struct file *file = ctx;

    if (file->length < sizeof file->head) {
        size_t left = sizeof file->head - (size_t)file->length;

        memcpy(file->head + file->length, data, length < left ? (size_t)length : left);
    }
    file->length += length;
    return 0;
}

static void check_file(const char *text, size_t length)
{
    struct file file = {.length = 0};
    const struct metadata_sink sink = {&file, file_write};
    struct metadata_result result = {0, NULL};
    int r = metadata_dcmtk_write(text, length, &sink, &result);

    if (r == 0 && (file.length <= sizeof file.head || memcmp(file.head + 128, "DICM", 4) != 0))
        abort();
    if (r == TROLLEY_ERR_PROTOCOL && !result.problem) abort();
}

static int take_object(void *ctx, const char *text, size_t length)
{
    struct objects *objects = ctx;
    struct kit_dicom_json *object = NULL;
    const char *problem = NULL;
    size_t i;

    if (text[length] != '\0' || text[0] != '{') abort();
    for (i = 0; i < length; i++)
        objects->sum = objects->sum * 1099511628211u + (unsigned char)text[i];
    objects->count++;
    if (kit_dicom_json_parse(text, length, vr_of, &object, &problem) == 0)
        check_elements(object);
    else if (!problem)
        abort();
    kit_dicom_json_free(object);
    if (objects->files) check_file(text, length);
    return 0;
}

static struct objects read_pieces(const uint8_t *data, size_t length, size_t piece, bool files)
{
    struct objects objects = {.files = files};
    struct kit_json_stream *stream;
    size_t at, take;

    if (kit_json_stream_new(take_object, &objects, &stream) < 0) abort();
    for (at = 0; at < length && objects.pushed == 0; at += take) {
        take = length - at < piece ? length - at : piece;
        objects.pushed = kit_json_stream_push(stream, data + at, take);
    }
    if (objects.pushed == 0) objects.finished = kit_json_stream_finish(stream);
    if ((objects.pushed || objects.finished) && !kit_json_stream_problem(stream)) abort();
    kit_json_stream_free(stream);
    return objects;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static bool ready;
    struct objects whole, pieces;

    if (length == 0) return 0;
    if (!ready) metadata_dcmtk_init();
    ready = true;
    whole = read_pieces(data + 1, length - 1, length, (data[0] & 0x80) != 0);
    pieces = read_pieces(data + 1, length - 1, (size_t)data[0] % 16 + 1, false);
    if (whole.pushed != pieces.pushed || whole.finished != pieces.finished) abort();
    if (whole.sum != pieces.sum || whole.count != pieces.count) abort();
    return 0;
}
