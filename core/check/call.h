/* call.h: the operations of a component, called as a host would. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_CALL_H
#define CORE_CHECK_CALL_H

#include "core/check/probe.h"
#include "core/check/subject.h"

/* One find of the sample's objects of a level. *ret_known: some query type takes the query, and the
 * searcher's own check does. */
int32_t call_find(struct subject *subject, uint32_t level, struct record_probe *probe,
                  bool *ret_known);

/* One fetch of the sample by a reference of that level. */
int32_t call_fetch(struct subject *subject, uint32_t level, struct dataset_probe *probe);

/* trolley.ping/1, where there is one. */
int32_t call_ping(struct subject *subject);

/* prepare and challenge of a log-in, with HTTP that reaches nobody. */
int32_t call_auth(struct subject *subject);

/* What a storage told of one item. */
struct call_stored {
    unsigned calls;
    uint32_t flags;
    uint64_t bytes;
    char path[1024];
};

/* Stores the sample with these comments: open, two writes, commit, sync. `abort`: aborts in place
 * of the commit. */
int32_t call_store(struct subject *subject, const char *comments, uint32_t flags, bool abort,
                   struct call_stored *ret_stored);

/* Does the storage hold the sample? `instance`: its SOP Instance UID, or another. */
int32_t call_exists(struct subject *subject, const char *instance, struct call_stored *ret_stored);

/* Levels that the component takes or gives, after its own narrowing. */
uint32_t call_levels(const struct subject *subject);

/* subject_judge, where the check at hand looks at what calls return. */
int32_t call_judge(struct subject *subject, const char *what, int32_t status);

/* Every operation once. Returns the last negative status, or 0. */
int32_t call_everything(struct subject *subject);

#endif
