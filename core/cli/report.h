/*
 * report.h: the fate of each object, and the remarks made on the way, as JSON lines.
 *
 * An object: {"study","series","instance","frame","variant","outcome","downloader","bytes",
 * "sha256","path","transfer_syntax","message"}, "previous_sha256" too where something was replaced.
 * A remark: {"note","component","code","study","series","instance","message"}.
 * What is unknown is null.
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <kit/buffer.h>

#include "core/cli/output.h"
#include "core/trolley.h"

struct report {
    struct output file;
    struct kit_buffer line;
    int status; /* of the first failure */
};

/* Creates or empties the file; "-" is standard output. IO with path and reason. */
int report_open(struct report *report, const char *path, struct trolley_error *error);

/* One line each, written before the call returns. Failures are kept for report_close. */
void report_outcome(struct report *report, const struct trolley_outcome *outcome);
void report_remark(struct report *report, const struct trolley_remark *remark);

/* IO when any line could not be written. */
int report_close(struct report *report, struct trolley_error *error);

/* "stored", "skipped", ... */
const char *outcome_name(uint32_t kind);

#endif
