/* The storage `template`: what it does with names that are taken, what its index says.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_fixture.h"

#include <cmocka.h>

/* sha256sum of "first" */
#define FIRST_SHA256 "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"

static const char *const durabilities[] = {"none", "batch", "each"};

static void in_every_durability(struct disk_options options, void (*run)(struct disk_fixture *f))
{
    size_t i;

    for (i = 0; i < 3; i++) {
        struct disk_fixture f;

        options.durability = durabilities[i];
        disk_setup(&f, "template", &options);
        run(&f);
        disk_teardown(&f);
    }
}

static void sync_all(struct disk_fixture *f)
{
    assert_int_equal(f->ops->sync(f->storage, &f->task), 0);
}

static int exists(struct disk_fixture *f, const char *instance)
{
    struct trolley_meta meta = disk_meta(instance);

    return f->ops->exists(f->storage, &meta, &f->where, &f->task);
}

/* Ends of the paths that the index holds, in order, with their states: "a.dcm 1, b.dcm 1, ". */
struct listing {
    struct disk_fixture *f;
    char text[1000];
};

static int32_t list_item(void *ctx, const struct trolley_stored_item *item)
{
    struct listing *listing = ctx;
    uint32_t state = 0;
    const size_t length = strlen(listing->text);

    assert_int_equal(
        disk_stored(listing->f)->examine(listing->f->storage, item, &state, &listing->f->task), 0);
    assert_true(item->stored_ms > INT64_C(1700000000000));
    (void)snprintf(listing->text + length, sizeof listing->text - length, "%s %u, ",
                   item->path + strlen(listing->f->root) + 1, state);
    return 0;
}

static void assert_listed(struct disk_fixture *f, const struct trolley_stored_filter *filter,
                          const char *expected)
{
    struct listing listing = {.f = f};
    const struct trolley_stored_sink sink = {&listing, list_item};

    assert_int_equal(disk_stored(f)->walk(f->storage, filter, &sink, &f->task), 0);
    assert_string_equal(listing.text, expected);
}

#define BY_STUDY .path_format = "{0020000D}/{00080018}{suffix}"
#define ONE_NAME .path_format = "{0020000D,hash}/name.dcm"

/* ---- S2: the rule where the section says nothing ---- */

static void run_S2(struct disk_fixture *f)
{
    assert_int_equal(exists(f, "1.4"), TROLLEY_ERR_NOT_FOUND);
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(f->flags, 0);
    sync_all(f);
    assert_int_equal(exists(f, "1.4"), 0);
    assert_true(strstr(f->path, "/1.2/1.4.dcm") != NULL);
    assert_int_equal(f->bytes, 5);
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_SAME);
    assert_int_equal(disk_store_text(f, "1.4", "other", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_BESIDE);
    assert_string_equal(f->previous, FIRST_SHA256);
    assert_true(strstr(f->path, "/1.2/1.4_2.dcm") != NULL);
    assert_int_equal(disk_store_text(f, "1.4", "newest", TROLLEY_STORE_REPLACE), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_REPLACED);
    assert_string_equal(f->previous, FIRST_SHA256);
    sync_all(f);
    assert_true(disk_holds(f, "1.2/1.4.dcm", "newest"));
    assert_true(disk_holds(f, "1.2/1.4_2.dcm", "other"));
    assert_int_equal(disk_count(f, false), 2);
    assert_int_equal(disk_count(f, true), 0);
    assert_listed(f, NULL, "1.2/1.4.dcm 1, 1.2/1.4_2.dcm 1, ");
}

static void test_S2_same_skipped_other_kept_beside(void **state)
{
    (void)state;
    in_every_durability((struct disk_options){BY_STUDY}, run_S2);
}

static void run_collision(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.5", "second", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_BESIDE);
    assert_int_equal(disk_store_text(f, "1.6", "first", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_SAME);
    sync_all(f);
    assert_int_equal(exists(f, "1.5"), 0);
    assert_true(strstr(f->path, "/name_2.dcm") != NULL);
    assert_int_equal(exists(f, "1.6"), 0);
    assert_true(strstr(f->path, "/name.dcm") != NULL);
    /* What is another object's is not replaced, its own is, wherever it lies. */
    assert_int_equal(disk_store_text(f, "1.5", "second, again", TROLLEY_STORE_REPLACE), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_REPLACED);
    assert_true(strstr(f->path, "/name_2.dcm") != NULL);
    assert_int_equal(disk_store_text(f, "1.7", "third", TROLLEY_STORE_REPLACE), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_BESIDE);
    assert_true(strstr(f->path, "/name_3.dcm") != NULL);
    assert_int_equal(disk_store_text(f, "1.8", "fourth", TROLLEY_STORE_REPLACE), 0);
    sync_all(f);
    assert_int_equal(disk_count(f, false), 4);
    assert_int_equal(exists(f, "1.4"), 0);
    assert_int_equal(f->bytes, 5);
    assert_int_equal(exists(f, "1.8"), 0);
}

static void test_objects_of_one_name(void **state)
{
    (void)state;
    in_every_durability((struct disk_options){ONE_NAME}, run_collision);
}

/* ---- on_exists ---- */

static void run_replace(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.4", "newer", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_REPLACED);
    assert_string_equal(f->previous, FIRST_SHA256);
    sync_all(f);
    assert_true(disk_holds(f, "1.2/1.4.dcm", "newer"));
    assert_int_equal(disk_count(f, false), 1);
    assert_listed(f, NULL, "1.2/1.4.dcm 1, ");
}

static void run_random_path(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.4", "newer", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_BESIDE);
    assert_int_equal(strlen(f->path), strlen(f->root) + strlen("/1.2/1.4_01234567.dcm"));
    sync_all(f);
    assert_int_equal(disk_count(f, false), 2);
    assert_true(disk_holds(f, f->path + strlen(f->root) + 1, "newer"));
}

static void run_noop(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.4", "newer and longer", 0), 0);
    assert_int_equal(f->flags, TROLLEY_STORED_SAME);
    assert_string_equal(f->previous, FIRST_SHA256);
    assert_int_equal(f->bytes, 5);
    sync_all(f);
    assert_true(disk_holds(f, "1.2/1.4.dcm", "first"));
    assert_int_equal(disk_count(f, false), 1);
    assert_listed(f, NULL, "1.2/1.4.dcm 1, ");
}

static void run_failure(struct disk_fixture *f)
{
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.4", "newer", 0), TROLLEY_ERR_IO);
    assert_true(strstr(f->message, "1.2/1.4.dcm") && strstr(f->message, "exists"));
    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    sync_all(f);
    assert_int_equal(disk_count(f, false), 1);
    assert_int_equal(disk_count(f, true), 0);
}

static void test_on_exists(void **state)
{
    (void)state;
    in_every_durability((struct disk_options){BY_STUDY, .on_exists = "replace"}, run_replace);
    in_every_durability((struct disk_options){BY_STUDY, .on_exists = "random_path"},
                        run_random_path);
    in_every_durability((struct disk_options){BY_STUDY, .on_exists = "noop"}, run_noop);
    in_every_durability((struct disk_options){BY_STUDY, .on_exists = "failure"}, run_failure);
}

static void test_random_names_are_found_again(void **state)
{
    struct disk_options options = {.path_format = "{now,date,yyyy}/{rnd,uuid}.dcm"};
    struct disk_fixture f;
    char first[512];

    (void)state;
    disk_setup(&f, "template", &options);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    (void)snprintf(first, sizeof first, "%s", f.path);
    sync_all(&f);
    assert_int_equal(exists(&f, "1.4"), 0);
    assert_string_equal(f.path, first);
    assert_int_equal(disk_store_text(&f, "1.4", "newer", TROLLEY_STORE_REPLACE), 0);
    assert_int_equal(f.flags, TROLLEY_STORED_REPLACED);
    assert_string_equal(f.path, first);
    sync_all(&f);
    assert_int_equal(disk_count(&f, false), 1);
    disk_teardown(&f);
}

/* ---- what is no instance ---- */

static void test_frames_and_metadata(void **state)
{
    struct disk_options options = {
        .path_format = "{0020000D}/{0020000E}/{00080018}/{00081160}.{variant}{suffix}"};
    struct trolley_meta meta = disk_meta("1.4");
    struct disk_fixture f;
    uint32_t frame;

    (void)state;
    disk_setup(&f, "template", &options);
    meta.content_type = "image/jpeg";
    meta.variant = "rendered";
    for (frame = 1; frame <= 2; frame++) {
        meta.frame = frame;
        assert_int_equal(disk_store(&f, &meta, "jpeg", 4, TROLLEY_STORE_REPLACE), 0);
    }
    meta = disk_meta(NULL);
    meta.series = NULL;
    meta.content_type = "application/dicom+json";
    meta.variant = "metadata";
    assert_int_equal(disk_store(&f, &meta, "[]", 2, 0), 0);
    sync_all(&f);
    assert_true(disk_holds(&f, "1.2/1.2.3/1.4/1.rendered.jpg", "jpeg"));
    assert_true(disk_holds(&f, "1.2/1.2.3/1.4/2.rendered.jpg", "jpeg"));
    assert_true(disk_holds(&f, "1.2/null/null/null.metadata.json", "[]"));
    assert_int_equal(f.ops->exists(f.storage, &meta, &f.where, &f.task), 0);
    assert_int_equal(exists(&f, "1.4"), TROLLEY_ERR_NOT_FOUND);
    disk_teardown(&f);
}

/* ---- the mount ---- */

static void test_mount_that_is_gone(void **state)
{
    struct disk_options options = {BY_STUDY, .check_mount_file = "NO_MOUNT"};
    struct trolley_meta meta = disk_meta("1.4");
    struct disk_fixture f;
    char path[512];
    void *writer;
    int fd;

    (void)state;
    disk_setup(&f, "template", &options);
    (void)snprintf(path, sizeof path, "%s/NO_MOUNT", f.root);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(f.ops->open(f.storage, &meta, 0, &f.task, &writer), TROLLEY_ERR_UNAVAILABLE);
    assert_true(strstr(f.message, "not mounted") != NULL);
    assert_int_equal(disk_stored(&f)->ready(f.storage, &f.task), TROLLEY_ERR_UNAVAILABLE);
    assert_int_equal(exists(&f, "1.4"), TROLLEY_ERR_UNAVAILABLE);
    assert_int_equal(disk_count(&f, false), 1);
    (void)snprintf(path, sizeof path, "%s/.trolley", f.root);
    assert_int_equal(access(path, F_OK), -1);
    (void)snprintf(path, sizeof path, "%s/NO_MOUNT", f.root);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(disk_stored(&f)->ready(f.storage, &f.task), 0);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    disk_teardown(&f);
}

/* Another file system under the same name: simulated by another folder. */
static void test_mounted_anew(void **state)
{
    struct disk_options options = {BY_STUDY, .check_mount_file = "NO_MOUNT"};
    struct trolley_meta meta = disk_meta("1.5");
    struct disk_fixture f;
    char away[64];
    void *writer;

    (void)state;
    disk_setup(&f, "template", &options);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    assert_int_equal(f.ops->open(f.storage, &meta, 0, &f.task, &writer), 0);
    (void)snprintf(away, sizeof away, "%.50s.away", f.root);
    assert_int_equal(rename(f.root, away), 0);
    assert_int_equal(mkdir(f.root, 0700), 0);
    assert_int_equal(disk_stored(&f)->ready(f.storage, &f.task), TROLLEY_ERR_UNAVAILABLE);
    f.ops->abort(writer);
    assert_int_equal(disk_store_text(&f, "1.5", "second", 0), 0);
    sync_all(&f);
    assert_true(disk_holds(&f, "1.2/1.5.dcm", "second"));
    disk_teardown(&f);
    (void)snprintf(f.root, sizeof f.root, "%s", away);
    assert_true(disk_holds(&f, "1.2/1.4.dcm", "first"));
    disk_teardown(&f);
}

/* ---- S1, S3 ---- */

static void test_S1_link_that_leaves_the_root(void **state)
{
    struct disk_options options = {BY_STUDY};
    struct disk_fixture f;
    char path[512], outside[] = "/tmp/trolley-outside-XXXXXX";

    (void)state;
    disk_setup(&f, "template", &options);
    assert_non_null(mkdtemp(outside));
    (void)snprintf(path, sizeof path, "%s/1.2", f.root);
    assert_int_equal(symlink(outside, path), 0);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), TROLLEY_ERR_IO);
    if (!strstr(f.message, "symbolic link")) fail_msg("%s", f.message);
    assert_int_equal(rmdir(outside), 0); /* nothing was written there */
    disk_teardown(&f);
}

static void test_S1_own_folder_is_reserved(void **state)
{
    static const char *const formats[] = {".trolley/{00080018}", ".trolley", "/{00080018}",
                                          "{00080018}/../x", "{00080018}/"};
    struct disk_fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct disk_options options = {.path_format = formats[i]};

        assert_int_equal(disk_attach(&f, "template", "/tmp/nowhere", &options),
                         TROLLEY_ERR_INVALID_CONFIG);
    }
    {
        struct disk_options options = {.path_format = ".{variant}/{00080018}"};
        struct trolley_meta meta = disk_meta("1.4");

        disk_setup(&f, "template", &options);
        meta.variant = "trolley";
        assert_int_equal(disk_store(&f, &meta, "x", 1, 0), TROLLEY_ERR_INVALID_ARG);
        assert_int_equal(disk_count(&f, true), 0);
        disk_teardown(&f);
    }
}

/* ---- purging ---- */

static int32_t remove_item(void *ctx, const struct trolley_stored_item *item)
{
    struct disk_fixture *f = ctx;

    return disk_stored(f)->remove(f->storage, item, &f->task);
}

static void run_removal(struct disk_fixture *f)
{
    const struct trolley_stored_sink sink = {f, remove_item};
    struct trolley_stored_filter filter = {.size = sizeof filter, .instance = "1.5"};
    char path[512];

    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.5", "second", 0), 0);
    sync_all(f);
    assert_listed(f, &filter, "1.2/1.5.dcm 1, ");
    assert_int_equal(disk_stored(f)->walk(f->storage, &filter, &sink, &f->task), 0);
    assert_listed(f, NULL, "1.2/1.4.dcm 1, ");
    assert_int_equal(disk_count(f, false), 1);
    filter = (struct trolley_stored_filter){.size = sizeof filter, .before_ms = 1};
    assert_listed(f, &filter, "");
    filter.before_ms = INT64_C(1) << 50;
    filter.study = "1.2";
    assert_int_equal(disk_stored(f)->walk(f->storage, &filter, &sink, &f->task), 0);
    assert_listed(f, NULL, "");
    (void)snprintf(path, sizeof path, "%s/1.2", f->root);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(exists(f, "1.4"), TROLLEY_ERR_NOT_FOUND);
}

static void test_removal(void **state)
{
    (void)state;
    in_every_durability((struct disk_options){BY_STUDY}, run_removal);
}

static void run_shared_file(struct disk_fixture *f)
{
    const struct trolley_stored_sink sink = {f, remove_item};
    const struct trolley_stored_filter filter = {.size = sizeof filter, .instance = "1.5"};

    assert_int_equal(disk_store_text(f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(f, "1.5", "first", 0), 0);
    sync_all(f);
    assert_int_equal(disk_count(f, false), 1);
    assert_int_equal(disk_stored(f)->walk(f->storage, &filter, &sink, &f->task), 0);
    assert_int_equal(disk_count(f, false), 1);
    assert_int_equal(exists(f, "1.4"), 0);
    assert_int_equal(exists(f, "1.5"), TROLLEY_ERR_NOT_FOUND);
}

static void test_file_of_two_objects_outlives_one(void **state)
{
    (void)state;
    in_every_durability((struct disk_options){ONE_NAME}, run_shared_file);
}

static void test_what_was_tampered_with_is_seen(void **state)
{
    struct disk_options options = {BY_STUDY};
    struct disk_fixture f;
    char path[512];
    FILE *file;

    (void)state;
    disk_setup(&f, "template", &options);
    assert_int_equal(disk_store_text(&f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(&f, "1.5", "second", 0), 0);
    assert_int_equal(disk_store_text(&f, "1.6", "third", 0), 0);
    sync_all(&f);
    (void)snprintf(path, sizeof path, "%s/1.2/1.4.dcm", f.root);
    file = fopen(path, "w");
    (void)fputs("worst", file);
    (void)fclose(file);
    (void)snprintf(path, sizeof path, "%s/1.2/1.5.dcm", f.root);
    assert_int_equal(truncate(path, 3), 0);
    (void)snprintf(path, sizeof path, "%s/1.2/1.6.dcm", f.root);
    assert_int_equal(unlink(path), 0);
    assert_listed(&f, NULL, "1.2/1.4.dcm 4, 1.2/1.5.dcm 3, 1.2/1.6.dcm 2, ");
    assert_int_equal(exists(&f, "1.5"), TROLLEY_ERR_NOT_FOUND);
    assert_int_equal(exists(&f, "1.6"), TROLLEY_ERR_NOT_FOUND);
    /* What was taken away is forgotten, what was cut is fetched again and kept beside it. */
    assert_listed(&f, NULL, "1.2/1.4.dcm 4, 1.2/1.5.dcm 3, ");
    assert_int_equal(disk_store_text(&f, "1.5", "second", 0), 0);
    assert_int_equal(f.flags, TROLLEY_STORED_BESIDE);
    disk_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S2_same_skipped_other_kept_beside),
        cmocka_unit_test(test_objects_of_one_name),
        cmocka_unit_test(test_on_exists),
        cmocka_unit_test(test_random_names_are_found_again),
        cmocka_unit_test(test_frames_and_metadata),
        cmocka_unit_test(test_mount_that_is_gone),
        cmocka_unit_test(test_mounted_anew),
        cmocka_unit_test(test_S1_link_that_leaves_the_root),
        cmocka_unit_test(test_S1_own_folder_is_reserved),
        cmocka_unit_test(test_removal),
        cmocka_unit_test(test_file_of_two_objects_outlives_one),
        cmocka_unit_test(test_what_was_tampered_with_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
