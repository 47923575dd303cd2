/* disk_fixture.h: a root folder, a section's options and one storage plugin, driven through its
 * operations. SPDX-License-Identifier: MIT */
#ifndef TESTS_DISK_FIXTURE_H
#define TESTS_DISK_FIXTURE_H

#include <stdbool.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>
#include <trolley/stored.h>

/* The options of a section; NULL where not set. */
struct disk_options {
    const char *durability, *suffix, *file_mode, *dir_mode;
    int64_t min_free;
    const char *path_format, *check_mount_file, *on_exists;
};

struct disk_fixture {
    char root[64]; /* a fresh folder below /tmp */
    const struct trolley_component *component;
    const struct trolley_storage_ops *ops;
    void *storage;
    struct trolley_task task;
    struct trolley_where_sink where;
    char message[1024]; /* the task's last failure */
    int notes;
    /* what `where` was told last */
    int told;
    uint32_t flags;
    uint64_t bytes;
    char path[512], previous[80];
};

/* The component of TYPE.so as built. */
const struct trolley_component *disk_component(const char *type);

/* Makes a root and a storage on it. */
void disk_setup(struct disk_fixture *f, const char *type, const struct disk_options *options);

/* A storage on a root that is there; returns create's status. */
int disk_attach(struct disk_fixture *f, const char *type, const char *root,
                const struct disk_options *options);

/* Destroys the storage; disk_teardown removes the root too. */
void disk_detach(struct disk_fixture *f);
void disk_teardown(struct disk_fixture *f);

/* Operations of the storage's trolley.stored/1; NULL when it has none. */
const struct trolley_stored_interface *disk_stored(struct disk_fixture *f);

struct trolley_meta disk_meta(const char *instance);

/* Opens, writes `size` bytes in pieces of 1000, commits; aborts when a write fails. */
int disk_store(struct disk_fixture *f, const struct trolley_meta *meta, const void *data,
               size_t size, uint32_t flags);
int disk_store_text(struct disk_fixture *f, const char *instance, const char *text, uint32_t flags);

/* Whether ROOT/path is a regular file with exactly this content. */
bool disk_holds(const struct disk_fixture *f, const char *path, const char *text);

/* Regular files below ROOT/path but those in .trolley; with `scratch` the items in .trolley instead
 * (locks not counted). */
int disk_count(const struct disk_fixture *f, bool scratch);

#endif
