/* metadata.h: what a downloader's data sets tell of images, where a searcher does not.
 * SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_METADATA_H
#define CORE_PREFETCH_METADATA_H

#include <stdbool.h>

#include "core/plugin/setup.h"

/* One object of a series. Borrowed for the call. */
struct metadata_view {
    const char *instance;
    bool image;      /* it has Pixel Data, by its Photometric Interpretation [PS3.3 C.7.6.3] */
    uint32_t frames; /* 0: not said */
};

/*
 * Fetches a series by a downloader that delivers data sets (`wado-rs-metadata`) and tells of each
 * whole one; of what fails nothing is told. The downloader must take series. Calls come one at a
 * time.
 */
int metadata_ask(struct instance *downloader, const char *study, const char *series,
                 void (*told)(void *ctx, const struct metadata_view *view), void *ctx,
                 struct task *task);

#endif
