/* The storage `template` and kill -9: its index and its files agree. SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_fixture.h"

#include <cmocka.h>

/* A child stores until it is killed at a random moment. */
static void store_until_killed(const char *root, const struct disk_options *options, unsigned seed)
{
    int ends[2], status, i;
    char byte;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct disk_fixture f;
        char uid[32];

        if (disk_attach(&f, "template", root, options) < 0) _exit(1);
        for (i = 1;; i++) {
            (void)snprintf(uid, sizeof uid, "1.9.%u.%d", seed, i);
            if (disk_store_text(&f, uid, uid, 0) < 0) _exit(2);
            if (i % 40 == 0 && f.ops->sync(f.storage, &f.task) < 0) _exit(3);
            if (i == 40 && write(ends[1], "x", 1) != 1) _exit(4);
        }
    }
    assert_true(child > 0);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)close(ends[0]);
    (void)usleep(seed * 7919 % 60000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

struct counting {
    struct disk_fixture *f;
    int whole;
};

static int32_t count_whole(void *ctx, const struct trolley_stored_item *item)
{
    struct counting *counting = ctx;
    struct disk_fixture *f = counting->f;
    uint32_t state = 0;

    assert_int_equal(disk_stored(f)->examine(f->storage, item, &state, &f->task), 0);
    assert_int_equal(state, TROLLEY_STORED_WHOLE);
    counting->whole++;
    return 0;
}

/* Every row has its whole file, every file its row, and nothing half-done is left. */
static void assert_agree(struct disk_fixture *f)
{
    struct counting counting = {.f = f};
    const struct trolley_stored_sink sink = {&counting, count_whole};

    assert_int_equal(disk_stored(f)->walk(f->storage, NULL, &sink, &f->task), 0);
    assert_int_equal(disk_count(f, false), counting.whole);
    assert_int_equal(disk_count(f, true), 0);
}

static void run_killed(const struct disk_options *options)
{
    struct disk_fixture f;
    char root[64];
    unsigned seed;

    disk_setup(&f, "template", options);
    for (seed = 1; seed <= 12; seed++) {
        store_until_killed(f.root, options, seed);
        disk_detach(&f);
        (void)snprintf(root, sizeof root, "%s", f.root);
        assert_int_equal(disk_attach(&f, "template", root, options), 0);
        assert_int_equal(disk_stored(&f)->ready(f.storage, &f.task), 0);
        assert_agree(&f);
    }
    assert_true(disk_count(&f, false) > 0);
    disk_teardown(&f);
}

static void test_killed_files_and_index_agree(void **state)
{
    static const char *const durabilities[] = {"none", "batch", "each"};
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        struct disk_options options = {.path_format = "{now,date,yyyy}/{rnd,uuid}.dcm",
                                       .durability = durabilities[i]};

        run_killed(&options);
    }
}

/* A replacement that was begun and not done: the row speaks of what is there. */
static void test_killed_while_replacing(void **state)
{
    struct disk_options options = {.path_format = "{0020000D}/{00080018}{suffix}",
                                   .durability = "batch"};
    struct disk_fixture f;
    char root[64];
    pid_t child;
    int status;

    (void)state;
    disk_setup(&f, "template", &options);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    assert_int_equal(f.ops->sync(f.storage, &f.task), 0);
    child = fork();
    if (child == 0) {
        struct disk_fixture other;

        if (disk_attach(&other, "template", f.root, &options) < 0) _exit(1);
        (void)disk_store_text(&other, "1.4", "newer", TROLLEY_STORE_REPLACE);
        _exit(0); /* without destroy: nothing gets its name */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(disk_holds(&f, "1.2/1.4.dcm", "first"));
    disk_detach(&f);
    (void)snprintf(root, sizeof root, "%s", f.root);
    assert_int_equal(disk_attach(&f, "template", root, &options), 0);
    assert_int_equal(disk_stored(&f)->ready(f.storage, &f.task), 0);
    assert_true(disk_holds(&f, "1.2/1.4.dcm", "first"));
    assert_agree(&f);
    disk_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_files_and_index_agree),
        cmocka_unit_test(test_killed_while_replacing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
