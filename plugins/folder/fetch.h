/* fetch.h: the downloader's operation. SPDX-License-Identifier: MIT */
#ifndef FOLDER_FETCH_H
#define FOLDER_FETCH_H

#include <trolley/downloader.h>

/* trolley_downloader_ops.fetch; self is the section's struct folder_shared. */
int32_t folder_fetch(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task);

#endif
