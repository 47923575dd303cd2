/* The file of the searcher `cached`. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trolley/record.h>

#include "plugins/cache/answer.h"
#include "plugins/cache/file.h"

#include <cmocka.h>

#define MAX_BYTES 100000
#define EXPIRY 600000

struct fixture {
    char folder[64], path[96];
    struct kit_buffer answer;
    char reason[FILE_REASON_MAX];
};

static struct store *new_store(void)
{
    struct store *store;

    assert_int_equal(store_new(EXPIRY, MAX_BYTES, &store), 0);
    return store;
}

static void put(struct store *store, const char *key, const struct kit_buffer *answer, int64_t at)
{
    assert_int_equal(store_add(store, key, strlen(key), answer->data, answer->length, at), 0);
}

static bool has(struct store *store, const char *key, const struct kit_buffer *answer, int64_t now)
{
    struct store_entry *entry = store_find(store, key, strlen(key), now);
    bool same = entry && entry->answer_length == answer->length &&
                memcmp(entry->answer, answer->data, answer->length) == 0;

    if (entry) store_release(store, entry);
    return same;
}

/* A file of two answers, of the times 1000 and 2000. */
static void setup(struct fixture *f)
{
    const struct trolley_record record = {sizeof record, TROLLEY_LEVEL_STUDY, {NULL, 0, 1}};
    struct store *store = new_store();

    memset(f, 0, sizeof *f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/trolley-cache-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/answers", f->folder);
    assert_int_equal(answer_add(&f->answer, &record), 0);
    put(store, "one", &f->answer, 1000);
    put(store, "two", &f->answer, 2000);
    assert_int_equal(file_save(store, f->path, "pacs", 3000, f->reason), 0);
    store_free(store);
}

static void teardown(struct fixture *f)
{
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->folder), 0); /* nothing was left beside the file */
    kit_buffer_free(&f->answer);
}

/* How many of the two answers the file gives; the reason is in f. */
static int loaded(struct fixture *f, const char *searcher, int64_t now)
{
    struct store *store = new_store();
    int count;

    file_load(store, f->path, searcher, MAX_BYTES, f->reason);
    count = has(store, "one", &f->answer, now) + has(store, "two", &f->answer, now);
    store_free(store);
    return count;
}

static void test_round_trip(void **state)
{
    struct fixture f;
    struct stat st;
    mode_t mask = umask(0);

    (void)state;
    setup(&f);
    (void)umask(mask);
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(loaded(&f, "pacs", 3000), 2);
    assert_string_equal(f.reason, "");
    assert_int_equal(loaded(&f, "pacs", 1500), 1);
    assert_int_equal(loaded(&f, "pacs", 1000 + EXPIRY), 1);
    assert_int_equal(loaded(&f, "pacs", 2000 + EXPIRY), 0);
    assert_string_equal(f.reason, "");
    assert_int_equal(loaded(&f, "pacs2", 3000), 0);
    assert_non_null(strstr(f.reason, "another searcher"));
    teardown(&f);
}

static void test_expired_answers_are_not_kept(void **state)
{
    struct fixture f;
    struct store *store = new_store();
    struct stat all, one;

    (void)state;
    setup(&f);
    assert_int_equal(stat(f.path, &all), 0);
    file_load(store, f.path, "pacs", MAX_BYTES, f.reason);
    assert_int_equal(file_save(store, f.path, "pacs", 1000 + EXPIRY, f.reason), 0);
    store_free(store);
    assert_int_equal(stat(f.path, &one), 0);
    assert_true(one.st_size < all.st_size);
    assert_int_equal(loaded(&f, "pacs", 2000), 1);
    teardown(&f);
}

static void test_no_file_is_no_warning(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_int_equal(unlink(f.path), 0);
    assert_int_equal(loaded(&f, "pacs", 3000), 0);
    assert_string_equal(f.reason, "");
    teardown(&f);
}

static size_t read_all(const char *path, char *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    size_t length;

    assert_non_null(file);
    length = fread(bytes, 1, room, file);
    assert_int_equal(fclose(file), 0);
    return length;
}

static void write_all(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Every byte matters, and every length but those that end with an answer. */
static void test_damage_is_noticed(void **state)
{
    struct fixture f;
    char bytes[1000];
    size_t length, ends = 0;

    (void)state;
    setup(&f);
    length = read_all(f.path, bytes, sizeof bytes);
    assert_in_range(length, 80, sizeof bytes - 1);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(bytes[i] ^ 0x11);
        write_all(f.path, bytes, length);
        assert_int_equal(loaded(&f, "pacs", 3000), 0);
        assert_non_null(strstr(f.reason, f.path));
        bytes[i] = (char)(bytes[i] ^ 0x11);
    }
    for (size_t i = 0; i < length; i++) {
        int count;

        write_all(f.path, bytes, i);
        count = loaded(&f, "pacs", 3000);
        if (!*f.reason) {
            assert_int_equal(count, ends); /* cut behind the head, and behind the first answer */
            ends++;
        } else {
            assert_int_equal(count, 0);
        }
    }
    assert_int_equal(ends, 2);
    write_all(f.path, bytes, length);
    assert_int_equal(loaded(&f, "pacs", 3000), 2);
    teardown(&f);
}

static void test_files_that_are_not_trusted(void **state)
{
    struct fixture f;
    struct store *store;
    char other[112];

    (void)state;
    setup(&f);
    assert_int_equal(chmod(f.path, 0660), 0);
    assert_int_equal(loaded(&f, "pacs", 3000), 0);
    assert_non_null(strstr(f.reason, "others may read or write"));
    assert_int_equal(chmod(f.path, 0600), 0);
    store = new_store();
    file_load(store, f.path, "pacs", 50, f.reason);
    assert_non_null(strstr(f.reason, "max_size"));
    store_free(store);
    (void)snprintf(other, sizeof other, "%s.other", f.path);
    assert_int_equal(rename(f.path, other), 0);
    assert_int_equal(symlink(other, f.path), 0);
    assert_int_equal(loaded(&f, "pacs", 3000), 0);
    assert_non_null(strstr(f.reason, f.path));
    assert_int_equal(unlink(f.path), 0);
    assert_int_equal(mkfifo(f.path, 0600), 0);
    assert_int_equal(loaded(&f, "pacs", 3000), 0);
    assert_non_null(strstr(f.reason, "no regular file"));
    assert_int_equal(unlink(other), 0);
    teardown(&f);
}

static void test_save_that_fails_leaves_the_old_one(void **state)
{
    struct fixture f;
    struct store *store = new_store();
    char path[160];

    (void)state;
    setup(&f);
    (void)snprintf(path, sizeof path, "%s/none/answers", f.folder);
    assert_int_equal(file_save(store, path, "pacs", 3000, f.reason), TROLLEY_ERR_IO);
    assert_non_null(strstr(f.reason, "No such file or directory"));
    /* The place is a folder: the new file cannot take it, and does not stay beside it. */
    (void)snprintf(path, sizeof path, "%s/folder", f.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_save(store, path, "pacs", 3000, f.reason), TROLLEY_ERR_IO);
    assert_int_equal(rmdir(path), 0);
    store_free(store);
    assert_int_equal(loaded(&f, "pacs", 3000), 2);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_expired_answers_are_not_kept),
        cmocka_unit_test(test_no_file_is_no_warning),
        cmocka_unit_test(test_damage_is_noticed),
        cmocka_unit_test(test_files_that_are_not_trusted),
        cmocka_unit_test(test_save_that_fails_leaves_the_old_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
