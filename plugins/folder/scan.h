/* scan.h: walking a folder and reading its DICOM files into an index. SPDX-License-Identifier: MIT
 */
#ifndef FOLDER_SCAN_H
#define FOLDER_SCAN_H

#include <trolley/host.h>

#include "index.h"

struct scan_settings {
    int root;            /* the open folder */
    const char *charset; /* of files that name none */
    bool bare;           /* files without preamble are tried too */
};

/*
 * Fills an empty index. Symbolic links are not followed; `.trolley` is left out. Files that are not
 * DICOM are passed over, DICOM files that cannot be read are counted.
 * @return 0, TROLLEY_ERR_CANCELLED, TROLLEY_ERR_NOMEM, TROLLEY_ERR_TOO_LARGE past the index's cap,
 *         TROLLEY_ERR_IO when the root cannot be listed (errno is set)
 */
int scan_folder(const struct scan_settings *settings, struct index *index,
                struct trolley_task *task);

#endif
