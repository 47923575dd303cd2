/* storage.c: checks of storing. SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/check/call.h"
#include "core/check/sample.h"

/* The files below the store, as one number: names and sizes, folders left out. */
static uint64_t storage_digest(const struct subject *subject)
{
    char *roots[] = {(char *)(uintptr_t)subject->store, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    uint64_t sum = 0;
    FTSENT *entry;

    while (walk && (entry = fts_read(walk))) {
        uint64_t one;

        if (entry->fts_info != FTS_F) continue;
        one = process_digest(0, entry->fts_path, strlen(entry->fts_path));
        sum += process_digest(one, &entry->fts_statp->st_size, sizeof entry->fts_statp->st_size);
    }
    if (walk) (void)fts_close(walk);
    return sum;
}

/* The file that `where` named, if it is one, holds the sample with these comments. */
static void storage_compare(struct check *check, const struct call_stored *stored,
                            const char *comments)
{
    struct kit_buffer sample = {0};
    char found[4096];
    ssize_t length;
    int fd = stored->path[0] == '/' ? open(stored->path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0) return;
    length = read(fd, found, sizeof found);
    close(fd);
    if (sample_part10(&sample, comments) == 0 &&
        (length != (ssize_t)sample.length || memcmp(found, sample.data, sample.length) != 0))
        check_fail(check, "%s does not hold the bytes that were written", stored->path);
    kit_buffer_free(&sample);
}

/* Stores and judges what was told. */
static void storage_put(struct subject *subject, const char *comments, uint32_t flags,
                        uint32_t wanted, struct call_stored *ret_stored)
{
    struct check *check = subject->check;
    int32_t r;

    if (check_over(check)) return;
    r = call_store(subject, comments, flags, false, ret_stored);
    if (r < 0) {
        check_fail(check, "%s fails: %s (%d)", check->note->doing, subject_reason(subject), r);
        return;
    }
    if (ret_stored->calls != 1 || !ret_stored->path[0])
        check_fail(check, "commit calls where %u times, path `%s` (once, with a path)",
                   ret_stored->calls, ret_stored->path);
    if (ret_stored->flags != wanted)
        check_fail(check, "commit tells flags 0x%x where 0x%x are due (content \"%s\")",
                   ret_stored->flags, wanted, comments);
    storage_compare(check, ret_stored, comments);
}

/* Is it there, or not, as it must be? */
static void storage_ask(struct subject *subject, const char *instance, bool there, const char *when)
{
    struct call_stored stored;
    int32_t r;

    if (check_over(subject->check)) return;
    r = call_exists(subject, instance, &stored);
    if (there && (r != 0 || stored.calls != 1))
        check_fail(subject->check, "%s exists returns %d and calls where %u times (0 and once)",
                   when, r, stored.calls);
    if (!there && r != TROLLEY_ERR_NOT_FOUND)
        check_fail(subject->check, "%s exists returns %d (NOT_FOUND)", when, r);
}

static bool storage_create(struct subject *subject, struct check *check)
{
    if (!subject_init(subject, check, SUBJECT_PLAIN)) return false;
    if (subject_create(subject) == 0) return true;
    check_fail(check, "create refuses what it took before: %s", subject_reason(subject));
    return false;
}

void check_storage_round_trip(struct check *check)
{
    struct call_stored stored;
    struct subject subject;
    uint64_t before;

    if (storage_create(&subject, check)) {
        storage_ask(&subject, SAMPLE_INSTANCE, false, "before it was stored");
        /* What the storage keeps for itself is there after the first writer. */
        (void)call_store(&subject, "aborted", 0, true, &stored);
        storage_ask(&subject, SAMPLE_INSTANCE, false, "after abort");
        before = storage_digest(&subject);
        (void)call_store(&subject, "aborted again", 0, true, &stored);
        if (storage_digest(&subject) != before)
            check_fail(check, "abort leaves a file behind in an empty store");
        storage_put(&subject, "one", 0, 0, &stored);
        storage_ask(&subject, SAMPLE_INSTANCE, true, "after commit and sync");
        storage_ask(&subject, SAMPLE_INSTANCE ".4", false, "of another instance");
        before = storage_digest(&subject);
        (void)call_store(&subject, "aborted", TROLLEY_STORE_REPLACE, true, &stored);
        if (storage_digest(&subject) != before)
            check_fail(check, "abort leaves a file behind, or takes one away");
        subject_destroy(&subject);
        if (subject_create(&subject) == 0)
            storage_ask(&subject, SAMPLE_INSTANCE, true, "in its next life");
    }
    subject_free(&subject);
}

void check_storage_conflicts(struct check *check)
{
    struct call_stored first, second, third;
    struct subject subject;

    if (storage_create(&subject, check)) {
        storage_put(&subject, "one", 0, 0, &first);
        storage_put(&subject, "one", 0, TROLLEY_STORED_SAME, &second);
        storage_put(&subject, "two", TROLLEY_STORE_KEEP_BOTH, TROLLEY_STORED_BESIDE, &second);
        if (!check_over(check) && strcmp(first.path, second.path) == 0)
            check_fail(check, "other content got the same path: %s", first.path);
        if (!check_over(check)) storage_compare(check, &first, "one");
        storage_put(&subject, "three", TROLLEY_STORE_REPLACE, TROLLEY_STORED_REPLACED, &third);
    }
    subject_free(&subject);
}
