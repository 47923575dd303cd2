/*
 * library_contract.c: what trolley.h promises when things go wrong; driven by test_library.py.
 *   offline INI                  arguments, out-parameters, NULL
 *   stop INI WHERE VALUE         a callback that returns VALUE at its first call of WHERE
 *   cancel INI                   trolley_setup_cancel from another thread
 *   dry INI                      a rehearsal
 * Prints what the test wants to know; exits with 1 when a promise is broken.
 * SPDX-License-Identifier: MIT
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley.h>
#include <trolley/helpers.h>
#include <unistd.h>

#define CHECK(condition)                                           \
    do {                                                           \
        if (!(condition)) {                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            (void)fflush(NULL);                                    \
            _exit(1); /* it may be a worker's thread */            \
        }                                                          \
    } while (0)

/* Addresses that no function returns: an out-parameter still has it, or was written. */
static char untouched[1];
#define UNTOUCHED ((void *)untouched)

static void check_frees(void)
{
    trolley_setup_close(NULL);
    trolley_free(NULL);
    trolley_query_free(NULL);
    trolley_tree_free(NULL);
    trolley_text_free(NULL);
    CHECK(!trolley_tree_first(NULL) && !trolley_node_next(NULL) && !trolley_node_parent(NULL));
    CHECK(!trolley_node_first_child(NULL) && !trolley_node_uid(NULL) && !trolley_node_level(NULL));
    CHECK(!trolley_tree_study(NULL, "1.2") && !trolley_node_child(NULL, "1.2"));
    CHECK(!trolley_node_text(NULL, 0x00100010, 0) && !trolley_node_element(NULL, 0));
    CHECK(trolley_tree_count(NULL, TROLLEY_LEVEL_STUDY) == 0);
}

static void check_setup(const char *missing)
{
    struct trolley_setup *setup = UNTOUCHED;
    struct trolley_error error = {0};

    CHECK(trolley_setup_open(missing, &setup, &error) < 0);
    CHECK(setup == UNTOUCHED && error.status < 0 && strstr(error.message, missing));
    CHECK(trolley_setup_open(missing, &setup, NULL) == error.status && setup == UNTOUCHED);
}

static void check_get(struct trolley_setup *setup)
{
    struct trolley *trolley = UNTOUCHED;
    struct trolley_parts parts = {.searcher = "nobody"};
    struct trolley_error error = {0};

    CHECK(trolley_get(setup, "nobody", &trolley, &error) == TROLLEY_ERR_INVALID_CONFIG);
    CHECK(trolley == UNTOUCHED && strstr(error.message, "[trolley nobody]"));
    CHECK(trolley_get(setup, "nobody", &trolley, NULL) == TROLLEY_ERR_INVALID_CONFIG);
    CHECK(trolley_compose(setup, &parts, &trolley, &error) == TROLLEY_ERR_INVALID_CONFIG);
    CHECK(trolley == UNTOUCHED && strstr(error.message, "[searcher nobody]"));
    parts.searcher = NULL;
    parts.expander = "nobody";
    CHECK(trolley_compose(setup, &parts, &trolley, NULL) == TROLLEY_ERR_INVALID_CONFIG);
    parts.expander = NULL;
    parts.storage = "nobody";
    CHECK(trolley_compose(setup, &parts, &trolley, &error) == TROLLEY_ERR_INVALID_CONFIG);
    CHECK(trolley == UNTOUCHED && strstr(error.message, "[storage nobody]"));
}

static void check_query(void)
{
    struct trolley_query_builder *query;
    struct trolley_error error = {0};
    uint32_t tag = 4711;

    CHECK(trolley_query_new(&query, NULL) == 0);
    CHECK(trolley_query_set(query, "PatientNane", "x", &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(strstr(error.message, "PatientName"));
    CHECK(trolley_query_set(query, "StudyDate", "20200231", NULL) == TROLLEY_ERR_INVALID_ARG);
    CHECK(trolley_query_set(query, "PatientID", "\xff", NULL) == TROLLEY_ERR_INVALID_ARG);
    CHECK(trolley_query_set(query, "PatientID", "P", NULL) == 0);
    CHECK(trolley_query_set(query, "PatientID", "P", NULL) == TROLLEY_ERR_INVALID_ARG);
    CHECK(trolley_query_set_level(query, "image", NULL) == TROLLEY_ERR_INVALID_ARG);
    CHECK(trolley_query_include(query, "Rowz", NULL) == TROLLEY_ERR_INVALID_ARG);
    CHECK(trolley_parse_attribute("Rowz", &tag, &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(tag == 4711 && strstr(error.message, "Rows"));
    trolley_query_free(query);
}

static int32_t take_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    (void)meta;
    *item = ctx;
    return 0;
}

static int32_t take_write(void *item, const void *data, uint64_t length)
{
    (void)item;
    (void)data;
    (void)length;
    return 0;
}

static int32_t take_end(void *item, const struct trolley_meta *meta)
{
    (void)item;
    (void)meta;
    return 0;
}

static const struct trolley_fetch_sink taking = {NULL, take_begin, take_write, take_end};

/* Jobs that are refused before anything is asked. */
static void check_jobs(struct trolley *trolley)
{
    static const struct trolley_storage_ops half = {.size = sizeof half};
    const struct trolley_fetch_sink no_end = {NULL, take_begin, take_write, NULL};
    struct trolley_query_builder *query;
    struct trolley_download_options options = {0};
    struct trolley_counts counts;
    struct trolley_error error = {0};
    struct trolley_ref ref;

    CHECK(trolley_query_new(&query, NULL) == 0);
    CHECK(trolley_ref_make("1.2.3", NULL, NULL, &ref, NULL) == 0);
    CHECK(trolley_download(trolley, &options, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(strstr(error.message, "nothing says"));
    options.query = query;
    options.refs = (struct trolley_span){&ref, 1, sizeof ref};
    CHECK(trolley_download(trolley, &options, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(strstr(error.message, "more than one"));
    options.query = NULL;
    options.storage = &half;
    CHECK(trolley_download(trolley, &options, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(strstr(error.message, "commit"));
    options.output = "out";
    CHECK(trolley_download(trolley, &options, &counts, NULL) == TROLLEY_ERR_INVALID_ARG);
    options.storage = NULL;
    CHECK(trolley_fetch(trolley, &options, &taking, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    options.output = NULL;
    options.flags = TROLLEY_DOWNLOAD_VERIFY;
    CHECK(trolley_fetch(trolley, &options, &taking, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    options.flags = 0;
    CHECK(trolley_fetch(trolley, &options, &no_end, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(trolley_fetch(trolley, &options, &no_end, NULL, NULL) == TROLLEY_ERR_INVALID_ARG);
    ref.size = 4;
    CHECK(trolley_download(trolley, &options, NULL, NULL) < 0);
    CHECK(trolley_fetch(trolley, &options, &taking, &counts, &error) == TROLLEY_ERR_INVALID_ARG);
    CHECK(strstr(error.message, "trolley_ref_make"));
    ref.size = sizeof ref;
    ref.study = "../../etc/passwd";
    CHECK(trolley_fetch(trolley, &options, &taking, &counts, NULL) == TROLLEY_ERR_INVALID_ARG);
    CHECK(counts.stored == 0 && counts.missing == 0);
    trolley_query_free(query);
}

/* Parts that a call needs and this trolley has not. */
static void check_lacks(struct trolley_setup *setup)
{
    struct trolley_find_result found = {.dropped = 4711};
    const struct trolley_parts none = {0};
    struct trolley_download_options options = {0};
    struct trolley_query_builder *query;
    struct trolley_counts counts;
    struct trolley_error error = {0};
    struct trolley *trolley;

    CHECK(trolley_compose(setup, &none, &trolley, NULL) == 0);
    CHECK(trolley_query_new(&query, NULL) == 0);
    CHECK(trolley_find(trolley, query, NULL, NULL, &found, &error) == TROLLEY_ERR_INVALID_CONFIG);
    CHECK(strstr(error.message, "without a searcher"));
    CHECK(found.dropped == 0 && found.tree && !trolley_tree_first(found.tree));
    trolley_tree_free(found.tree);
    options.query = query;
    CHECK(trolley_download(trolley, &options, &counts, &error) == TROLLEY_ERR_INVALID_CONFIG);
    CHECK(strstr(error.message, "without a downloader"));
    trolley_query_free(query);
    trolley_free(trolley);
}

static int offline(const char *ini)
{
    struct trolley_setup *setup;
    struct trolley *trolley;

    check_frees();
    check_setup("/nonexistent/trolley.ini");
    check_query();
    CHECK(trolley_setup_open(ini, &setup, NULL) == 0);
    check_get(setup);
    check_lacks(setup);
    CHECK(trolley_get(setup, NULL, &trolley, NULL) == 0);
    check_jobs(trolley);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return 0;
}

/* ---- a sink that stops */

struct stopper {
    const char *where;
    int32_t value;
    atomic_int begun, open, whole, broken;
};

static int32_t stop_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    struct stopper *stopper = ctx;

    (void)meta;
    atomic_fetch_add(&stopper->begun, 1);
    if (strcmp(stopper->where, "begin") == 0) return stopper->value;
    atomic_fetch_add(&stopper->open, 1);
    *item = stopper;
    return 0;
}

static int32_t stop_write(void *item, const void *data, uint64_t length)
{
    struct stopper *stopper = item;

    CHECK(data && length > 0);
    return strcmp(stopper->where, "write") == 0 ? stopper->value : 0;
}

static int32_t stop_end(void *item, const struct trolley_meta *meta)
{
    struct stopper *stopper = item;

    atomic_fetch_sub(&stopper->open, 1);
    if (!meta) {
        atomic_fetch_add(&stopper->broken, 1);
        return -4711; /* not looked at */
    }
    CHECK(meta->study && meta->series && meta->instance && meta->size_hint > 0);
    atomic_fetch_add(&stopper->whole, 1);
    return strcmp(stopper->where, "end") == 0 ? stopper->value : 0;
}

static int stop(const char *ini, const char *where, int32_t value)
{
    struct stopper stopper = {.where = where, .value = value};
    const struct trolley_fetch_sink sink = {&stopper, stop_begin, stop_write, stop_end};
    struct trolley_download_options options = {0};
    struct trolley_query_builder *query;
    struct trolley_counts counts;
    struct trolley_error error = {0};
    struct trolley_setup *setup;
    struct trolley *trolley;
    int r;

    CHECK(trolley_setup_open(ini, &setup, NULL) == 0 &&
          trolley_get(setup, NULL, &trolley, NULL) == 0);
    CHECK(trolley_query_new(&query, NULL) == 0);
    CHECK(trolley_query_set(query, "PatientID", "PHANTOM", NULL) == 0);
    options.query = query;
    r = trolley_fetch(trolley, &options, &sink, &counts, &error);
    CHECK(r == value && error.status == value);
    CHECK(atomic_load(&stopper.open) == 0); /* each begun item had its end */
    CHECK(counts.stored + counts.missing + counts.failed == counts.expected);
    CHECK(counts.stored <= (uint64_t)atomic_load(&stopper.whole));
    printf("begun %d whole %d broken %d stored %llu expected %llu\n", atomic_load(&stopper.begun),
           atomic_load(&stopper.whole), atomic_load(&stopper.broken),
           (unsigned long long)counts.stored, (unsigned long long)counts.expected);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return 0;
}

/* ---- cancelled */

static void *cancel_later(void *setup)
{
    const struct timespec half = {0, 500 * 1000000L};

    nanosleep(&half, NULL);
    trolley_setup_cancel(setup);
    return NULL;
}

/* A fetch from a server that never answers: only the other thread can end it. */
static int cancel(const char *ini)
{
    struct trolley_download_options options = {0};
    struct trolley_counts counts;
    struct trolley_error error = {0};
    struct trolley_setup *setup;
    struct trolley *trolley;
    struct trolley_ref ref;
    pthread_t thread;

    CHECK(trolley_setup_open(ini, &setup, NULL) == 0 &&
          trolley_get(setup, NULL, &trolley, NULL) == 0);
    CHECK(trolley_ref_make("1.2.3", NULL, NULL, &ref, NULL) == 0);
    options.refs = (struct trolley_span){&ref, 1, sizeof ref};
    CHECK(pthread_create(&thread, NULL, cancel_later, setup) == 0);
    CHECK(trolley_fetch(trolley, &options, &taking, &counts, &error) == TROLLEY_ERR_CANCELLED);
    CHECK(error.status == TROLLEY_ERR_CANCELLED && counts.stored == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    /* It stays so: later calls end at once. */
    CHECK(trolley_fetch(trolley, &options, &taking, &counts, &error) == TROLLEY_ERR_CANCELLED);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return 0;
}

/* A dry run fetches nothing and says what it would request. */
static void dry_remark(void *ctx, const struct trolley_remark *remark)
{
    if (strstr(remark->message, "would request")) ++*(int *)ctx;
}

static int dry(const char *ini)
{
    struct stopper stopper = {.where = "begin", .value = TROLLEY_ERR_INTERNAL};
    const struct trolley_fetch_sink sink = {&stopper, stop_begin, stop_write, stop_end};
    struct trolley_download_options options = {.flags = TROLLEY_DOWNLOAD_DRY_RUN,
                                               .remark = dry_remark};
    struct trolley_query_builder *query;
    struct trolley_counts counts;
    struct trolley_error error = {0};
    struct trolley_setup *setup;
    struct trolley *trolley;
    int requests = 0;

    CHECK(trolley_setup_open(ini, &setup, NULL) == 0 &&
          trolley_get(setup, NULL, &trolley, NULL) == 0);
    CHECK(trolley_query_new(&query, NULL) == 0);
    CHECK(trolley_query_set(query, "PatientID", "PHANTOM", NULL) == 0);
    options.query = query;
    options.ctx = &requests;
    CHECK(trolley_fetch(trolley, &options, &sink, &counts, &error) == 0);
    CHECK(atomic_load(&stopper.begun) == 0 && requests > 0);
    printf("%d requests for %llu instances\n", requests, (unsigned long long)counts.expected);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "offline") == 0) return offline(argv[2]);
    if (argc == 5 && strcmp(argv[1], "stop") == 0)
        return stop(argv[2], argv[3], (int32_t)strtol(argv[4], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "cancel") == 0) return cancel(argv[2]);
    if (argc == 3 && strcmp(argv[1], "dry") == 0) return dry(argv[2]);
    return 2;
}
