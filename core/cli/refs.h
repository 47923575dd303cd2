/*
 * refs.h: references from a list, read as a stream.
 *
 * csv (RFC 4180, with a header row) or JSON lines (flat objects): StudyInstanceUID[,
 * SeriesInstanceUID[, SOPInstanceUID]]; other columns and keys are passed over. Which of the two it
 * is, the first character tells: JSON begins with '{'.
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_REFS_H
#define CLI_REFS_H

#include <stdbool.h>

#include "core/trolley.h"

struct refs;

/* Opens a list; `path` "-" is standard input. @param ret_refs  free with refs_close.
 * Errors: INVALID_ARG with path and reason. */
int refs_open(const char *path, struct refs **ret_refs, struct trolley_error *error);
void refs_close(struct refs *refs);

/* A trolley_ref_source; `ctx` is the struct refs. Errors: INVALID_ARG naming file and line (not
 * UTF-8, no header row, wrong number of cells, no JSON object, malformed or missing UID), TOO_LARGE
 * (a line over 1 MiB), IO, CANCELLED after a signal. An error is final. */
int refs_next(void *ctx, struct trolley_ref *ref, struct trolley_error *error);

/* True once refs_next has failed for what the list says. */
bool refs_failed(const struct refs *refs);

#endif
