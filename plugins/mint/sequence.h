/* sequence.h: a sequence's items as DICOM JSON text [PS3.18 F.2]. SPDX-License-Identifier: MIT */
#ifndef MINT_SEQUENCE_H
#define MINT_SEQUENCE_H

#include <kit/json.h>

/* Zero-initialised; errors stick in json.status. */
struct sequence {
    struct kit_buffer text, value;
    struct kit_json json;
};

void sequence_begin(struct sequence *sequence); /* empties it and opens the array of items */
void sequence_free(struct sequence *sequence);

/* Writes the element of a tag within an item and leaves its object open for what follows. */
void sequence_open(struct sequence *sequence, uint32_t tag, const char *vr);

/* The open element's values, split as the VR says; an empty text is none. */
void sequence_values(struct sequence *sequence, const char *vr, const char *text);

#endif
