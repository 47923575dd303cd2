/* content.h: comparing and hashing files. SPDX-License-Identifier: MIT */
#ifndef DISK_CONTENT_H
#define DISK_CONTENT_H

#include <stdbool.h>

#include "kit/digest.h"

/* A file by its folder and name. */
struct content_file {
    int dir;
    const char *name;
};

/* Both return 0, or -1 with errno; ELOOP for a link or anything but a regular file. */
int content_same(struct content_file a, struct content_file b, bool *ret_same);
int content_sha256(struct content_file file, char hex[KIT_DIGEST_HEX_SIZE]);

#endif
