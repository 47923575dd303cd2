/* attributes.h: the attributes of one node of an answer, packed, and records made of several
 * nodes'. SPDX-License-Identifier: MIT */
#ifndef MINT_ATTRIBUTES_H
#define MINT_ATTRIBUTES_H

#include <kit/buffer.h>
#include <stdbool.h>
#include <trolley/record.h>

#define MINT_STUDY_UID UINT32_C(0x0020000d)
#define MINT_SERIES_UID UINT32_C(0x0020000e)
#define MINT_INSTANCE_UID UINT32_C(0x00080018)
#define MINT_SOP_CLASS UINT32_C(0x00080016)
#define MINT_TRANSFER_SYNTAX UINT32_C(0x00020010)
#define MINT_STUDY_DATE UINT32_C(0x00080020)
#define MINT_MODALITY UINT32_C(0x00080060)
#define MINT_MODALITIES UINT32_C(0x00080061)

#define ATTRIBUTES_BYTES ((size_t)8 << 20) /* most of one node */
#define ATTRIBUTES_RECORD 4096             /* most attributes of one record */

/* Zero-initialised. */
struct attributes {
    struct kit_buffer bytes;
};

/* One of them. Borrowed from the set. */
struct attribute {
    uint32_t tag, flags; /* TROLLEY_ELEMENT_NULL, TROLLEY_ELEMENT_JSON */
    uint32_t count;      /* values, one behind the other's NUL */
    char vr[4];
    const char *values;
};

/* Adds an attribute. `text` is split into values where the VR has several [PS3.5 6.4]; NULL or an
 * empty text is no value. @param vr  two letters or ""
 * Errors: NOMEM, TOO_LARGE. */
int attributes_add(struct attributes *set, uint32_t tag, const char *vr, const char *text);

/* A sequence: the JSON array of its items [PS3.18 F.2]. */
int attributes_add_json(struct attributes *set, uint32_t tag, const char *json);

void attributes_reset(struct attributes *set);
void attributes_free(struct attributes *set);

/* Begin with *offset = 0; false behind the last. */
bool attributes_next(const struct kit_buffer *bytes, size_t *offset, struct attribute *ret);

/* The first value of the last attribute of that tag; NULL when absent or empty. */
const char *attributes_text(const struct attributes *set, uint32_t tag);

/* Is it there, be it empty? The last one wins. */
bool attributes_find(const struct attributes *set, uint32_t tag, struct attribute *ret);

struct record_builder;

int record_builder_new(struct record_builder **ret_builder);
void record_builder_free(struct record_builder *builder);

/* A record of the attributes of `sets`, later ones in place of earlier ones of their tag. Returns
 * what the sink returned, NOMEM, or TOO_LARGE past ATTRIBUTES_RECORD. */
int record_builder_emit(struct record_builder *builder, uint32_t level,
                        const struct attributes *const *sets, uint32_t count,
                        const struct trolley_record_sink *sink);

#endif
