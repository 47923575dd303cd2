/* The cache of the searcher `cached`: keys, answers, the store. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <trolley/helpers.h>

#include "plugins/cache/answer.h"
#include "plugins/cache/key.h"
#include "plugins/cache/store.h"

#include <cmocka.h>

/* ---- keys ---- */

#define KEYS_MAX 4

/* A query of TAG NAME VALUE triples. */
struct asked {
    struct trolley_query query;
    struct trolley_query_key keys[KEYS_MAX], fields[KEYS_MAX];
};

static const struct trolley_query_key study = {
    .size = sizeof study, .tag = 0x0020000d, .name = "StudyInstanceUID", .vr = "UI"};
static const struct trolley_query_key series = {
    .size = sizeof series, .tag = 0x0020000e, .name = "SeriesInstanceUID", .vr = "UI"};
static const struct trolley_query_key instance = {
    .size = sizeof instance, .tag = 0x00080018, .name = "SOPInstanceUID", .vr = "UI"};
static const struct trolley_query_key patient = {
    .size = sizeof patient, .tag = 0x00100020, .name = "PatientID", .vr = "LO"};

static void ask(struct asked *asked, const char *type, uint32_t level)
{
    memset(asked, 0, sizeof *asked);
    asked->query.size = sizeof asked->query;
    asked->query.type = type;
    asked->query.level = level;
    asked->query.keys = (struct trolley_span){asked->keys, 0, sizeof asked->keys[0]};
    asked->query.include_fields = (struct trolley_span){asked->fields, 0, sizeof asked->fields[0]};
}

/* `values` must outlive the query. */
static void ask_key(struct asked *asked, const struct trolley_query_key *key,
                    const char *const *values, uint32_t count)
{
    asked->keys[asked->query.keys.count] = *key;
    asked->keys[asked->query.keys.count++].values =
        (struct trolley_span){values, count, sizeof *values};
}

static void ask_field(struct asked *asked, const char *name)
{
    asked->fields[asked->query.include_fields.count++] =
        (struct trolley_query_key){.size = sizeof asked->fields[0], .name = name};
}

static char *text_of(const struct asked *asked, uint32_t widest)
{
    struct kit_buffer text = {0};

    assert_int_equal(key_text(&text, &asked->query, widest), 0);
    return kit_buffer_take(&text);
}

static bool same_text(const struct asked *a, const struct asked *b)
{
    char *x = text_of(a, TROLLEY_LEVEL_INSTANCE), *y = text_of(b, TROLLEY_LEVEL_INSTANCE);
    bool same = strcmp(x, y) == 0;

    free(x);
    free(y);
    return same;
}

static const char *const uid_1[] = {"1.2.3"}, *const uid_2[] = {"1.2.4"};
static const char *const both[] = {"1.2.3", "1.2.4"}, *const joined[] = {"1.2.3 5:1.2.4"};
static const char *const id[] = {"P1"};

static void test_order_makes_no_difference(void **state)
{
    struct asked a, b;

    (void)state;
    ask(&a, "query", TROLLEY_LEVEL_SERIES);
    ask_key(&a, &study, uid_1, 1);
    ask_key(&a, &patient, id, 1);
    ask_field(&a, "Modality");
    ask_field(&a, "StudyDate");
    ask(&b, "query", TROLLEY_LEVEL_SERIES);
    ask_key(&b, &patient, id, 1);
    ask_key(&b, &study, uid_1, 1);
    ask_field(&b, "StudyDate");
    ask_field(&b, "Modality");
    assert_true(same_text(&a, &b));
}

static void test_every_difference_counts(void **state)
{
    struct asked a, b;

    (void)state;
    ask(&a, "query", TROLLEY_LEVEL_SERIES);
    ask_key(&a, &study, uid_1, 1);
    ask(&b, "query", TROLLEY_LEVEL_STUDY);
    ask_key(&b, &study, uid_1, 1);
    assert_false(same_text(&a, &b));
    ask(&b, "extended", TROLLEY_LEVEL_SERIES);
    ask_key(&b, &study, uid_1, 1);
    assert_false(same_text(&a, &b));
    ask(&b, "query", TROLLEY_LEVEL_SERIES);
    ask_key(&b, &study, uid_2, 1);
    assert_false(same_text(&a, &b));
    ask_key(&a, &study, uid_2, 1);
    ask(&b, "query", TROLLEY_LEVEL_SERIES);
    ask_key(&b, &study, both, 2);
    assert_false(same_text(&a, &b));
    ask(&a, "query", TROLLEY_LEVEL_SERIES);
    ask_key(&a, &study, joined, 1);
    assert_false(same_text(&a, &b));
    b = a;
    b.query.keys.items = b.keys;
    b.query.include_fields.items = b.fields;
    assert_true(same_text(&a, &b));
    ask_field(&b, "Modality");
    assert_false(same_text(&a, &b));
    b.query.include_fields.count = 0;
    b.keys[0].path = "00400275.0020000D";
    assert_false(same_text(&a, &b));
}

static void test_objects(void **state)
{
    static const char *const wild[] = {"1.2.*"}, *const empty[] = {""};
    struct asked whole, part;
    char *x, *y;

    (void)state;
    ask(&whole, "query", TROLLEY_LEVEL_INSTANCE);
    ask_key(&whole, &study, uid_1, 1);
    ask(&part, "query", TROLLEY_LEVEL_INSTANCE);
    ask_key(&part, &study, uid_1, 1);
    ask_key(&part, &series, uid_2, 1);
    assert_true(key_names_object(&whole.query) && key_names_object(&part.query));
    x = text_of(&whole, TROLLEY_LEVEL_INSTANCE);
    y = text_of(&part, TROLLEY_LEVEL_STUDY);
    assert_string_equal(x, y);
    free(y);
    y = text_of(&part, TROLLEY_LEVEL_SERIES);
    assert_string_not_equal(x, y);
    free(x);
    free(y);
    ask_key(&part, &patient, id, 1);
    assert_false(key_names_object(&part.query));
    ask(&part, "query", TROLLEY_LEVEL_STUDY); /* which study has that series? */
    ask_key(&part, &study, uid_1, 1);
    ask_key(&part, &series, uid_2, 1);
    assert_false(key_names_object(&part.query));
    ask(&part, "query", TROLLEY_LEVEL_INSTANCE);
    ask_key(&part, &instance, uid_2, 1);
    assert_false(key_names_object(&part.query));
    ask_key(&part, &study, wild, 1);
    assert_false(key_names_object(&part.query));
    part.keys[1].values.items = empty;
    assert_false(key_names_object(&part.query));
    part.keys[1].values = (struct trolley_span){both, 2, sizeof both[0]};
    assert_false(key_names_object(&part.query));
    part.keys[1].values = (struct trolley_span){uid_1, 1, sizeof uid_1[0]};
    assert_true(key_names_object(&part.query));
}

/* ---- answers ---- */

/* Records as text: "LEVEL TAG/VR/FLAGS/CREATOR=value\value ...;". */
static int32_t write_record(void *ctx, const struct trolley_record *record)
{
    struct kit_buffer *out = ctx;

    (void)kit_buffer_printf(out, "%u", (unsigned)record->level);
    for (uint32_t i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        (void)kit_buffer_printf(out, " %08x/%s/%u/%s=", (unsigned)element->tag, element->vr,
                                (unsigned)element->flags,
                                element->private_creator ? element->private_creator : "");
        for (uint32_t j = 0; j < element->values.count; j++)
            (void)kit_buffer_printf(out, "%s\\", trolley_span_text(&element->values, j));
    }
    return kit_buffer_text(out, ";");
}

static void add_record(struct kit_buffer *answer, struct kit_buffer *expected,
                       const char *series_uid, uint32_t extra)
{
    static const char *const names[] = {"Yamada^Tarou=\xe5\xb1\xb1\xe7\x94\xb0", "", "x"};
    const char *uid = "1.2.3";
    struct trolley_element elements[40];
    const struct trolley_record record = {
        sizeof record, TROLLEY_LEVEL_SERIES, {elements, 4 + extra, sizeof elements[0]}};

    memset(elements, 0, sizeof elements);
    for (uint32_t i = 0; i < 4 + extra; i++) {
        elements[i] = (struct trolley_element){.size = sizeof elements[i],
                                               .tag = 0x00091010 + i,
                                               .private_creator = "ACME",
                                               .vr = "LO",
                                               .values = {names, i % 4, sizeof names[0]}};
    }
    elements[0] = (struct trolley_element){
        .size = sizeof elements[0], .tag = 0x0020000d, .vr = "UI", .values = {&uid, 1, sizeof uid}};
    elements[1] = (struct trolley_element){.size = sizeof elements[0],
                                           .tag = 0x0020000e,
                                           .vr = "UI",
                                           .values = {&series_uid, 1, sizeof series_uid}};
    elements[2] = (struct trolley_element){
        .size = sizeof elements[0], .tag = 0x00100010, .vr = "PN", .flags = TROLLEY_ELEMENT_NULL};
    assert_int_equal(answer_add(answer, &record), 0);
    if (expected) (void)write_record(expected, &record);
}

static void test_answer_comes_back_as_it_was(void **state)
{
    struct kit_buffer answer = {0}, expected = {0}, got = {0};
    const struct trolley_record_sink sink = {&got, write_record};

    (void)state;
    add_record(&answer, &expected, "1.2.3.1", 0);
    add_record(&answer, &expected, "1.2.3.2", 30);
    add_record(&answer, &expected, "1.2.3.3", 2);
    assert_int_equal(answer_deliver(answer.data, answer.length, NULL, &sink), 0);
    assert_string_equal(got.data, expected.data);
    kit_buffer_free(&answer);
    kit_buffer_free(&expected);
    kit_buffer_free(&got);
}

static void test_answer_about_a_part(void **state)
{
    struct answer_object object = {{NULL}};
    struct kit_buffer answer = {0}, expected = {0}, got = {0};
    const struct trolley_record_sink sink = {&got, write_record};

    (void)state;
    add_record(&answer, NULL, "1.2.3.1", 0);
    add_record(&answer, &expected, "1.2.3.2", 1);
    add_record(&answer, NULL, "1.2.3.20", 0);
    object.uids[TROLLEY_LEVEL_SERIES] = "1.2.3.2";
    assert_int_equal(answer_deliver(answer.data, answer.length, &object, &sink), 0);
    assert_string_equal(got.data, expected.data);
    kit_buffer_reset(&got);
    object.uids[TROLLEY_LEVEL_INSTANCE] = "1.2.3.2.1";
    assert_int_equal(answer_deliver(answer.data, answer.length, &object, &sink), 0);
    assert_int_equal(got.length, 0);
    kit_buffer_free(&answer);
    kit_buffer_free(&expected);
    kit_buffer_free(&got);
}

static int32_t refuse_second(void *ctx, const struct trolley_record *record)
{
    (void)record;
    return ++*(int *)ctx == 2 ? TROLLEY_ERR_CANCELLED : 0;
}

static void test_answer_stops_where_the_sink_does(void **state)
{
    struct kit_buffer answer = {0};
    int seen = 0;
    const struct trolley_record_sink sink = {&seen, refuse_second};

    (void)state;
    for (int i = 0; i < 5; i++)
        add_record(&answer, NULL, "1.2.3.1", 0);
    assert_int_equal(answer_deliver(answer.data, answer.length, NULL, &sink),
                     TROLLEY_ERR_CANCELLED);
    assert_int_equal(seen, 2);
    kit_buffer_free(&answer);
}

/* Cut anywhere, and with any byte changed: no answer, or one that is read within its bounds (which
 * the sanitizers watch), never more. */
static void test_damaged_answers(void **state)
{
    struct kit_buffer answer = {0}, got = {0};
    const struct trolley_record_sink sink = {&got, write_record};
    size_t first;

    (void)state;
    add_record(&answer, NULL, "1.2.3.1", 0);
    first = answer.length;
    add_record(&answer, NULL, "1.2.3.2", 3);
    for (size_t length = 0; length < answer.length; length++) {
        char *copy = malloc(length ? length : 1);

        assert_non_null(copy);
        memcpy(copy, answer.data, length);
        assert_int_equal(answer_deliver(copy, length, NULL, NULL),
                         length == 0 || length == first ? 0 : TROLLEY_ERR_PROTOCOL);
        free(copy);
    }
    for (size_t at = 0; at < answer.length; at++) {
        char *copy = malloc(answer.length);
        int r;

        assert_non_null(copy);
        memcpy(copy, answer.data, answer.length);
        copy[at] = (char)(copy[at] ^ 0xff);
        kit_buffer_reset(&got);
        r = answer_deliver(copy, answer.length, NULL, &sink);
        assert_true(r == 0 || r == TROLLEY_ERR_PROTOCOL);
        free(copy);
    }
    kit_buffer_free(&answer);
    kit_buffer_free(&got);
}

static void test_answer_over_its_cap_has_whole_records(void **state)
{
    struct kit_buffer answer = {.cap = 700}, got = {0};
    const struct trolley_record_sink sink = {&got, write_record};
    static const char *const uid = "1.2.3";
    const struct trolley_element element = {
        .size = sizeof element, .tag = 0x0020000d, .vr = "UI", .values = {&uid, 1, sizeof uid}};
    const struct trolley_record record = {
        sizeof record, TROLLEY_LEVEL_STUDY, {&element, 1, sizeof element}};
    int r = 0, count = 0;

    (void)state;
    while (r == 0 && count++ < 1000)
        r = answer_add(&answer, &record);
    assert_int_equal(r, TROLLEY_ERR_TOO_LARGE);
    assert_int_equal(answer_deliver(answer.data, answer.length, NULL, &sink), 0);
    kit_buffer_free(&answer);
    kit_buffer_free(&got);
}

/* ---- the store ---- */

static bool holds(struct store *store, const char *key, const char *answer, int64_t now_ms)
{
    struct store_entry *entry = store_find(store, key, strlen(key), now_ms);
    bool same;

    if (!entry) return answer == NULL;
    same = answer && entry->answer_length == strlen(answer) &&
           memcmp(entry->answer, answer, entry->answer_length) == 0;
    store_release(store, entry);
    return same;
}

static void put(struct store *store, const char *key, const char *answer, int64_t now_ms)
{
    assert_int_equal(store_add(store, key, strlen(key), answer, strlen(answer), now_ms), 0);
}

static void test_store_expires(void **state)
{
    struct store *store;

    (void)state;
    assert_int_equal(store_new(600000, 1 << 20, &store), 0);
    put(store, "a", "old", 1000000);
    assert_true(holds(store, "a", "old", 1000000));
    assert_true(holds(store, "a", "old", 1599999));
    assert_true(holds(store, "b", NULL, 1000000));
    assert_true(holds(store, "a", NULL, 1600000));
    put(store, "a", "new", 1700000);
    put(store, "a", "newer", 1700001);
    assert_true(holds(store, "a", "newer", 1700002));
    assert_true(holds(store, "a", NULL, 1700000)); /* a clock that was set back */
    store_free(store);
}

static void test_store_is_bounded(void **state)
{
    struct store *store;
    struct store_entry *kept;
    char key[32], large[20000];
    int held = 0;

    (void)state;
    memset(large, 'x', sizeof large);
    assert_int_equal(store_new(1000, 100000, &store), 0);
    put(store, "first", "first", 0);
    kept = store_find(store, "first", 5, 0);
    assert_non_null(kept);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "key %d", i);
        assert_int_equal(store_add(store, key, strlen(key), large, 1000, 0), 0);
    }
    for (int i = 0; i < 1000; i++) {
        struct store_entry *entry;

        (void)snprintf(key, sizeof key, "key %d", i);
        entry = store_find(store, key, strlen(key), 0);
        if (!entry) {
            assert_int_equal(held, 0); /* the oldest go first */
            continue;
        }
        held++;
        store_release(store, entry);
    }
    assert_in_range(held, 50, 99);
    assert_true(holds(store, "first", NULL, 0));
    assert_string_equal(kept->answer, "first"); /* who uses it keeps it */
    store_release(store, kept);
    for (int i = 0; i < 6; i++) {
        (void)snprintf(key, sizeof key, "large %d", i);
        assert_int_equal(store_add(store, key, strlen(key), large, sizeof large, 0), 0);
    }
    assert_true(holds(store, "large 0", NULL, 0));
    store_free(store);
    assert_int_equal(store_new(1000, 10000, &store), 0);
    put(store, "small", "small", 0);
    assert_int_equal(store_add(store, "large", 5, large, sizeof large, 0), 0);
    assert_true(holds(store, "large", NULL, 0));
    assert_true(holds(store, "small", "small", 0));
    store_free(store);
}

static void *use_store(void *arg)
{
    struct store *store = arg;
    char key[32];

    for (int i = 0; i < 20000; i++) {
        struct store_entry *entry;

        (void)snprintf(key, sizeof key, "key %d", i * 7 % 50);
        entry = store_find(store, key, strlen(key), 0);
        if (entry) {
            if (entry->answer_length != strlen(key) ||
                memcmp(entry->answer, key, entry->answer_length) != 0)
                return arg;
            store_release(store, entry);
        } else if (store_add(store, key, strlen(key), key, strlen(key), 0) < 0) {
            return arg;
        }
    }
    return NULL;
}

static void test_store_of_several_threads(void **state)
{
    struct store *store;
    pthread_t threads[4];
    void *failed;

    (void)state;
    assert_int_equal(store_new(1000, 3000, &store), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_store, store), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_makes_no_difference),
        cmocka_unit_test(test_every_difference_counts),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_answer_comes_back_as_it_was),
        cmocka_unit_test(test_answer_about_a_part),
        cmocka_unit_test(test_answer_stops_where_the_sink_does),
        cmocka_unit_test(test_damaged_answers),
        cmocka_unit_test(test_answer_over_its_cap_has_whole_records),
        cmocka_unit_test(test_store_expires),
        cmocka_unit_test(test_store_is_bounded),
        cmocka_unit_test(test_store_of_several_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
