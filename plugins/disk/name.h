/* name.h: where an item lies below the root. SPDX-License-Identifier: MIT */
#ifndef DISK_NAME_H
#define DISK_NAME_H

#include <stddef.h>
#include <stdint.h>
#include <trolley/storage.h>

#define DISK_SUFFIX_MAX 16

#define DISK_DIR_MAX 1000 /* bytes of a folder's path below the root */
#define DISK_FILE_MAX 255 /* bytes of a file's name */

/* A name below the root: DIR/STEM[_NUMBER]SUFFIX. */
struct disk_name {
    char dir[DISK_DIR_MAX + 1]; /* "." for the root itself */
    char stem[DISK_FILE_MAX + 1];
    char suffix[DISK_SUFFIX_MAX + 1];
};

/* The whole path below the root, or the file name alone, written out. */
#define DISK_PATH_MAX (DISK_DIR_MAX + DISK_FILE_MAX + 2)

/* A storage's order: writes the folder of an item to `dir`. Returns 0, or TROLLEY_ERR_INVALID_ARG
 * when a UID it needs is missing or malformed. */
typedef int (*disk_layout_dir)(const struct trolley_meta *meta, char *dir, size_t size);

/*
 * Names an item after its instance UID, its frame and its variant; `suffix` is for DICOM files,
 * other media types have their own. What is no UID is reduced to letters, digits and '-'.
 * Errors: TROLLEY_ERR_INVALID_ARG.
 */
int name_make(disk_layout_dir layout, const char *suffix, const struct trolley_meta *meta,
              struct disk_name *ret_name);

/* What a file of this media type is called by: ".jpg"; `dicom` for DICOM files and NULL. */
const char *name_suffix(const char *content_type, const char *dicom);

/* Writes the file's name. Numbers above 1 tell apart items of one UID with different content; '_'
 * stands before them as neither UIDs nor variants contain it: 1.2.3 numbered must not be called
 * like 1.2.3.2. A stem that leaves no room for its number is cut. */
void name_file(const struct disk_name *name, uint32_t number, char *text, size_t size);

/* Writes the path below the root. */
void name_path(const struct disk_name *name, uint32_t number, char *text, size_t size);

#endif
