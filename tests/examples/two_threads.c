/* two_threads.c: one INI file, two handles, two threads: one finds while the other fetches:
 * two_threads INI PATIENTID ROUNDS. A setup is shared, a trolley is one thread's at a time.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <trolley.h>

struct job {
    struct trolley_setup *setup;
    const char *patient;
    long rounds;
    atomic_ullong bytes; /* of all items: write comes from several workers */
    uint64_t found, fetched;
    struct trolley_error error;
    int status;
};

static int make_query(const struct job *job, struct trolley_query_builder **ret_query,
                      struct trolley_error *error)
{
    int r = trolley_query_new(ret_query, error);

    return r < 0 ? r : trolley_query_set(*ret_query, "PatientID", job->patient, error);
}

static void *find_main(void *arg)
{
    struct job *job = arg;
    struct trolley_query_builder *query = NULL;
    struct trolley *trolley = NULL;
    int r = trolley_get(job->setup, NULL, &trolley, &job->error);

    if (r == 0) r = make_query(job, &query, &job->error);
    if (r == 0) r = trolley_query_set_level(query, "instance", &job->error);
    for (long i = 0; r == 0 && i < job->rounds; i++) {
        struct trolley_find_result found = {0};

        r = trolley_find(trolley, query, NULL, NULL, &found, &job->error);
        job->found += trolley_tree_count(found.tree, TROLLEY_LEVEL_INSTANCE);
        trolley_tree_free(found.tree);
    }
    trolley_query_free(query);
    trolley_free(trolley);
    job->status = r;
    return NULL;
}

static int32_t count_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    (void)meta;
    *item = ctx;
    return 0;
}

static int32_t count_write(void *item, const void *data, uint64_t length)
{
    struct job *job = item;

    (void)data;
    atomic_fetch_add(&job->bytes, length);
    return 0;
}

static int32_t count_end(void *item, const struct trolley_meta *meta)
{
    struct job *job = item;

    if (meta) job->fetched++;
    return 0;
}

static void *fetch_main(void *arg)
{
    struct job *job = arg;
    const struct trolley_fetch_sink sink = {job, count_begin, count_write, count_end};
    struct trolley_download_options options = {0};
    struct trolley_query_builder *query = NULL;
    struct trolley *trolley = NULL;
    struct trolley_counts counts;
    int r = trolley_get(job->setup, NULL, &trolley, &job->error);

    if (r == 0) r = make_query(job, &query, &job->error);
    options.query = query;
    for (long i = 0; r == 0 && i < job->rounds; i++)
        r = trolley_fetch(trolley, &options, &sink, &counts, &job->error);
    trolley_query_free(query);
    trolley_free(trolley);
    job->status = r;
    return NULL;
}

int main(int argc, char **argv)
{
    struct trolley_error error;
    struct job finding = {0}, fetching = {0};
    pthread_t thread;

    if (argc != 4) return 2;
    if (trolley_setup_open(argv[1], &finding.setup, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    finding.patient = argv[2];
    finding.rounds = strtol(argv[3], NULL, 10);
    fetching.setup = finding.setup;
    fetching.patient = finding.patient;
    fetching.rounds = finding.rounds;
    if (pthread_create(&thread, NULL, find_main, &finding) != 0) return 1;
    (void)fetch_main(&fetching);
    (void)pthread_join(thread, NULL);
    printf("found %llu, fetched %llu instances, %llu bytes\n", (unsigned long long)finding.found,
           (unsigned long long)fetching.fetched, (unsigned long long)atomic_load(&fetching.bytes));
    if (finding.status < 0) fprintf(stderr, "find: %s\n", finding.error.message);
    if (fetching.status < 0) fprintf(stderr, "fetch: %s\n", fetching.error.message);
    trolley_setup_close(finding.setup);
    return finding.status < 0 || fetching.status < 0;
}
