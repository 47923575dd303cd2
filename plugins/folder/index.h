/*
 * index.h: the DICOM files below a folder, by study, series and instance. It keeps for each
 * instance where it lies and the attributes most queries are about; the rest is read from the file
 * again when it is asked for. Built once, then read only. SPDX-License-Identifier: MIT
 */
#ifndef FOLDER_INDEX_H
#define FOLDER_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "folder_dcmtk.h"
#include "intern.h"

/* Attributes that the index keeps, by level. */
enum { INDEX_STUDY_ROW, INDEX_SERIES_ROW, INDEX_INSTANCE_ROW, INDEX_ROWS };

struct index_column {
    uint32_t tag;
    char vr[4];
    int row; /* INDEX_STUDY_ROW, ... */
};

/* Column i, NULL past the last; and the number of that of a tag, -1 when the index does not keep
 * it. */
const struct index_column *index_column(int i);
int index_find_column(uint32_t tag);

struct index_instance {
    const char *study, *series, *uid; /* interned: equal texts have equal addresses */
    const char *dir, *file;           /* below the root; dir "." is the root */
    const char *rows[INDEX_ROWS];     /* packed values, interned */
    uint64_t bytes;
    struct timespec changed; /* mtime when it was read */
};

struct index {
    struct intern texts;
    struct index_instance *instances; /* by study, series, uid; each uid once in its series */
    size_t count, capacity, cap;
    /* What was met on the way. */
    size_t duplicates, unreadable;
    char problem[512]; /* about the first unreadable file, "" for none */
};

/* A run of instances: [first, end). */
struct index_range {
    size_t first, end;
};

/*
 * The value of a column: 1 with *ret_text (values joined with '\'; "" for an attribute without
 * value), 0 when the file does not have it, -1 when it is too long for the index and must be read
 * from the file.
 */
int index_value(const struct index_instance *instance, int column, const char **ret_text);

/* Packs the values of one row (NULL: absent) and interns them. NULL when out of memory. `texts` has
 * one place a column. */
const char *index_pack(struct intern *intern, int row, const char *const *texts);

/* Adds an instance. 0, TROLLEY_ERR_NOMEM, or TROLLEY_ERR_TOO_LARGE past the cap. */
int index_add(struct index *index, const struct index_instance *instance);

/* Sorts and drops duplicates: of the files of one instance the first by path stays. */
void index_finish(struct index *index);
void index_free(struct index *index);

/* The instances below the given UIDs; a NULL ends the hierarchy. Empty when there are none. */
struct index_range index_below(const struct index *index, const char *study, const char *series,
                               const char *uid);

/* The rest of the study or series (enum trolley_level) that instance `at` begins: where the next
 * one starts. */
size_t index_group_end(const struct index *index, size_t at, uint32_t level);

#endif
