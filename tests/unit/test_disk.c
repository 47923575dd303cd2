/* The disk storages: names, content, durability. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_fixture.h"

#include <cmocka.h>

/* sha256sum of "first" */
#define FIRST_SHA256 "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"

static const char *const durabilities[] = {"none", "batch", "each"};

static void in_every_durability(void (*run)(struct disk_fixture *f))
{
    size_t i;

    for (i = 0; i < 3; i++) {
        struct disk_options options = {.durability = durabilities[i]};
        struct disk_fixture f;

        disk_setup(&f, "tree", &options);
        run(&f);
        disk_teardown(&f);
    }
}

static int sync_all(struct disk_fixture *f)
{
    return f->ops->sync(f->storage, &f->task);
}

static void run_conflicts(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(f->flags, 0);
    assert_int_equal(sync_all(f), 0);
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_SAME);
    assert_true(strstr(f->path, "/1.2/1.2.3/1.4.dcm") != NULL);
    assert_int_equal(disk_store_text(f, "1.4", "other", TROLLEY_STORE_KEEP_BOTH), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_BESIDE);
    assert_string_equal(f->previous, FIRST_SHA256);
    assert_true(strstr(f->path, "/1.4_2.dcm") != NULL);
    assert_int_equal(disk_store_text(f, "1.4", "longer than both", 0), 0);
    assert_true(strstr(f->path, "/1.4_3.dcm") != NULL);
    assert_int_equal(sync_all(f), 0);
    assert_int_equal(disk_store_text(f, "1.4", "other", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_SAME);
    assert_true(strstr(f->path, "/1.4_2.dcm") != NULL);
    assert_int_equal(sync_all(f), 0);
    assert_true(disk_holds(f, "1.2/1.2.3/1.4.dcm", "first"));
    assert_true(disk_holds(f, "1.2/1.2.3/1.4_2.dcm", "other"));
    assert_true(disk_holds(f, "1.2/1.2.3/1.4_3.dcm", "longer than both"));
    assert_int_equal(disk_count(f, false), 3);
    assert_int_equal(disk_count(f, true), 0);
}

static void test_S2_conflicts(void **state)
{
    (void)state;
    in_every_durability(run_conflicts);
}

/* The same without a sync between: what waits counts as well. */
static void run_pending(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_SAME);
    assert_int_equal(disk_store_text(f, "1.4", "other", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_BESIDE);
    assert_string_equal(f->previous, FIRST_SHA256);
    assert_int_equal(disk_store_text(f, "1.4", "newest", TROLLEY_STORE_REPLACE), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_REPLACED);
    assert_string_equal(f->previous, FIRST_SHA256);
    assert_int_equal(disk_store_text(f, "1.5", "new", TROLLEY_STORE_REPLACE), 0);
    assert_int_equal(f->flags, 0);
    assert_string_equal(f->previous, "");
    assert_int_equal(sync_all(f), 0);
    assert_true(disk_holds(f, "1.2/1.2.3/1.4.dcm", "newest"));
    assert_true(disk_holds(f, "1.2/1.2.3/1.4_2.dcm", "other"));
    assert_true(disk_holds(f, "1.2/1.2.3/1.5.dcm", "new"));
    assert_int_equal(disk_count(f, false), 3);
    assert_int_equal(disk_count(f, true), 0);
    assert_int_equal(f->notes, 0);
}

static void test_S2_conflicts_with_what_waits(void **state)
{
    (void)state;
    in_every_durability(run_pending);
}

static void test_S4_batch_waits_and_fills(void **state)
{
    struct disk_options options = {.durability = "batch"};
    struct disk_fixture f;
    char uid[32];
    int i;

    (void)state;
    disk_setup(&f, "flat", &options);
    for (i = 1; i <= 700; i++) {
        (void)snprintf(uid, sizeof uid, "1.9.%d", i);
        assert_int_equal(disk_store_text(&f, uid, uid, 0), 0);
        if (i == 511) assert_int_equal(disk_count(&f, false), 0);
    }
    assert_int_equal(disk_count(&f, false), 512);
    assert_int_equal(disk_count(&f, true), 188);
    assert_int_equal(sync_all(&f), 0);
    assert_int_equal(disk_count(&f, false), 700);
    assert_true(disk_holds(&f, "1.9.700.dcm", "1.9.700"));
    assert_int_equal(disk_store_text(&f, "1.10", "late", 0), 0);
    disk_detach(&f);
    assert_true(disk_holds(&f, "1.10.dcm", "late"));
    disk_teardown(&f);
}

/* Another process takes the name between commit and sync: both are kept, and it is said. */
static void test_S2_S4_name_taken_before_the_sync(void **state)
{
    struct disk_options options = {.durability = "batch"}, at_once = {.durability = "none"};
    struct disk_fixture f, other;

    (void)state;
    disk_setup(&f, "flat", &options);
    assert_int_equal(disk_attach(&other, "flat", f.root, &at_once), 0);
    assert_int_equal(disk_store_text(&f, "1.1", "mine", 0), 0);
    assert_int_equal(disk_store_text(&f, "1.2", "equal", 0), 0);
    assert_int_equal(disk_store_text(&other, "1.1", "theirs", 0), 0);
    assert_int_equal(disk_store_text(&other, "1.2", "equal", 0), 0);
    assert_int_equal(other.flags, 0);
    assert_int_equal(sync_all(&f), 0);
    assert_int_equal(f.notes, 1);
    assert_true(disk_holds(&f, "1.1.dcm", "theirs"));
    assert_true(disk_holds(&f, "1.1_2.dcm", "mine"));
    assert_int_equal(disk_count(&f, false), 3);
    disk_detach(&other);
    disk_teardown(&f);
}

static void test_modes(void **state)
{
    struct disk_options options = {.durability = "none", .file_mode = "0664", .dir_mode = "0775"};
    struct disk_fixture f;
    struct stat st;
    char dir[128];
    mode_t mask = umask(077);

    (void)state;
    disk_setup(&f, "tree", &options);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    (void)snprintf(dir, sizeof dir, "%s/1.2", f.root);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0775);
    (void)umask(mask);
    disk_teardown(&f);
}

static void test_S1_names(void **state)
{
    static const struct {
        const char *content_type, *variant;
        uint32_t frame;
        const char *name;
    } rows[] = {
        {NULL, NULL, 0, "1.4.img"},
        {"application/dicom", NULL, 3, "1.4.frame3.img"},
        {"image/jpeg", "rendered", 3, "1.4.frame3.rendered.jpg"},
        {"image/png", "thumbnail", 0, "1.4.thumbnail.png"},
        {"application/dicom+json", "metadata", 0, "1.4.metadata.json"},
        {"application/json", "../../etc/x", 0, "1.4.------etc-x.json"},
        {"application/octet-stream", "r_2", 0, "1.4.r-2.bin"},
    };
    struct disk_options options = {.durability = "none", .suffix = ".img"};
    struct disk_fixture f;
    size_t i;

    (void)state;
    disk_setup(&f, "flat", &options);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct trolley_meta meta = disk_meta("1.4");

        meta.content_type = rows[i].content_type;
        meta.variant = rows[i].variant;
        meta.frame = rows[i].frame;
        assert_int_equal(disk_store(&f, &meta, "x", 1, 0), 0);
        assert_string_equal(strrchr(f.path, '/') + 1, rows[i].name);
        f.told = 0;
        assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), 0);
        assert_int_equal(f.told, 1);
        assert_string_equal(strrchr(f.path, '/') + 1, rows[i].name);
    }
    disk_teardown(&f);
}

static void test_S1_hostile_uids(void **state)
{
    static const char *const uids[] = {
        "../1.2", "1/2",
        "",       ".",
        "..",     "1..2",
        "1.2\n",  "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25"};
    struct disk_fixture f;
    size_t i;

    (void)state;
    disk_setup(&f, "tree", NULL);
    for (i = 0; i < sizeof uids / sizeof uids[0]; i++) {
        struct trolley_meta instance = disk_meta(uids[i]), series = disk_meta("1.4"),
                            study = disk_meta("1.4");

        series.series = uids[i];
        study.study = uids[i];
        assert_int_equal(disk_store(&f, &instance, "x", 1, 0), TROLLEY_ERR_INVALID_ARG);
        assert_int_equal(disk_store(&f, &series, "x", 1, 0), TROLLEY_ERR_INVALID_ARG);
        assert_int_equal(disk_store(&f, &study, "x", 1, 0), TROLLEY_ERR_INVALID_ARG);
    }
    assert_int_equal(disk_count(&f, false), 0);
    assert_int_equal(disk_count(&f, true), 0);
    disk_teardown(&f);
}

static void test_S2_exists(void **state)
{
    struct disk_options options = {.durability = "none"};
    struct trolley_meta meta = disk_meta("1.4");
    struct disk_fixture f;
    char gone[64], empty[128];

    (void)state;
    disk_setup(&f, "tree", &options);
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), TROLLEY_ERR_NOT_FOUND);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), 0);
    assert_int_equal(f.bytes, 5);
    (void)snprintf(empty, sizeof empty, "%s/1.2/1.2.3/1.4.dcm", f.root);
    assert_int_equal(truncate(empty, 0), 0);
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), TROLLEY_ERR_NOT_FOUND);
    (void)snprintf(gone, sizeof gone, "%s", f.root);
    disk_teardown(&f);
    assert_int_equal(disk_attach(&f, "tree", gone, &options), 0);
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), TROLLEY_ERR_NOT_FOUND);
    assert_int_equal(access(gone, F_OK), -1);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    assert_true(disk_holds(&f, "1.2/1.2.3/1.4.dcm", "first"));
    disk_teardown(&f);
}

static void test_S3_abort_leaves_nothing(void **state)
{
    struct trolley_meta meta = disk_meta("1.4");
    struct disk_fixture f;
    void *writer;

    (void)state;
    disk_setup(&f, "tree", NULL);
    assert_int_equal(f.ops->open(f.storage, &meta, 0, &f.task, &writer), 0);
    assert_int_equal(f.ops->write(writer, "half", 4, &f.task), 0);
    assert_int_equal(disk_count(&f, true), 1);
    f.ops->abort(writer);
    assert_int_equal(disk_count(&f, true), 0);
    assert_int_equal(disk_count(&f, false), 0);
    assert_int_equal(f.told, 0);
    disk_teardown(&f);
}

static void test_bad_config(void **state)
{
    static const struct disk_options bad[] = {
        {.durability = "always"},         {.suffix = "dcm"},      {.suffix = "./x"},
        {.file_mode = "rw-r--"},          {.file_mode = "01777"}, {.dir_mode = "0o7"},
        {.suffix = ".12345678901234567"},
    };
    struct disk_fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(disk_attach(&f, "tree", "/tmp", &bad[i]), TROLLEY_ERR_INVALID_CONFIG);
        assert_null(f.storage);
        assert_true(strstr(f.message, "[storage test]") != NULL);
    }
    assert_int_equal(disk_attach(&f, "tree", "relative", NULL), TROLLEY_ERR_INVALID_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S2_conflicts),
        cmocka_unit_test(test_S2_conflicts_with_what_waits),
        cmocka_unit_test(test_S4_batch_waits_and_fills),
        cmocka_unit_test(test_S2_S4_name_taken_before_the_sync),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_S1_names),
        cmocka_unit_test(test_S1_hostile_uids),
        cmocka_unit_test(test_S2_exists),
        cmocka_unit_test(test_S3_abort_leaves_nothing),
        cmocka_unit_test(test_bad_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
