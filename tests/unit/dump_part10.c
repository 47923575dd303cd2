/*
 * Shows the Part 10 head reader at work on a file:
 *     dump_part10 FILE [PIECE]   what it finds when fed PIECE bytes at a time
 *     dump_part10 --cuts FILE    feeds every beginning of the file up to 16 KiB, and some longer
 * ones; what it finds there must be a beginning of what it finds in the whole
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kit/buffer.h>
#include <trolley/helpers.h>

#include "core/model/part10.h"
#include "dump_tags.h"

#define FILE_CAP ((size_t)256 << 20)
#define EVERY_CUT ((size_t)16 << 10)

static void print_text(const char *text)
{
    for (; *text; text++)
        (void)printf(*text >= 0x20 && *text < 0x7F ? "%c" : "%%%02X", (unsigned char)*text);
}

static void print_element(const struct trolley_element *element)
{
    uint32_t i;

    if (element->tag == 0x00020010) return;
    (void)printf("%08X ", element->tag);
    for (i = 0; i < element->values.count; i++) {
        if (i > 0) (void)printf("\\");
        print_text(trolley_span_text(&element->values, i));
    }
    (void)printf("\n");
}

static void print_reader(struct part10 *reader)
{
    struct trolley_span elements = part10_elements(reader);
    const char *syntax = part10_transfer_syntax(reader);
    uint32_t i;

    (void)printf("status %s\n",
                 part10_finish(reader) == PART10_DONE ? "ok" : part10_problem(reader));
    if (syntax) {
        (void)printf("syntax ");
        print_text(syntax);
        (void)printf("\n");
    }
    for (i = 0; i < elements.count; i++)
        print_element(trolley_span_at(&elements, i));
}

static int read_file(const char *path, struct kit_buffer *out)
{
    char piece[65536];
    FILE *file = fopen(path, "rb");
    size_t length;
    int r = 0;

    if (!file) return -1;
    out->cap = FILE_CAP;
    while (r == 0 && (length = fread(piece, 1, sizeof piece, file)) > 0)
        r = kit_buffer_append(out, piece, length);
    (void)fclose(file);
    return r;
}

static struct part10 *read_part(const struct kit_buffer *file, size_t length, size_t piece)
{
    const struct trolley_span tags = TROLLEY_SPAN(dump_tags);
    struct part10 *reader;
    size_t at, take;

    if (part10_new(&tags, &reader) < 0) exit(2);
    for (at = 0; at < length; at += take) {
        take = length - at < piece ? length - at : piece;
        if (part10_feed(reader, file->data + at, take) != PART10_MORE) break;
    }
    (void)part10_finish(reader);
    return reader;
}

/* Are the elements of a cut file the first ones of the whole? */
static int is_beginning(struct part10 *cut, struct part10 *whole)
{
    struct trolley_span some = part10_elements(cut), all = part10_elements(whole);
    uint32_t i;

    if (some.count > all.count) return 0;
    for (i = 0; i < some.count; i++) {
        const struct trolley_element *a = trolley_span_at(&some, i), *b = trolley_span_at(&all, i);
        if (a->tag != b->tag || strcmp(part10_text(cut, a->tag), part10_text(whole, b->tag)) != 0)
            return 0;
    }
    return 1;
}

/* Does it make no difference how the file is cut into pieces? */
static int try_pieces(const struct kit_buffer *file, struct part10 *whole)
{
    static const size_t pieces[] = {1, 7, 133, 4096};
    size_t i;
    int same = 1;

    for (i = 0; same && i < sizeof pieces / sizeof pieces[0]; i++) {
        struct part10 *reader = read_part(file, file->length, pieces[i]);
        same = part10_finish(reader) == part10_finish(whole) && is_beginning(reader, whole) &&
               is_beginning(whole, reader);
        if (!same) (void)fprintf(stderr, "pieces of %zu bytes: other elements\n", pieces[i]);
        part10_free(reader);
    }
    return same;
}

static int try_cuts(const struct kit_buffer *file)
{
    struct part10 *whole = read_part(file, file->length, file->length + 1);
    int good = try_pieces(file, whole);
    size_t length;

    for (length = 0; good && length < file->length; length += length < EVERY_CUT ? 1 : 4999) {
        struct part10 *cut = read_part(file, length, length + 1);
        good = is_beginning(cut, whole);
        if (!good) (void)fprintf(stderr, "cut at %zu: other elements than in the whole\n", length);
        part10_free(cut);
    }
    part10_free(whole);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    int cuts = argc == 3 && strcmp(argv[1], "--cuts") == 0, r = 0;
    struct kit_buffer file = {0};

    if (argc != 2 + cuts || read_file(argv[1 + cuts], &file) < 0) {
        (void)fprintf(stderr, "usage: dump_part10 [--cuts] FILE\n");
        r = 2;
    } else if (cuts) {
        r = try_cuts(&file);
    } else {
        struct part10 *reader = read_part(&file, file.length, 65536);
        print_reader(reader);
        part10_free(reader);
    }
    kit_buffer_free(&file);
    return r;
}
