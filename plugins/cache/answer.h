/* answer.h: the records of an answer as bytes, to keep and to deliver again.
 *
 * A record is its level and the number of its elements (32 bits each, in the machine's order), then
 * the elements: tag, flags, number of values, VR (4 bytes), the private creator and each value as
 * text with a NUL behind. SPDX-License-Identifier: MIT */
#ifndef CACHE_ANSWER_H
#define CACHE_ANSWER_H

#include <kit/buffer.h>
#include <trolley/record.h>

/* Appends a record; its bytes are all there or none. Errors: NOMEM, TOO_LARGE. */
int answer_add(struct kit_buffer *answer, const struct trolley_record *record);

/* Of which object records are wanted: values by level, from `trolley_level`; NULL for any. */
struct answer_object {
    const char *uids[4];
};

/*
 * Delivers the records that belong to `object` (NULL: all).
 * @return 0, what the sink returned, NOMEM, or PROTOCOL where the bytes are no answer; with a NULL
 *         sink they are only looked through.
 */
int answer_deliver(const char *bytes, size_t length, const struct answer_object *object,
                   const struct trolley_record_sink *sink);

#endif
