/* overwrites.c: other content takes the place of what is there, though nobody said REPLACE.
 * SPDX-License-Identifier: MIT */
#include "../sound_storage.h"

static int32_t commit(void *writer, const struct trolley_meta *meta,
                      const struct trolley_where_sink *where, struct trolley_task *task)
{
    ((struct sound_writer *)writer)->flags |= TROLLEY_STORE_REPLACE;
    return sound_commit(writer, meta, where, task);
}

SOUND_STORAGE("overwrites", commit, sound_abort);
