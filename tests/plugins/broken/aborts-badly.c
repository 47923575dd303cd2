/* aborts-badly.c: abort leaves the half-written file behind. SPDX-License-Identifier: MIT */
#include "../sound_storage.h"

static void forget(void *writer)
{
    struct sound_writer *own = writer;

    (void)close(own->fd);
    free(own);
}

SOUND_STORAGE("aborts-badly", sound_commit, forget);
