/* verdict.h: what became of a download, in words. SPDX-License-Identifier: MIT */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include <kit/buffer.h>

#include "core/trolley.h"

/* Instances that are there now: stored, skipped or replaced. */
uint64_t counts_delivered(const struct trolley_counts *counts);

/* Instances that are done with, whatever became of them. */
uint64_t counts_done(const struct trolley_counts *counts);

/* True when a searcher said what to expect of everything. */
bool counts_verified(const struct trolley_counts *counts);

/*
 * Appends the verdict: "complete: 1000 of 1000 instances (1000 stored, 0 skipped, 0 missing, 0
 * failed), 501 MiB in 1.2 s". `status` is trolley_download's. The first word is complete,
 * unverified (complete as far as anyone can tell), partial, failed or cancelled.
 */
int verdict_text(struct kit_buffer *out, int status, const struct trolley_counts *counts);

/* Appends "501 MiB", "1.5 KiB", "12 B". */
int bytes_text(struct kit_buffer *out, uint64_t bytes);

/* Appends "1.2 s", "5 min 03 s", "2 h 05 min". */
int seconds_text(struct kit_buffer *out, double seconds);

#endif
