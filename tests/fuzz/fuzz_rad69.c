/*
 * The SOAP message of a RAD-69 answer from any bytes: whole and in pieces it must say the same. The
 * first byte sets the pieces' size. SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/rad69/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const struct trolley_ref items[] = {
    {.size = sizeof(struct trolley_ref), .study = "1.1", .series = "1.1.1", .instance = "1.1.1.1"},
    {.size = sizeof(struct trolley_ref), .study = "1.1", .series = "1.1.2", .instance = "1.1.2.1"},
};
static const struct refs refs = {items, 2};

/* What inline documents held. */
struct content {
    uint64_t sum, length;
    unsigned ends;
};

static int content_add(void *ctx, uint32_t ref, const char *text, size_t length)
{
    struct content *content = ctx;

    if (ref != REFS_NONE && ref >= refs.count) abort();
    for (size_t i = 0; i < length; i++)
        content->sum = content->sum * 31 + (unsigned char)text[i];
    content->length += length;
    return 0;
}

static int content_end(void *ctx)
{
    ((struct content *)ctx)->ends++;
    return 0;
}

static void read_message(const uint8_t *data, size_t length, size_t piece, struct root *ret_root,
                         struct content *ret_content)
{
    const struct root_handler handler = {ret_content, content_add, content_end};
    size_t at, take;

    memset(ret_content, 0, sizeof *ret_content);
    if (root_init(ret_root, &refs, &handler) < 0) abort();
    for (at = 0; at < length; at += take) {
        take = length - at < piece ? length - at : piece;
        if (root_push(ret_root, data + at, take) < 0) abort();
    }
    if (root_finish(ret_root) < 0) abort();
    if (ret_root->complete == ret_root->broken) abort();
}

static void compare(const struct root *a, const struct root *b)
{
    if (a->complete != b->complete || a->status != b->status) abort();
    if (!a->complete) return; /* how much of a broken one was read depends on the pieces */
    if (a->document_count != b->document_count || a->error_count != b->error_count) abort();
    if (strcmp(a->fault.reason, b->fault.reason) != 0) abort();
    for (uint32_t i = 0; i < a->error_count; i++)
        if (strcmp(a->errors[i].context, b->errors[i].context) != 0 ||
            a->errors[i].ref != b->errors[i].ref)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct content whole_content, pieces_content;
    struct root whole, pieces;

    if (length == 0) return 0;
    read_message(data + 1, length - 1, length, &whole, &whole_content);
    read_message(data + 1, length - 1, (size_t)data[0] % 16 + 1, &pieces, &pieces_content);
    compare(&whole, &pieces);
    if (whole.complete && memcmp(&whole_content, &pieces_content, sizeof whole_content) != 0)
        abort();
    root_clear(&whole);
    root_clear(&pieces);
    return 0;
}
