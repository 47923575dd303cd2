/* record.h: an object found, completed with what the levels above it told.
 * SPDX-License-Identifier: MIT */
#ifndef QIDO_RS_RECORD_H
#define QIDO_RS_RECORD_H

#include <kit/dicom_json.h>
#include <trolley/record.h>

/* What is known of the levels above. NULL where nothing is. */
struct record_above {
    const char *study; /* UIDs of the path that was asked */
    const char *series;
    const struct kit_dicom_json *study_object; /* their own answers, in a walk */
    const struct kit_dicom_json *series_object;
};

/* Puts `object` into the sink as a record of `level`. UIDs it lacks are those of the path; other
 * attributes of upper levels that it lacks come from the answers above. Returns what the sink
 * returns, or NOMEM. */
int record_deliver(const struct trolley_record_sink *sink, uint32_t level,
                   const struct kit_dicom_json *object, const struct record_above *above);

#endif
