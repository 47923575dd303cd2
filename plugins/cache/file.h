/*
 * file.h: a store on disk, so that the next run profits. The file is written beside its place with
 * mode 0600, synced and renamed: after a crash there is the old one or the new one. It holds a line
 * with the format's version, the machine's byte order, the name of the searcher that was asked, and
 * entries, each with a checksum. SPDX-License-Identifier: MIT
 */
#ifndef CACHE_FILE_H
#define CACHE_FILE_H

#include "store.h"

#define FILE_REASON_MAX 256

/*
 * Adds what is in the file, good or not: the store looks at the time of each. A file that is not
 * there adds nothing; neither does one that cannot be trusted, of another version or of another
 * searcher.
 * @param max_bytes  a larger file is not read
 * @param reason     why nothing was read, "" when all is well; FILE_REASON_MAX bytes
 */
void file_load(struct store *store, const char *path, const char *searcher, uint64_t max_bytes,
               char *reason);

/* Replaces the file. Errors: IO with the reason; the file is then as it was. */
int file_save(struct store *store, const char *path, const char *searcher, int64_t now_ms,
              char *reason);

#endif
