/* The folder downloader. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "folder_fixture.h"

#include <cmocka.h>

/* A sink that compares each item with the file it stands for. */
struct taken {
    const struct folder_fixture *f;
    struct kit_buffer bytes;
    char name[64];
    int begun, ended, whole, failed, largest;
    uint64_t expected;
    int32_t begin_status, write_status, end_status, last_failure;
    bool equal; /* every whole item was its file, byte for byte */
    struct folder_fixture *cancel_on_write;
    void (*on_begin)(const struct folder_fixture *f);
};

static int32_t take_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    struct taken *taken = ctx;

    if (taken->begin_status < 0) return taken->begin_status;
    taken->begun++;
    (void)snprintf(taken->name, sizeof taken->name, "%s", meta->instance);
    assert_string_equal(meta->content_type, "application/dicom");
    assert_string_equal(meta->sop_class, "1.2.840.10008.5.1.4.1.1.7");
    assert_string_equal(meta->transfer_syntax, "1.2.840.10008.1.2.1");
    assert_true(meta->size_hint > 0);
    if (taken->on_begin) taken->on_begin(taken->f);
    kit_buffer_reset(&taken->bytes);
    *item = taken;
    return 0;
}

static int32_t take_write(void *item, const void *data, uint64_t length)
{
    struct taken *taken = item;

    if ((int)length > taken->largest) taken->largest = (int)length;
    if (taken->cancel_on_write) taken->cancel_on_write->cancelled = 1;
    if (taken->write_status < 0) return taken->write_status;
    return kit_buffer_append(&taken->bytes, data, length);
}

static bool is_file(const struct taken *taken)
{
    char path[256], *data = malloc(4 << 20);
    FILE *in;
    size_t n;
    bool equal;

    folder_path(taken->f, taken->name, path);
    in = fopen(path, "rb");
    assert_non_null(in);
    n = fread(data, 1, 4 << 20, in);
    (void)fclose(in);
    equal = n == taken->bytes.length && memcmp(data, taken->bytes.data, n) == 0;
    free(data);
    return equal;
}

static int32_t take_end(void *item, const struct trolley_failure *failure)
{
    struct taken *taken = item;

    taken->ended++;
    if (failure) taken->last_failure = failure->status;
    if (failure) return failure->status;
    taken->whole++;
    taken->equal = taken->equal && is_file(taken);
    return taken->end_status;
}

static int32_t take_failed(void *ctx, const struct trolley_ref *ref,
                           const struct trolley_failure *failure)
{
    struct taken *taken = ctx;

    assert_non_null(ref->study);
    assert_true(failure->message && *failure->message);
    taken->failed++;
    taken->last_failure = failure->status;
    return 0;
}

static int32_t take_expect(void *ctx, const struct trolley_ref *ref, uint64_t instances)
{
    (void)ref;
    ((struct taken *)ctx)->expected = instances;
    return 0;
}

/* Three instances, files named by UID; 1.1.1.2 is larger than a piece. */
static void three_files(struct folder_fixture *f)
{
    static const struct folder_file files[] = {
        {"1.1.1.1", "1.1", "1.1.1", "1.1.1.1", "A", NULL, "CT", NULL, NULL},
        {"1.1.1.2", "1.1", "1.1.1", "1.1.1.2", "A", NULL, "CT", NULL, NULL},
        {"1.1.2.1", "1.1", "1.1.2", "1.1.2.1", "A", NULL, "MR", NULL, NULL},
    };
    char *pixels = calloc(1, 700001), path[256];
    size_t i;

    folder_setup(f);
    for (i = 0; i < 700001; i++)
        pixels[i] = (char)(i * 7);
    for (i = 0; i < 3; i++) {
        struct kit_buffer data = {0};

        folder_dataset(&files[i], &data);
        dicom_put(&data, 0x7FE00010, "OB", pixels, i == 1 ? 700001 : 10);
        folder_path(f, files[i].path, path);
        dicom_save(path, &data);
        kit_buffer_free(&data);
    }
    free(pixels);
    assert_int_equal(folder_find_with(f, TROLLEY_LEVEL_STUDY, NULL, 0, NULL, 0), 0);
}

static int fetch(struct folder_fixture *f, struct taken *taken, const char *study,
                 const char *series, const char *instance)
{
    const struct trolley_downloader_ops *ops = f->downloader->ops;
    struct trolley_ref ref = {.size = sizeof ref,
                              .level = instance ? TROLLEY_LEVEL_INSTANCE
                                       : series ? TROLLEY_LEVEL_SERIES
                                                : TROLLEY_LEVEL_STUDY,
                              .study = study,
                              .series = series,
                              .instance = instance};
    struct trolley_span refs = {&ref, 1, sizeof ref};
    struct trolley_dataset_sink sink = {taken,    take_begin,  take_write,
                                        take_end, take_failed, take_expect};
    int r;

    taken->f = f;
    taken->equal = true;
    r = ops->fetch(f->self, &refs, &sink, &f->task);
    kit_buffer_free(&taken->bytes);
    assert_int_equal(taken->begun, taken->ended);
    return r;
}

static void test_levels(void **state)
{
    static const struct {
        const char *study, *series, *instance;
        int whole;
    } rows[] = {{"1.1", NULL, NULL, 3}, {"1.1", "1.1.1", NULL, 2}, {"1.1", "1.1.1", "1.1.1.2", 1}};
    struct folder_fixture f;
    size_t i;

    (void)state;
    three_files(&f);
    for (i = 0; i < 3; i++) {
        struct taken taken = {0};

        assert_int_equal(fetch(&f, &taken, rows[i].study, rows[i].series, rows[i].instance), 0);
        assert_int_equal(taken.whole, rows[i].whole);
        assert_int_equal(taken.expected, rows[i].instance ? 0 : rows[i].whole);
        assert_int_equal(taken.failed, 0);
        assert_int_equal(taken.largest, 256 << 10);
        assert_true(taken.equal);
    }
    folder_teardown(&f);
}

static void test_unknown(void **state)
{
    struct folder_fixture f;
    struct taken taken = {0};

    (void)state;
    three_files(&f);
    assert_int_equal(fetch(&f, &taken, "1.1", "1.1.1", "1.1.1.9"), 0);
    assert_int_equal(fetch(&f, &taken, "1.9", NULL, NULL), 0);
    assert_int_equal(taken.failed, 2);
    assert_int_equal(taken.begun, 0);
    assert_int_equal(taken.last_failure, TROLLEY_ERR_NOT_FOUND);
    folder_teardown(&f);
}

static void test_gone_and_changed(void **state)
{
    struct folder_fixture f;
    struct taken taken = {0};
    char gone[256], changed[256];
    FILE *out;

    (void)state;
    three_files(&f);
    folder_path(&f, "1.1.1.1", gone);
    folder_path(&f, "1.1.1.2", changed);
    assert_int_equal(unlink(gone), 0);
    out = fopen(changed, "ab");
    assert_int_equal(fputs("more", out) < 0, 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fetch(&f, &taken, "1.1", NULL, NULL), 0);
    assert_int_equal(taken.failed, 2);
    assert_int_equal(taken.whole, 1);
    assert_string_equal(taken.name, "1.1.2.1");
    folder_teardown(&f);
}

static void cut_file(const struct folder_fixture *f)
{
    char path[256];

    folder_path(f, "1.1.1.2", path);
    assert_int_equal(truncate(path, 300000), 0);
}

/* The file shrinks while it is read: the item ends broken, not short. */
static void test_changed_meanwhile(void **state)
{
    struct folder_fixture f;
    struct taken taken = {.on_begin = cut_file};

    (void)state;
    three_files(&f);
    assert_int_equal(fetch(&f, &taken, "1.1", "1.1.1", "1.1.1.2"), 0);
    assert_int_equal(taken.ended, 1);
    assert_int_equal(taken.whole, 0);
    assert_int_equal(taken.last_failure, TROLLEY_ERR_IO);
    folder_teardown(&f);
}

static void test_sink_refuses(void **state)
{
    struct folder_fixture f;
    struct taken no_begin = {.begin_status = TROLLEY_ERR_NO_SPACE},
                 no_write = {.write_status = TROLLEY_ERR_NO_SPACE},
                 no_end = {.end_status = TROLLEY_ERR_IO},
                 stop = {.write_status = TROLLEY_ERR_CANCELLED};

    (void)state;
    three_files(&f);
    assert_int_equal(fetch(&f, &no_begin, "1.1", NULL, NULL), 0);
    assert_int_equal(no_begin.begun, 0);
    assert_int_equal(fetch(&f, &no_write, "1.1", NULL, NULL), 0);
    assert_int_equal(no_write.ended, 3);
    assert_int_equal(no_write.last_failure, TROLLEY_ERR_NO_SPACE);
    assert_int_equal(fetch(&f, &no_end, "1.1", NULL, NULL), 0);
    assert_int_equal(no_end.ended, 3);
    assert_int_equal(fetch(&f, &stop, "1.1", NULL, NULL), TROLLEY_ERR_CANCELLED);
    assert_int_equal(stop.ended, 1);
    folder_teardown(&f);
}

static void test_cancelled(void **state)
{
    struct folder_fixture f;
    struct taken taken = {.cancel_on_write = &f};

    (void)state;
    three_files(&f);
    assert_int_equal(fetch(&f, &taken, "1.1", "1.1.1", "1.1.1.2"), TROLLEY_ERR_CANCELLED);
    assert_int_equal(taken.ended, 1);
    assert_int_equal(taken.whole, 0);
    folder_teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),           cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_gone_and_changed), cmocka_unit_test(test_changed_meanwhile),
        cmocka_unit_test(test_sink_refuses),     cmocka_unit_test(test_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
