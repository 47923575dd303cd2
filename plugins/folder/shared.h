/* shared.h: what the instances of a section share: its settings and the index.
 * SPDX-License-Identifier: MIT */
#ifndef FOLDER_SHARED_H
#define FOLDER_SHARED_H

#include <pthread.h>
#include <trolley/plugin.h>

#include "index.h"

struct folder_shared {
    char *section, *path, *charset;
    bool bare;
    int root; /* the open folder, -1 before the index is built */
    pthread_mutex_t lock;
    bool built;
    struct index index;
};

/* Option table, open() and close() of searcher and downloader. */
extern const struct trolley_span folder_options;
int32_t folder_open(const struct trolley_host *host, const struct trolley_config *config,
                    struct trolley_task *task, void **shared);
void folder_close(void *shared);

/* The index, built by the first who asks; others wait for it. [any] */
int folder_index(struct folder_shared *shared, struct trolley_task *task,
                 const struct index **ret_index);

/* Opens an instance's file for reading, as long as it is the one that was indexed. Returns a
 * descriptor, or TROLLEY_ERR_NOT_FOUND, TROLLEY_ERR_IO with `problem` filled. [any] */
int folder_open_instance(const struct folder_shared *shared, const struct index_instance *instance,
                         char *problem, size_t size);

/* The file still is as it was indexed. */
bool folder_unchanged(int fd, const struct index_instance *instance);

/* Is the folder there? For trolley.ping/1. */
int folder_reach(const struct folder_shared *shared, struct trolley_task *task);

#endif
