/* outcome.c: what became of an export, in a word and in a line. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <kit/buffer.h>
#include <kit/text.h>
#include <stdio.h>
#include <string.h>

#include "core/prefetch/job.h"

static enum prefetch_outcome outcome_of(const struct job *job, bool expected)
{
    const struct prefetch_result *result = &job->result;

    if (*job->fatal) return PREFETCH_FAILED;
    if (result->failed) return result->succeeded ? PREFETCH_WARNING : PREFETCH_FAILED;
    return expected ? PREFETCH_WARNING : PREFETCH_COMPLETED;
}

static int outcome_bytes(struct kit_buffer *text, uint64_t bytes)
{
    if (bytes < 1024) return kit_buffer_printf(text, ", %" PRIu64 " bytes", bytes);
    if (bytes < 1048576) return kit_buffer_printf(text, ", %.1f KiB", (double)bytes / 1024);
    return kit_buffer_printf(text, ", %.1f MiB", (double)bytes / 1048576);
}

static int outcome_counts(const struct prefetch_result *result, struct kit_buffer *text)
{
    int r = kit_buffer_printf(text, "%" PRIu64 " of %" PRIu64 " requests", result->succeeded,
                              result->requested);

    if (r == 0) r = outcome_bytes(text, result->bytes);
    if (r == 0 && result->failed)
        r = kit_buffer_printf(text, ", %" PRIu64 " failed", result->failed);
    if (r == 0 && result->not_found)
        r = kit_buffer_printf(text, ", %" PRIu64 " not found", result->not_found);
    if (r == 0 && result->cache_hit + result->cache_miss + result->cache_bypass)
        r = kit_buffer_printf(text,
                              ", cache: %" PRIu64 " HIT, %" PRIu64 " MISS, %" PRIu64 " BYPASS",
                              result->cache_hit, result->cache_miss, result->cache_bypass);
    if (r == 0 && result->same)
        r = kit_buffer_printf(text, ", %" PRIu64 " the same as another frame or size",
                              result->same);
    return r;
}

void job_conclude(struct job *job, bool expected)
{
    struct prefetch_result *result = &job->result;
    struct kit_buffer text = {0}, line = {0};
    int r = outcome_counts(result, &text), i;

    result->outcome = outcome_of(job, expected);
    if (r == 0 && expected)
        r = kit_buffer_text(&text, "; nothing was found to request, where images were expected");
    if (r == 0 && *job->fatal) r = kit_buffer_printf(&text, "; %s", job->fatal);
    for (i = 0; r == 0 && i < JOB_ERRORS && *job->errors[i]; i++)
        r = kit_buffer_printf(&text, "; %s", job->errors[i]);
    if (r == 0) r = kit_text_escape(&line, text.data, text.length);
    (void)snprintf(result->message, sizeof result->message, "%s",
                   r == 0 ? line.data : "out of memory");
    kit_buffer_free(&text);
    kit_buffer_free(&line);
}
