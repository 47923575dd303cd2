/* The disk storages where things go wrong: planted links, permissions, full disks, rivals and
 * sudden death. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_fixture.h"
#include "sdk/kit/beneath.h"

#include <cmocka.h>

#define SKIPPED 77

/* Runs in a child whose exit code is 0 when all is well: cmocka cannot tell from within. */
static int in_child(int (*run)(void *arg), void *arg)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) _exit(run(arg));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void link_in(const struct disk_fixture *f, const char *target, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", f->root, name);
    assert_int_equal(symlink(target, path), 0);
}

static void dir_in(const struct disk_fixture *f, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", f->root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void test_S1_S5_planted_links(void **state)
{
    struct disk_options options = {.durability = "none"};
    struct trolley_meta meta = disk_meta("1.4");
    struct disk_fixture f, outside;

    (void)state;
    disk_setup(&f, "tree", &options);
    disk_setup(&outside, "flat", &options);

    link_in(&f, outside.root, "1.2");
    assert_int_equal(disk_store_text(&f, "1.4", "x", 0), TROLLEY_ERR_IO);
    assert_true(strstr(f.message, "1.2/1.2.3/1.4.dcm") != NULL);
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), TROLLEY_ERR_NOT_FOUND);

    meta.study = "1.3";
    dir_in(&f, "1.3");
    link_in(&f, outside.root, "1.3/1.2.3");
    assert_int_equal(disk_store(&f, &meta, "x", 1, 0), TROLLEY_ERR_IO);

    /* The file's own name is a link: neither followed nor overwritten. */
    meta.study = "1.5";
    dir_in(&f, "1.5");
    dir_in(&f, "1.5/1.2.3");
    link_in(&f, "/etc/passwd", "1.5/1.2.3/1.4.dcm");
    assert_int_equal(disk_store(&f, &meta, "x", 1, 0), TROLLEY_ERR_IO);
    assert_int_equal(disk_store(&f, &meta, "x", 1, TROLLEY_STORE_REPLACE), TROLLEY_ERR_IO);
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), TROLLEY_ERR_NOT_FOUND);

    assert_int_equal(disk_count(&outside, false), 0);
    assert_int_equal(disk_count(&f, true), 0);
    disk_teardown(&outside);
    disk_teardown(&f);
}

static void test_S5_planted_scratch(void **state)
{
    struct disk_fixture f, outside;

    (void)state;
    disk_setup(&f, "tree", NULL);
    disk_setup(&outside, "flat", NULL);
    link_in(&f, outside.root, ".trolley");
    assert_int_equal(disk_store_text(&f, "1.4", "x", 0), TROLLEY_ERR_IO);
    assert_int_equal(disk_count(&outside, false), 0);
    disk_teardown(&outside);
    disk_teardown(&f);
}

static void check_opener(int root, int (*opener)(int, const char *, int, mode_t))
{
    static const char *const refused[] = {"link/file", "dir/link", "../x",     "dir/../dir/file",
                                          "",          "/etc",     "dir//file"};
    size_t i;
    int fd = opener(root, "dir/file", O_RDONLY, 0);

    assert_true(fd >= 0);
    (void)close(fd);
    fd = opener(root, ".", O_RDONLY | O_DIRECTORY, 0);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(opener(root, "dir/none", O_RDONLY, 0), -1);
    assert_int_equal(errno, ENOENT);
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        fd = opener(root, refused[i], O_RDONLY, 0);
        /* The kernel takes harmless detours that the walk refuses. */
        if (fd >= 0 && i != 3 && i != 6) fail_msg("%s was opened", refused[i]);
        if (fd >= 0) (void)close(fd);
    }
}

static void test_S5_beneath(void **state)
{
    struct disk_fixture f;
    int root, fd;

    (void)state;
    disk_setup(&f, "tree", NULL);
    root = open(f.root, O_RDONLY | O_DIRECTORY);
    dir_in(&f, "dir");
    link_in(&f, "dir", "link");
    link_in(&f, "file", "dir/link");
    fd = openat(root, "dir/file", O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    check_opener(root, kit_beneath_open);
    check_opener(root, kit_beneath_walk);
    (void)close(root);
    disk_teardown(&f);
}

static int store_read_only(void *arg)
{
    struct disk_fixture *f = arg;

    if (setgid(65534) < 0 || setuid(65534) < 0) return SKIPPED;
    if (disk_store_text(f, "1.4", "x", 0) != TROLLEY_ERR_IO) return 1;
    if (!strstr(f->message, f->root) || !strstr(f->message, "Permission denied")) return 2;
    return 0;
}

static void test_S3_no_permission(void **state)
{
    struct disk_fixture f;
    int r;

    (void)state;
    disk_setup(&f, "tree", NULL);
    r = in_child(store_read_only, &f);
    assert_int_equal(disk_count(&f, false) + disk_count(&f, true), 0);
    disk_teardown(&f);
    if (r == SKIPPED) skip();
    assert_int_equal(r, 0);
}

static char big[1 << 20];

static int store_over_limit(void *arg)
{
    struct disk_fixture *f = arg;
    struct rlimit limit = {100000, 100000};
    struct trolley_meta meta = disk_meta("1.4");

    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return SKIPPED;
    if (disk_store(f, &meta, big, sizeof big, 0) != TROLLEY_ERR_IO) return 1;
    return disk_count(f, false) + disk_count(f, true);
}

static void test_S3_file_too_big(void **state)
{
    struct disk_fixture f;

    (void)state;
    disk_setup(&f, "tree", NULL);
    assert_int_equal(in_child(store_over_limit, &f), 0);
    disk_teardown(&f);
}

static bool write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    bool written = file && fputs(text, file) >= 0;

    return file && fclose(file) == 0 && written;
}

/* A file system of 256 KiB of its own, seen by this process alone. Without the rights for it in a
 * user name space where this user is root. */
static bool mount_small(const struct disk_fixture *f)
{
    char map[32];

    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)getuid());
    if (unshare(CLONE_NEWNS) < 0 &&
        (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !write_text("/proc/self/uid_map", map)))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", f->root, "tmpfs", 0, "size=256k") == 0;
}

static int store_on_full_disk(void *arg)
{
    struct disk_fixture *f = arg;
    struct trolley_meta meta = disk_meta("1.4");

    if (!mount_small(f)) return SKIPPED;
    if (disk_store_text(f, "1.3", "fits", 0) != 0) return 1;
    if (disk_store(f, &meta, big, sizeof big, 0) != TROLLEY_ERR_NO_SPACE) return 2;
    if (!strstr(f->message, f->root)) return 3;
    if (f->ops->sync(f->storage, &f->task) != 0) return 4;
    if (disk_count(f, true) != 0 || disk_count(f, false) != 1) return 5;
    if (disk_store_text(f, "1.5", "fits again", 0) != 0) return 6;
    return 0;
}

static void test_S3_full_disk(void **state)
{
    struct disk_fixture f;
    int r;

    (void)state;
    disk_setup(&f, "tree", NULL);
    r = in_child(store_on_full_disk, &f);
    disk_teardown(&f);
    if (r == SKIPPED) skip();
    assert_int_equal(r, 0);
}

/* Read-only from the start, and while a file is being written. */
static int store_on_read_only_disk(void *arg)
{
    struct disk_fixture *f = arg;
    struct trolley_meta meta = disk_meta("1.4");

    if (!mount_small(f) || mount(NULL, f->root, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
        return SKIPPED;
    if (disk_store(f, &meta, big, 1000, 0) != TROLLEY_ERR_IO) return 1;
    if (!strstr(f->message, f->root) || !strstr(f->message, "Read-only file system")) return 2;
    if (disk_count(f, true) != 0 || disk_count(f, false) != 0) return 3;
    if (mount(NULL, f->root, NULL, MS_REMOUNT, NULL) < 0) return 4;
    return disk_store_text(f, "1.4", "writable again", 0) == 0 ? 0 : 5;
}

static void test_S3_read_only(void **state)
{
    struct disk_fixture f;
    int r;

    (void)state;
    disk_setup(&f, "tree", NULL);
    r = in_child(store_on_read_only_disk, &f);
    disk_teardown(&f);
    if (r == SKIPPED) skip();
    assert_int_equal(r, 0);
}

static void test_S3_min_free(void **state)
{
    struct disk_options options = {.min_free = INT64_MAX / 2};
    struct trolley_meta meta = disk_meta("1.4");
    struct disk_fixture f;

    (void)state;
    disk_setup(&f, "tree", &options);
    assert_int_equal(disk_store_text(&f, "1.4", "x", 0), TROLLEY_ERR_NO_SPACE);
    assert_true(strstr(f.message, "min_free") != NULL);
    disk_teardown(&f);

    options.min_free = 0;
    disk_setup(&f, "tree", &options);
    meta.size_hint = UINT64_MAX - 5;
    assert_int_equal(disk_store(&f, &meta, "x", 1, 0), TROLLEY_ERR_NO_SPACE);
    disk_teardown(&f);
}

/* Content of instance `i` as writer `who` has it: each a length of its own. */
static void rival_text(char *text, size_t size, int i, const char *who)
{
    (void)snprintf(text, size, "%s %0*d", who, 200 + i, i);
}

struct rival {
    const char *root, *durability, *who;
    int count; /* 0: for ever */
};

/* Stores UIDs 1.7.1 ... with content common to all (even) or its own (odd). */
static int write_as_rival(void *arg)
{
    const struct rival *rival = arg;
    struct disk_options options = {.durability = rival->durability};
    struct disk_fixture f;
    char uid[32], text[1024];
    int i;

    if (disk_attach(&f, "tree", rival->root, &options) != 0) return 1;
    for (i = 1; rival->count == 0 || i <= rival->count; i++) {
        (void)snprintf(uid, sizeof uid, "1.7.%d", i);
        rival_text(text, sizeof text, i % 500, i % 2 ? rival->who : "common");
        if (disk_store_text(&f, uid, text, 0) != 0) return 2;
        if (i % 50 == 0 && f.ops->sync(f.storage, &f.task) != 0) return 3;
    }
    disk_detach(&f);
    return 0;
}

static void run_two_writers(const char *durability)
{
    struct rival rivals[2] = {{NULL, durability, "one", 200}, {NULL, durability, "two", 200}};
    struct disk_fixture f;
    char name[64], text[1024];
    pid_t pid[2];
    int i, status;

    disk_setup(&f, "tree", NULL);
    for (i = 0; i < 2; i++) {
        rivals[i].root = f.root;
        pid[i] = fork();
        if (pid[i] == 0) _exit(write_as_rival(&rivals[i]));
    }
    for (i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(disk_count(&f, true), 0);
    assert_int_equal(disk_count(&f, false), 300);
    for (i = 1; i <= 200; i++) {
        bool one, two;

        (void)snprintf(name, sizeof name, "1.2/1.2.3/1.7.%d.dcm", i);
        rival_text(text, sizeof text, i, "common");
        if (i % 2 == 0) {
            assert_true(disk_holds(&f, name, text));
            continue;
        }
        rival_text(text, sizeof text, i, "one");
        one = disk_holds(&f, name, text);
        rival_text(text, sizeof text, i, "two");
        two = disk_holds(&f, name, text);
        assert_true(one != two);
        rival_text(text, sizeof text, i, one ? "two" : "one");
        (void)snprintf(name, sizeof name, "1.2/1.2.3/1.7.%d_2.dcm", i);
        assert_true(disk_holds(&f, name, text));
    }
    disk_teardown(&f);
}

static void test_S2_two_writers(void **state)
{
    (void)state;
    run_two_writers("none");
    run_two_writers("batch");
    run_two_writers("each");
}

static int broken;

/* Every file under a final name is whole: its length is in its content. */
static int check_whole(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    char data[1024];
    size_t n;
    FILE *file;

    if (type != FTW_F || strstr(path, "/.trolley/")) return 0;
    file = fopen(path, "rb");
    n = file ? fread(data, 1, sizeof data - 1, file) : 0;
    data[n] = '\0';
    if (file) (void)fclose(file);
    if (n < 205 || n != (size_t)st->st_size || !strrchr(data, ' ') ||
        (size_t)strtol(strrchr(data, ' '), NULL, 10) + 200 != strlen(strrchr(data, ' ') + 1) ||
        strncmp(path + ftw->base, "1.7.", 4) != 0)
        broken++;
    return 0;
}

static void run_killed(const char *durability)
{
    struct disk_fixture f;
    struct rival rival = {NULL, durability, "one", 0};
    int i, status;

    disk_setup(&f, "tree", NULL);
    rival.root = f.root;
    /* On a slow machine later deaths must still come after something was stored. */
    for (i = 0; i < 25 || (i < 400 && disk_count(&f, false) < 12); i++) {
        pid_t pid = fork();

        if (pid == 0) _exit(write_as_rival(&rival));
        (void)usleep((useconds_t)(500 + i * 1700));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        broken = 0;
        assert_int_equal(nftw(f.root, check_whole, 16, FTW_PHYS), 0);
        assert_int_equal(broken, 0);
    }
    /* What the dead left is cleared away by the next to come. */
    assert_int_equal(disk_store_text(&f, "1.8", "x", 0), 0);
    assert_int_equal(disk_count(&f, true), 1);
    assert_true(disk_count(&f, false) > 10);
    disk_teardown(&f);
}

static void test_S4_killed(void **state)
{
    (void)state;
    run_killed("none");
    run_killed("batch");
    run_killed("each");
}

static void test_S4_living_scratch_stays(void **state)
{
    struct disk_fixture f, other;

    (void)state;
    disk_setup(&f, "tree", NULL);
    assert_int_equal(disk_store_text(&f, "1.4", "waits", 0), 0);
    assert_int_equal(disk_attach(&other, "tree", f.root, NULL), 0);
    assert_int_equal(disk_store_text(&other, "1.5", "waits too", 0), 0);
    assert_int_equal(disk_count(&f, true), 2);
    assert_int_equal(f.ops->sync(f.storage, &f.task), 0);
    assert_true(disk_holds(&f, "1.2/1.2.3/1.4.dcm", "waits"));
    disk_detach(&other);
    assert_true(disk_holds(&f, "1.2/1.2.3/1.5.dcm", "waits too"));
    disk_teardown(&f);
}

/* A group that cannot be named is told by sync, and nothing of it stays. */
static void test_S4_sync_fails(void **state)
{
    struct disk_fixture f;
    char dir[128], moved[128];

    (void)state;
    disk_setup(&f, "tree", NULL);
    assert_int_equal(disk_store_text(&f, "1.4", "x", 0), 0);
    (void)snprintf(dir, sizeof dir, "%s/1.2", f.root);
    (void)snprintf(moved, sizeof moved, "%s/moved", f.root);
    assert_int_equal(rename(dir, moved), 0);
    assert_int_equal(symlink(moved, dir), 0);
    assert_int_equal(f.ops->sync(f.storage, &f.task), TROLLEY_ERR_IO);
    assert_int_equal(disk_count(&f, true), 0);
    assert_int_equal(disk_count(&f, false), 0);
    assert_int_equal(f.ops->sync(f.storage, &f.task), 0);
    disk_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S1_S5_planted_links),
        cmocka_unit_test(test_S5_planted_scratch),
        cmocka_unit_test(test_S5_beneath),
        cmocka_unit_test(test_S3_no_permission),
        cmocka_unit_test(test_S3_file_too_big),
        cmocka_unit_test(test_S3_full_disk),
        cmocka_unit_test(test_S3_min_free),
        cmocka_unit_test(test_S3_read_only),
        cmocka_unit_test(test_S2_two_writers),
        cmocka_unit_test(test_S4_killed),
        cmocka_unit_test(test_S4_living_scratch_stays),
        cmocka_unit_test(test_S4_sync_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
