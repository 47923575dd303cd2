/* Verifying and purging what a storage has written. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/prefetch/storage.h"
#include "disk_fixture.h"

#include <cmocka.h>

/* Three files of two studies, and an INI file that names their storage. */
struct place {
    struct disk_fixture f;
    char ini[64];
    struct trolley_setup *setup;
    char told[2000];
};

static const struct disk_options options = {.path_format = "{0020000D}/{00080018}.dcm",
                                            .durability = "none"};

static void setup(struct place *place)
{
    struct trolley_meta meta = disk_meta("1.6");
    struct trolley_error error;
    FILE *file;

    memset(place, 0, sizeof *place);
    disk_setup(&place->f, "template", &options);
    assert_int_equal(disk_store_text(&place->f, "1.4", "first", 0), 0);
    assert_int_equal(disk_store_text(&place->f, "1.5", "second", 0), 0);
    meta.study = "1.3";
    assert_int_equal(disk_store(&place->f, &meta, "third", 5, 0), 0);
    (void)snprintf(place->ini, sizeof place->ini, "%.50s.ini", place->f.root);
    file = fopen(place->ini, "w");
    (void)fprintf(
        file,
        "[storage s]\ntype = template\npath = %s\npath_format = {0020000D}/{00080018}.dcm\n"
        "check_mount_file = NO_MOUNT\nmin_free = 0\n[storage t]\ntype = tree\npath = %s\n",
        place->f.root, place->f.root);
    (void)fclose(file);
    (void)chmod(place->ini, 0600);
    if (trolley_setup_open(place->ini, &place->setup, &error) < 0) fail_msg("%s", error.message);
}

static void teardown(struct place *place)
{
    trolley_setup_close(place->setup);
    (void)unlink(place->ini);
    disk_teardown(&place->f);
}

static int take(void *ctx, const struct trolley_stored_item *item, uint32_t state,
                const char *problem)
{
    struct place *place = ctx;
    const size_t length = strlen(place->told);

    (void)snprintf(place->told + length, sizeof place->told - length, "%s %u%s, ",
                   item->path + strlen(place->f.root) + 1, state, problem ? problem : "");
    return 0;
}

static void damage(const struct place *place)
{
    char path[200];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/1.2/1.4.dcm", place->f.root);
    file = fopen(path, "w");
    (void)fputs("worst", file);
    (void)fclose(file);
    (void)snprintf(path, sizeof path, "%s/1.2/1.5.dcm", place->f.root);
    assert_int_equal(unlink(path), 0);
}

static void test_verify(void **state)
{
    struct prefetch_storage_options verify = {0};
    struct prefetch_storage_result result;
    struct trolley_error error;
    struct place place;

    (void)state;
    setup(&place);
    if (prefetch_storage_verify(place.setup, "s", &verify, take, &place, &result, &error) < 0)
        fail_msg("%s", error.message);
    assert_string_equal(place.told, "");
    assert_int_equal(result.files, 3);
    assert_int_equal(result.bytes, 16);
    damage(&place);
    assert_int_equal(
        prefetch_storage_verify(place.setup, "s", &verify, take, &place, &result, &error), 0);
    assert_string_equal(place.told, "1.2/1.4.dcm 4, 1.2/1.5.dcm 2, ");
    assert_int_equal(result.files, 3);
    assert_int_equal(result.missing, 1);
    assert_int_equal(result.changed, 1);
    assert_int_equal(result.resized, 0);
    verify.study = "1.3";
    assert_int_equal(
        prefetch_storage_verify(place.setup, "s", &verify, NULL, NULL, &result, &error), 0);
    assert_int_equal(result.files, 1);
    verify = (struct prefetch_storage_options){.forget = true};
    assert_int_equal(
        prefetch_storage_verify(place.setup, "s", &verify, NULL, NULL, &result, &error), 0);
    assert_int_equal(result.changed + result.missing, 2);
    assert_int_equal(
        prefetch_storage_verify(place.setup, "s", &verify, NULL, NULL, &result, &error), 0);
    assert_int_equal(result.files, 1);
    assert_int_equal(disk_count(&place.f, false), 1);
    teardown(&place);
}

static void test_purge(void **state)
{
    struct prefetch_storage_options purge = {0};
    struct prefetch_storage_result result;
    struct trolley_error error;
    struct place place;

    (void)state;
    setup(&place);
    assert_int_equal(
        prefetch_storage_purge(place.setup, "s", &purge, take, &place, &result, &error),
        TROLLEY_ERR_INVALID_ARG);
    purge.older_ms = 3600000;
    assert_int_equal(
        prefetch_storage_purge(place.setup, "s", &purge, take, &place, &result, &error), 0);
    assert_int_equal(result.files, 0);
    purge = (struct prefetch_storage_options){.study = "1.2", .dry_run = true};
    assert_int_equal(
        prefetch_storage_purge(place.setup, "s", &purge, take, &place, &result, &error), 0);
    assert_string_equal(place.told, "1.2/1.4.dcm 1, 1.2/1.5.dcm 1, ");
    assert_int_equal(disk_count(&place.f, false), 3);
    purge.dry_run = false;
    assert_int_equal(prefetch_storage_purge(place.setup, "s", &purge, NULL, NULL, &result, &error),
                     0);
    assert_int_equal(result.files, 2);
    assert_int_equal(result.bytes, 11);
    assert_int_equal(disk_count(&place.f, false), 1);
    (void)usleep(5000);
    purge = (struct prefetch_storage_options){.older_ms = 1};
    assert_int_equal(prefetch_storage_purge(place.setup, "s", &purge, NULL, NULL, &result, &error),
                     0);
    assert_int_equal(result.files, 1);
    assert_int_equal(disk_count(&place.f, false), 0);
    teardown(&place);
}

static void test_storages_that_cannot(void **state)
{
    const struct prefetch_storage_options verify = {0};
    struct prefetch_storage_result result;
    struct trolley_error error;
    struct place place;
    char path[200];

    (void)state;
    setup(&place);
    assert_int_equal(
        prefetch_storage_verify(place.setup, "t", &verify, NULL, NULL, &result, &error),
        TROLLEY_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "keeps no index"));
    assert_int_equal(
        prefetch_storage_verify(place.setup, "x", &verify, NULL, NULL, &result, &error),
        TROLLEY_ERR_INVALID_CONFIG);
    (void)snprintf(path, sizeof path, "%s/NO_MOUNT", place.f.root);
    (void)fclose(fopen(path, "w"));
    assert_int_equal(
        prefetch_storage_verify(place.setup, "s", &verify, NULL, NULL, &result, &error),
        TROLLEY_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.message, "not mounted"));
    teardown(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_storages_that_cannot),
    };

    (void)setenv("TROLLEY_PLUGINDIR", PLUGINS_BUILT, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
