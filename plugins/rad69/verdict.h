/* verdict.h: what an answer says about instances that it does not bring. SPDX-License-Identifier:
 * MIT */
#ifndef RAD69_VERDICT_H
#define RAD69_VERDICT_H

#include <trolley/downloader.h>

#include "root.h"

/* Error codes that the INI file says to ignore. Borrowed. */
struct verdict_ignore {
    const char *const *codes;
    size_t count;
};

/* Who asked, for whom, and where it is told. Borrowed. */
struct verdict {
    const char *url;
    const struct refs *refs;
    const struct verdict_ignore *ignore;
    const struct trolley_dataset_sink *sink;
    struct trolley_task *task; /* for notes */
    int32_t http;              /* status of the answer */
};

/*
 * Tells the sink what the message's errors and fault mean for each instance asked for; an error
 * that names no instance or series concerns all that did not come. The host knows which came.
 * Errors of severity Warning become notes. `whole`: the answer came to its end, so that errors
 * about "all" may be told. Errors: CANCELLED,
 * NOMEM.
 */
int verdict_tell(const struct verdict *verdict, const struct root *root, bool whole);

/* Has the message anything to say: a response with its status, a fault, or errors? */
bool verdict_says(const struct root *root);

/* Tells one failure for every instance asked for. Returns 0 or CANCELLED. */
int verdict_all(const struct verdict *verdict, const struct trolley_failure *failure);

#endif
