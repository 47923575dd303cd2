/* record.h: collecting the elements of one record. SPDX-License-Identifier: MIT */
#ifndef DATASET_RECORD_H
#define DATASET_RECORD_H

#include <stdbool.h>
#include <trolley/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Texts of one attribute, split. */
struct value_list {
    char *text;         /* what items point into */
    const char **items; /* NULL when there is no value */
    uint32_t count;
};

/* Splits `text` at '\', where the VR has several values. 0 or TROLLEY_ERR_NOMEM. */
int value_list_set(struct value_list *list, const char *vr, const char *text);
void value_list_free(struct value_list *list);
struct trolley_span value_list_span(const struct value_list *list);

#define RECORD_ELEMENTS_MAX 512

struct record {
    struct trolley_element elements[RECORD_ELEMENTS_MAX];
    struct value_list lists[RECORD_ELEMENTS_MAX];
    char creators[RECORD_ELEMENTS_MAX][68];
    uint32_t count;
};

/* Adds an attribute, unless it is there already. `json`: text is a sequence's JSON. 0,
 * TROLLEY_ERR_NOMEM or TROLLEY_ERR_TOO_LARGE. */
int record_add(struct record *record, uint32_t tag, const char *vr, const char *text, bool json,
               const char *private_creator);
void record_reset(struct record *record);

#ifdef __cplusplus
}
#endif

#endif
