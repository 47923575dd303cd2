/*
 * part10.h: reads the head of a DICOM file [PS3.10 7.1] from a stream in pieces of any size: file
 * meta information, and the data set's elements up to the last tag wanted. Explicit and implicit
 * little endian, explicit big endian, deflated (only the head is inflated), missing preamble.
 * Sequences (defined and undefined length) are skipped, private ones too. What is skipped is only
 * counted; the values collected may take 1 MiB, and a deflated data set may inflate to 16 MiB
 * before the last tag wanted. Where the first element contradicts the transfer syntax on explicit
 * or implicit VR, the element is believed. SPDX-License-Identifier: MIT
 */
#ifndef CORE_MODEL_PART10_H
#define CORE_MODEL_PART10_H

#include <stdbool.h>

#include "core/trolley.h"

struct part10;

enum part10_state {
    PART10_MORE, /* feed more */
    PART10_DONE, /* every wanted tag was passed, or pixel data or the end was reached */
    PART10_BAD   /* not DICOM, malformed, or past the cap: see part10_problem */
};

/* `tags`: uint32_t, any order (copied). The UIDs of study, series, instance and SOP class are
 * always collected. */
int part10_new(const struct trolley_span *tags, struct part10 **ret_reader);
void part10_free(struct part10 *reader);

/* Feeds the next bytes, all of the stream; after DONE nothing more is collected. */
enum part10_state part10_feed(struct part10 *reader, const void *data, size_t length);

/* The stream ended: DONE when what came was a head with whole elements, BAD when it was cut within
 * one. */
enum part10_state part10_finish(struct part10 *reader);

/*
 * After part10_finish: did the stream end within an element, or before the first? What follows the
 * head is passed over by its lengths, encapsulated pixel data by its fragments. False as well where
 * that cannot be told: in a deflated data set, or behind elements that are out of order.
 */
bool part10_is_cut(const struct part10 *reader);

const char *part10_problem(const struct part10 *reader); /* NULL unless BAD */
bool part10_has_preamble(const struct part10 *reader);
const char *
part10_transfer_syntax(const struct part10 *reader); /* from the file meta, NULL when absent */

/* Text of a collected tag, trailing padding cut, "" when empty, NULL when absent. Binary VRs are
 * not collected. Text is as stored (the specific character set is that of (0008,0005), collected
 * too). */
const char *part10_text(const struct part10 *reader, uint32_t tag);

/* The collected elements as a span of struct trolley_element, values split at '\' where the VR
 * allows it. */
struct trolley_span part10_elements(const struct part10 *reader);

#endif
