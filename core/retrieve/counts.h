/*
 * counts.h: studies that were begun when their instances were only counted. Where the server takes
 * longer for their list than for their bytes that is half the time and more. They are named while
 * the first request runs or, where the INI file says that counts suffice, once a count is not met;
 * in any case before something is said of what is missing. SPDX-License-Identifier: MIT
 */
#ifndef CORE_RETRIEVE_COUNTS_H
#define CORE_RETRIEVE_COUNTS_H

#include "core/retrieve/run.h"

/* After a request, before it is settled; `failure` is what ended it, NULL when it was answered.
 * Waits for names under way. The run's lock is held, and open while the searcher is asked. */
void counts_check(struct run *run, const struct chunk *chunk, const struct ask *ask,
                  const struct task_failure *failure);

/* Before a downloader's turn that is asked for instances only. The study is in nobody else's hand;
 * the lock as above. */
void counts_name_for(struct run *run, struct study *study, const struct ask *ask);

/* Names a study that has `naming` set and was added to the run: the series that it cannot name have
 * the reason. Its requests are not judged meanwhile. */
void counts_name_all(struct run *run, struct study *study);

#endif
