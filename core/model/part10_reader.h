/*
 * part10_reader.h: the parts of the Part 10 head reader; for part10*.c only. Bytes go from part10.c
 * (preamble, file meta information, inflating) to part10_parse.c (element headers, sequences) to
 * part10_value.c (values wanted). SPDX-License-Identifier: MIT
 */
#ifndef CORE_MODEL_PART10_READER_H
#define CORE_MODEL_PART10_READER_H

#include <zlib.h>

#include "core/model/arena.h"
#include "core/model/part10.h"

#define PART10_CAP ((size_t)1 << 20)           /* bytes of values collected */
#define PART10_INFLATED_CAP ((size_t)16 << 20) /* bytes inflated on the way to the last tag */
#define PART10_DEPTH_MAX 128                   /* sequences and items of undefined length */
#define PART10_PREAMBLE 132                    /* with the prefix "DICM" */
#define PART10_TRANSFER_SYNTAX UINT32_C(0x00020010)

/* What is known of the elements behind the head. */
enum part10_rest { PART10_REST_AHEAD, PART10_REST_FOLLOWED, PART10_REST_LOST };

enum part10_phase { PART10_PREFIX, PART10_META, PART10_DATASET, PART10_DEFLATED };

/* A collected element. Its text stays whole; the element's values are split copies. */
struct part10_item {
    struct trolley_element element;
    char *text;
};

struct part10 {
    enum part10_state state;
    enum part10_phase phase;
    char problem[160];
    bool has_preamble, cut;
    enum part10_rest rest;
    uint32_t rest_tag; /* the last one at the top */

    uint8_t preamble[PART10_PREAMBLE];
    size_t preamble_have;

    uint64_t position;         /* bytes of file meta information passed */
    uint64_t meta_end;         /* by its group length; 0 when unknown */
    uint64_t elements;         /* whole ones so far, at the top */
    bool big, implicit, first; /* encoding; no element of the data set was seen yet */

    uint8_t header[12];
    uint32_t have, need;
    uint64_t skip;       /* bytes to pass over */
    uint32_t depth;      /* odd: within a sequence; even: within an item, or at the top */
    uint32_t unknown_at; /* depth of an outer UN sequence, whose inside is implicit; 0 for none */

    uint32_t *wanted, wanted_count; /* ascending */
    struct part10_item *items;      /* room for wanted_count */
    uint32_t item_count;
    char *fill; /* where the value of items[item_count] goes; NULL when none is being read */
    uint32_t fill_left, fill_length;
    struct arena values; /* text as it came */
    struct arena split;  /* split copies */

    z_stream inflater;
    bool inflating, inflated_all;
    uint64_t inflated;
};

/* Ends with BAD and the reason. */
__attribute__((format(printf, 2, 3))) void part10_bad(struct part10 *reader, const char *format,
                                                      ...);

/* Takes bytes of file meta information or data set; returns how many it used: fewer than `length`
 * when the phase changed or the end was reached. */
size_t part10_parse(struct part10 *reader, const uint8_t *data, size_t length);

/* Acts on the header at which the head ended, if it ended at one, so that parsing goes on behind. */
void part10_parse_rest(struct part10 *reader);

/* The file meta information ended; what is in the header is the data set's. */
void part10_leave_meta(struct part10 *reader);

bool part10_wants(const struct part10 *reader, uint32_t tag);

/* The VR an element is read as: `vr` as it stands, the dictionary's for UN and for NULL. */
const char *part10_value_vr(uint32_t tag, const char *vr);
bool part10_is_text(const char *vr);

/* Begins to collect a value of `length` bytes. */
void part10_value_begin(struct part10 *reader, uint32_t tag, const char *vr, uint32_t length);
size_t part10_value_take(struct part10 *reader, const uint8_t *data, size_t length);

#endif
