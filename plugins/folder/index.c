/* SPDX-License-Identifier: MIT */
#include "index.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/types.h>

#include "kit/buffer.h"

/* A longer value is not kept. */
#define COLUMN_MAX 1024
/* How a packed value begins. */
#define PRESENT '+'
#define ABSENT '-'
#define TOO_LONG '!'

static const struct index_column columns[] = {
    {0x00080020, "DA", INDEX_STUDY_ROW},    /* StudyDate */
    {0x00080030, "TM", INDEX_STUDY_ROW},    /* StudyTime */
    {0x00080050, "SH", INDEX_STUDY_ROW},    /* AccessionNumber */
    {0x00080090, "PN", INDEX_STUDY_ROW},    /* ReferringPhysicianName */
    {0x00081030, "LO", INDEX_STUDY_ROW},    /* StudyDescription */
    {0x00100010, "PN", INDEX_STUDY_ROW},    /* PatientName */
    {0x00100020, "LO", INDEX_STUDY_ROW},    /* PatientID */
    {0x00100030, "DA", INDEX_STUDY_ROW},    /* PatientBirthDate */
    {0x00100040, "CS", INDEX_STUDY_ROW},    /* PatientSex */
    {0x0020000D, "UI", INDEX_STUDY_ROW},    /* StudyInstanceUID */
    {0x00200010, "SH", INDEX_STUDY_ROW},    /* StudyID */
    {0x00080021, "DA", INDEX_SERIES_ROW},   /* SeriesDate */
    {0x00080031, "TM", INDEX_SERIES_ROW},   /* SeriesTime */
    {0x00080060, "CS", INDEX_SERIES_ROW},   /* Modality */
    {0x00080080, "LO", INDEX_SERIES_ROW},   /* InstitutionName */
    {0x0008103E, "LO", INDEX_SERIES_ROW},   /* SeriesDescription */
    {0x00081040, "LO", INDEX_SERIES_ROW},   /* InstitutionalDepartmentName */
    {0x00180015, "CS", INDEX_SERIES_ROW},   /* BodyPartExamined */
    {0x00181030, "LO", INDEX_SERIES_ROW},   /* ProtocolName */
    {0x0020000E, "UI", INDEX_SERIES_ROW},   /* SeriesInstanceUID */
    {0x00200011, "IS", INDEX_SERIES_ROW},   /* SeriesNumber */
    {0x00020010, "UI", INDEX_INSTANCE_ROW}, /* TransferSyntaxUID */
    {0x00080016, "UI", INDEX_INSTANCE_ROW}, /* SOPClassUID */
    {0x00080018, "UI", INDEX_INSTANCE_ROW}, /* SOPInstanceUID */
    {0x00200013, "IS", INDEX_INSTANCE_ROW}, /* InstanceNumber */
    {0x00280008, "IS", INDEX_INSTANCE_ROW}, /* NumberOfFrames */
    {0x00280010, "US", INDEX_INSTANCE_ROW}, /* Rows */
    {0x00280011, "US", INDEX_INSTANCE_ROW}, /* Columns */
};
#define COLUMN_COUNT ((int)(sizeof columns / sizeof columns[0]))

/* UIDs are members of the instance, not part of its rows, which would then all differ. */
static bool is_uid_of_level(uint32_t tag)
{
    return tag == 0x0020000D || tag == 0x0020000E || tag == 0x00080018;
}

const struct index_column *index_column(int i)
{
    return i < COLUMN_COUNT ? &columns[i] : NULL;
}

int index_find_column(uint32_t tag)
{
    int i;

    for (i = 0; i < COLUMN_COUNT; i++)
        if (columns[i].tag == tag) return i;
    return -1;
}

int index_value(const struct index_instance *instance, int column, const char **ret_text)
{
    const struct index_column *wanted = &columns[column];
    const char *at = instance->rows[wanted->row];
    int i;

    switch (wanted->tag) {
    case 0x0020000D:
        *ret_text = instance->study;
        return 1;
    case 0x0020000E:
        *ret_text = instance->series;
        return 1;
    case 0x00080018:
        *ret_text = instance->uid;
        return 1;
    default:
        break;
    }
    for (i = 0; i < column; i++)
        if (columns[i].row == wanted->row && !is_uid_of_level(columns[i].tag)) at += strlen(at) + 1;
    if (*at == TOO_LONG) return -1;
    if (*at == ABSENT) return 0;
    *ret_text = at + 1;
    return 1;
}

const char *index_pack(struct intern *intern, int row, const char *const *texts)
{
    struct kit_buffer packed = {0};
    const char *result = NULL;
    int i, r = 0;

    for (i = 0; i < COLUMN_COUNT && r == 0; i++) {
        const char *text = texts[i];
        char mark[2] = {PRESENT, '\0'};

        if (columns[i].row != row || is_uid_of_level(columns[i].tag)) continue;
        if (!text) mark[0] = ABSENT;
        if (text && strlen(text) > COLUMN_MAX) mark[0] = TOO_LONG;
        r = kit_buffer_text(&packed, mark);
        if (r == 0)
            r = kit_buffer_append(&packed, mark[0] == PRESENT ? text : "",
                                  mark[0] == PRESENT ? strlen(text) + 1 : 1);
    }
    if (r == 0) result = intern_bytes(intern, packed.data, packed.length);
    kit_buffer_free(&packed);
    return result;
}

int index_add(struct index *index, const struct index_instance *instance)
{
    if (index->count == index->cap) return TROLLEY_ERR_TOO_LARGE;
    if (index->count == index->capacity) {
        size_t capacity = index->capacity ? index->capacity * 2 : 256;
        void *larger = reallocarray(index->instances, capacity, sizeof *index->instances);

        if (!larger) return TROLLEY_ERR_NOMEM;
        index->instances = larger;
        index->capacity = capacity;
    }
    index->instances[index->count++] = *instance;
    return 0;
}

static int compare_uids(const struct index_instance *a, const struct index_instance *b)
{
    int r = a->study == b->study ? 0 : strcmp(a->study, b->study);

    if (r == 0) r = a->series == b->series ? 0 : strcmp(a->series, b->series);
    if (r == 0) r = a->uid == b->uid ? 0 : strcmp(a->uid, b->uid);
    return r;
}

static int compare_instances(const void *left, const void *right)
{
    const struct index_instance *a = left, *b = right;
    int r = compare_uids(a, b);

    if (r == 0) r = strcmp(a->dir, b->dir);
    return r ? r : strcmp(a->file, b->file);
}

void index_finish(struct index *index)
{
    size_t i, kept = 0;

    if (index->count == 0) return;
    qsort(index->instances, index->count, sizeof *index->instances, compare_instances);
    for (i = 0; i < index->count; i++) {
        if (kept && compare_uids(&index->instances[kept - 1], &index->instances[i]) == 0)
            index->duplicates++;
        else
            index->instances[kept++] = index->instances[i];
    }
    index->count = kept;
}

void index_free(struct index *index)
{
    free(index->instances);
    intern_free(&index->texts);
    memset(index, 0, sizeof *index);
}

/* How an instance stands to the UIDs asked for; those that are NULL are not compared. */
static int compare_below(const struct index_instance *instance, const char *study,
                         const char *series, const char *uid)
{
    int r = study ? strcmp(instance->study, study) : 0;

    if (r == 0 && series) r = strcmp(instance->series, series);
    if (r == 0 && series && uid) r = strcmp(instance->uid, uid);
    return r;
}

/* The first instance that stands at or (with `behind`) behind the UIDs. */
static size_t bound(const struct index *index, const char *study, const char *series,
                    const char *uid, bool behind)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int r = compare_below(&index->instances[middle], study, series, uid);

        if (r < 0 || (behind && r == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct index_range index_below(const struct index *index, const char *study, const char *series,
                               const char *uid)
{
    struct index_range range;

    if (!study) series = NULL;
    range.first = bound(index, study, series, uid, false);
    range.end = bound(index, study, series, uid, true);
    return range;
}

size_t index_group_end(const struct index *index, size_t at, uint32_t level)
{
    const struct index_instance *first = &index->instances[at];
    size_t end = at + 1;

    if (level >= TROLLEY_LEVEL_INSTANCE) return end;
    while (end < index->count && index->instances[end].study == first->study &&
           (level == TROLLEY_LEVEL_STUDY || index->instances[end].series == first->series))
        end++;
    return end;
}
