/* metadata.h: one answer of metadata [PS3.18 10.4.1.1.2], object by object into the dataset sink.
 * SPDX-License-Identifier: MIT */
#ifndef WADO_RS_METADATA_H
#define WADO_RS_METADATA_H

#include <kit/dicom_json.h>
#include <stdbool.h>

#include "service.h"

/* One thread's instance. */
struct metadata {
    struct service service;
    kit_dicom_json_vr_fn vr;
    struct trolley_meta delivers; /* media type and variant of every item */
    bool json;                    /* items are JSON objects as they came, not Part 10 files */
};

/* Asks for the metadata of one reference. */
int32_t metadata_retrieve(struct service *service, const char *url, const struct trolley_ref *ref,
                          const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap,
                          int32_t *ret_code);

#endif
