/* facts.h: attributes that are computed from the index [PS3.4 C.3.4]. SPDX-License-Identifier: MIT
 */
#ifndef FOLDER_FACTS_H
#define FOLDER_FACTS_H

#include "index.h"
#include "kit/buffer.h"

/* What there is to say about a study; of one series with its own count. */
struct facts {
    const char *study; /* interned UID it is about, NULL for none yet */
    struct kit_buffer modalities, sop_classes;
    size_t series, instances;
};

bool facts_is_computed(uint32_t tag);

/* The VR of a computed attribute. */
const char *facts_vr(uint32_t tag);

/* Gathers the facts of the study of instance `at`, unless they are there. 0, TROLLEY_ERR_NOMEM or
 * TROLLEY_ERR_TOO_LARGE. */
int facts_gather(struct facts *facts, const struct index *index, size_t at);

/* The text of a computed attribute, as instance `at` sees it, in `out`. */
int facts_text(const struct facts *facts, const struct index *index, size_t at, uint32_t tag,
               struct kit_buffer *out);
void facts_free(struct facts *facts);

#endif
