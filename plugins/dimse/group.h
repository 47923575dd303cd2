/* group.h: references that one C-GET or C-MOVE asks for, and what its end says about them.
 * SPDX-License-Identifier: MIT */
#ifndef DIMSE_GROUP_H
#define DIMSE_GROUP_H

#include <kit/uid.h>

#include "association.h"
#include "contexts.h"

#define GROUP_REFS 200          /* most UIDs of an identifier: a value holds 64 KiB */
#define GROUP_FAILED_MAX 100000 /* most entries kept of a list of failed instances */

struct group {
    struct trolley_ref refs[GROUP_REFS];
    const struct trolley_ref *items[GROUP_REFS]; /* into refs, for a request */
    size_t count;
    const char *classes[CONTEXTS_CLASSES]; /* of the references, as far as known */
    size_t class_count;
    bool class_unknown;              /* of some reference */
    char (*failed)[KIT_UID_MAX + 1]; /* what the peer says it could not send */
    size_t failed_count, failed_room;
    bool failed_cut; /* there were more */
};

/*
 * The next group of `refs`: one study, one series, or instances of one series.
 * @param done  a mark for each reference, set for those taken
 * @param ret_group  large; free its list with group_free
 * 1, 0 when all are done, or INVALID_ARG.
 */
int group_next(const struct trolley_span *refs, bool *done, struct group *ret_group);
void group_free(struct group *group);

/* Keeps an entry of the peer's list of failed instances; ctx is the group. */
void group_failed(void *ctx, const char *instance);

/* Makes the failed instances the group: asked for once more in other contexts. False when they are
 * too many for one identifier, or the group names no series. The list is emptied. */
bool group_of_failed(struct group *group, struct group *ret_group);

/*
 * Says what a final status means for the group's references.
 * @param what  "C-GET"
 * @param advice  appended to failures; "" for none
 * Returns 0, or the status after which nothing else can follow.
 */
int group_report(const struct group *group, const struct retrieve_result *result, const char *what,
                 const char *advice, const struct trolley_dataset_sink *sink,
                 struct trolley_task *task);

#endif
