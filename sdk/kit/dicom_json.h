/*
 * dicom_json.h: one data set of the DICOM JSON model [PS3.18 Annex F] as elements of a record, as
 * servers write it: DS and IS as numbers or strings, vr missing or empty, Value missing, null or
 * without its brackets. SPDX-License-Identifier: MIT
 */
#ifndef KIT_DICOM_JSON_H
#define KIT_DICOM_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "trolley/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kit_dicom_json;

/* The VR of a tag, two letters: a dictionary's, for elements that come without one. */
typedef const char *(*kit_dicom_json_vr_fn)(uint32_t tag);

/*
 * Reads one object, as json_stream.h hands it on.
 *
 * Members whose name is no tag (eight hexadecimal digits) are left out, so is inline binary data,
 * which no record can hold. Numbers keep their text. Person names are joined to A=I=P. Sequences
 * are the JSON text of their items, numbers as they came. The elements are in order of their tags.
 *
 * @param vr  may be NULL
 * @param ret_data_set  free with kit_dicom_json_free
 * @param ret_problem  what was wrong, static text; set on PROTOCOL only
 * Errors: NOMEM; PROTOCOL.
 */
int kit_dicom_json_parse(const char *text, size_t length, kit_dicom_json_vr_fn vr,
                         struct kit_dicom_json **ret_data_set, const char **ret_problem);
void kit_dicom_json_free(struct kit_dicom_json *data_set);

/* Span of struct trolley_element, valid until the data set is freed. */
struct trolley_span kit_dicom_json_elements(const struct kit_dicom_json *data_set);

/* The element of a tag; NULL when absent. */
const struct trolley_element *kit_dicom_json_find(const struct kit_dicom_json *data_set,
                                                  uint32_t tag);

/* The first value of a tag; NULL when absent or without a value. */
const char *kit_dicom_json_text(const struct kit_dicom_json *data_set, uint32_t tag);

#ifdef __cplusplus
}
#endif
#endif
