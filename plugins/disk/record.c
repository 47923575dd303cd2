/* record.c: what the index calls an item. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "index.h"

void record_of_meta(const struct trolley_meta *meta, struct disk_record *record)
{
    const char *type = meta->content_type;

    memset(record, 0, sizeof *record);
    if (type && strcasecmp(type, "application/dicom") == 0) type = NULL;
    (void)snprintf(record->study, sizeof record->study, "%s", meta->study ? meta->study : "");
    (void)snprintf(record->series, sizeof record->series, "%s", meta->series ? meta->series : "");
    (void)snprintf(record->instance, sizeof record->instance, "%s",
                   meta->instance ? meta->instance : "");
    (void)snprintf(record->variant, sizeof record->variant, "%s",
                   meta->variant ? meta->variant : "");
    (void)snprintf(record->content_type, sizeof record->content_type, "%s", type ? type : "");
    record->frame = meta->frame;
}
