/*
 * beneath.h: opening files and folders below a root without ever following a symbolic link, so that
 * a link planted in the tree cannot lead a write elsewhere. Paths are relative, made of plain names
 * joined by '/' ("." alone is the root itself). SPDX-License-Identifier: MIT
 */
#ifndef KIT_BENEATH_H
#define KIT_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As openat(2): a descriptor (close-on-exec), or -1 with errno: ELOOP or ENOTDIR where a link was
 * in the way. */
int kit_beneath_open(int root, const char *path, int flags, mode_t mode);

/* The same for kernels without openat2(2): component by component. */
int kit_beneath_walk(int root, const char *path, int flags, mode_t mode);

/*
 * Opens a folder for reading, making what is missing of it with exactly `mode`. `sync_parents`:
 * every folder that got a new entry is synced.
 * @param made  set to true when a folder was made, else untouched; may be NULL
 * @return a descriptor, or -1 with errno
 */
int kit_beneath_make_dirs(int root, const char *path, mode_t mode, bool sync_parents, bool *made);

#ifdef __cplusplus
}
#endif
#endif
