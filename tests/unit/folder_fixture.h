/* folder_fixture.h: a folder of DICOM files and the plugin over it, driven through its operations.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FOLDER_FIXTURE_H
#define TESTS_FOLDER_FIXTURE_H

#include <stdbool.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "dicom_writer.h"

struct folder_fixture {
    char root[64];
    const char *charset;
    int64_t bare;
    const struct trolley_component *searcher, *downloader;
    void *shared, *self; /* of the searcher, made by the first find */
    struct trolley_task task;
    int cancelled;
    char message[1024], note[1024];
    int notes;
    /* what the last find answered: a line a record, "KEYWORD..." as asked with folder_show */
    const uint32_t *show;
    char answer[16384];
    int records;
};

void folder_setup(struct folder_fixture *f);
void folder_teardown(struct folder_fixture *f);

/* What a file of the fixture says; NULL members are left out. */
struct folder_file {
    const char *path, *study, *series, *uid;
    const char *patient, *date, *modality, *description, *charset;
};
void folder_write(const struct folder_fixture *f, const struct folder_file *file);

/* The same as a data set without its end, for tests that add to it. */
void folder_dataset(const struct folder_file *file, struct kit_buffer *out);
void folder_path(const struct folder_fixture *f, const char *name, char path[256]);

/*
 * Runs a find at `level` with keys given as {keyword or parameter, tag, VR, value} rows, and
 * collects of each record the attributes of f->show (tags, 0 at the end): values joined by '\',
 * attributes by '|', "-" for an absent one, records by '\n' in order.
 */
struct folder_key {
    const char *name;
    uint32_t tag;
    const char *vr, *path, *value;
};
int folder_find_with(struct folder_fixture *f, uint32_t level, const struct folder_key *keys,
                     uint32_t count, const struct folder_key *include, uint32_t include_count);

#endif
