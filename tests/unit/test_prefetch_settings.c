/* SPDX-License-Identifier: MIT */
#include "tests/unit/config_fixture.h"

#include <stdio.h>
#include <string.h>

#include "core/prefetch/paths.h"
#include "core/prefetch/schedule.h"
#include "core/prefetch/settings.h"

#define MINUTE INT64_C(60000)
#define BACKENDS                                            \
    "[searcher pacs]\ntype = qido-rs\nurl = http://pacs\n"  \
    "[storage a]\ntype = template\npath = /var/a\n"         \
    "path_format = {0020000D}/{00080018}.jpeg\n"            \
    "[storage b]\ntype = template\npath = /var/b\n"         \
    "path_format = {0020000D}/{00080018}/{00081160}.jpeg\n" \
    "[storage c]\ntype = tree\npath = /var/c\n"

static struct trolley_setup *setup;

/* The settings of `text`, which come to no harm; dropped by drop(). */
static struct prefetch_settings *load(const char *text)
{
    struct prefetch_settings *settings = NULL;
    struct trolley_error error = {0};

    assert_int_equal(
        trolley_setup_open(fixture_write("p.ini", text, strlen(text), 0600), &setup, &error), 0);
    if (prefetch_settings_load(setup, &settings, &error) < 0) fail_msg("%s", error.message);
    return settings;
}

static void drop(struct prefetch_settings *settings)
{
    prefetch_settings_free(settings);
    trolley_setup_close(setup);
}

/* Why `text` is refused, behind the path; valid until the next call. */
static const char *refuse(const char *text)
{
    static struct trolley_error error;
    struct prefetch_settings *settings = NULL;
    const char *path = fixture_write("p.ini", text, strlen(text), 0600);

    memset(&error, 0, sizeof error);
    if (trolley_setup_open(path, &setup, &error) < 0) return error.message + strlen(path) + 1;
    if (prefetch_settings_load(setup, &settings, &error) == 0) fail_msg("was taken: %s", text);
    assert_null(settings);
    assert_int_equal(error.status, TROLLEY_ERR_INVALID_CONFIG);
    trolley_setup_close(setup);
    return error.message + strlen(fixture_directory()) + strlen("/p.ini") + 1;
}

/* The example of the documentation, in trolley's own words. */
static const char own_words[] =
    "[prefetch]\nstate_dir = state\non_download = yes\n" BACKENDS
    "[rule Cache WADO JPEG]\nentity = Series\nexporter = JPEG, Meta\ndelay = PT1M\n"
    "max_delay = 10m\njitter = 5s\ncondition = Modality=CT|MR\ncondition = StudyDescription!=\n"
    "schedule = hour=18-6\nschedule = dayOfWeek=0,6\nreoccurred = never\n"
    "export_previous_entity = yes\n"
    "[exporter JPEG]\n"
    "uri = wado:http://proxy/wado?studyUID=[0]&seriesUID=[1]&objectUID=[2]&frameNumber=[3]\n"
    "url.1 = http://proxy/wado?studyUID=[0]&objectUID=[2]&rows=64\n"
    "url.2 = wado:http://proxy/x/[0]/\n"
    "accept = image/jpeg\naccept.2 = application/json\ncache_control = no-cache\n"
    "cache_control.1 =\naccept_encoding.2 = gzip\n"
    "queue = Export2\nstorage = b\nstorage.1 = a\nstorage.2 = c\nsearcher = pacs\n"
    "schedule = hour=1-2\nignore_not_found = yes\nparallel_requests = 7\nmax_bytes = 10MB\n"
    "retry_scope = all\nverify_unique = warn\nheader = X-A: 1\nheader = X-B: 2\n"
    "[exporter Meta]\nuri = WADO:http://proxy/rs/studies/[0]/metadata\n"
    "[queue Export2]\nmax_parallel = 4\nmax_retries = 10\nretry_delay = PT30S\n"
    "retry_multiplier = 200\nmax_retry_delay = PT10M\nretry_on_warning = yes\n"
    "schedule = hour=20-22\npurge_completed = 1d\npurge_failed = 7d\n"
    "[watch new]\nsearcher = pacs\nquery = StudyDate=today\nquery = ModalitiesInStudy=CT\n"
    "interval = PT5M\ndetect = uids\nbaseline = export\n";

static void check_exporter(const struct prefetch_exporter *exporter)
{
    assert_string_equal(exporter->id, "JPEG");
    assert_string_equal(exporter->searcher, "pacs");
    assert_string_equal(exporter->queue->name, "Export2");
    assert_true(exporter->ignore_not_found && exporter->retry_all && exporter->verify_unique);
    assert_int_equal(exporter->parallel_requests, 7);
    assert_int_equal(exporter->max_bytes, 10000000);
    assert_non_null(exporter->schedule);
    assert_int_equal(exporter->url_count, 3);
    assert_string_equal(exporter->urls[0].text, "http://proxy/wado?studyUID=[0]&seriesUID=[1]&"
                                                "objectUID=[2]&frameNumber=[3]");
    assert_int_equal(exporter->urls[0].grain, PREFETCH_GRAIN_FRAME);
    assert_string_equal(exporter->urls[0].accept, "image/jpeg");
    assert_string_equal(exporter->urls[0].cache_control, "no-cache");
    assert_string_equal(exporter->urls[0].storage, "b");
    assert_null(exporter->urls[0].accept_encoding);
    assert_int_equal(exporter->urls[1].grain, PREFETCH_GRAIN_INSTANCE);
    assert_string_equal(exporter->urls[1].accept, "image/jpeg");
    assert_null(exporter->urls[1].cache_control); /* empty: not sent */
    assert_string_equal(exporter->urls[1].storage, "a");
    assert_string_equal(exporter->urls[2].text, "http://proxy/x/[0]/"); /* the slash stays */
    assert_int_equal(exporter->urls[2].grain, PREFETCH_GRAIN_STUDY);
    assert_string_equal(exporter->urls[2].accept, "application/json");
    assert_string_equal(exporter->urls[2].cache_control, "no-cache");
    assert_string_equal(exporter->urls[2].accept_encoding, "gzip");
    assert_string_equal(exporter->urls[2].storage, "c");
}

static void check_queues(const struct prefetch_settings *settings)
{
    const struct prefetch_queue *queue = &settings->queues[0];

    assert_int_equal(settings->queue_count, 2);
    assert_string_equal(queue->name, "Export2");
    assert_int_equal(queue->max_parallel, 4);
    assert_int_equal(queue->max_retries, 10);
    assert_int_equal(queue->retry_delay_ms, MINUTE / 2);
    assert_int_equal(queue->retry_multiplier, 200);
    assert_int_equal(queue->max_retry_delay_ms, 10 * MINUTE);
    assert_true(queue->retry_on_warning);
    assert_non_null(queue->schedule);
    assert_int_equal(queue->purge_completed_ms, 24 * 60 * MINUTE);
    assert_int_equal(queue->purge_warning_ms, -1);
    assert_int_equal(queue->purge_failed_ms, 7 * 24 * 60 * MINUTE);
    assert_int_equal(queue->purge_canceled_ms, -1);
    /* The queue of who names none. */
    queue = settings->exporters[1].queue;
    assert_string_equal(queue->name, "default");
    assert_int_equal(queue->max_parallel, 1);
    assert_int_equal(queue->max_retries, 0);
    assert_int_equal(queue->retry_delay_ms, MINUTE);
    assert_int_equal(queue->retry_multiplier, 100);
    assert_int_equal(queue->max_retry_delay_ms, 0);
    assert_false(queue->retry_on_warning);
    assert_null(queue->schedule);
}

static void test_everything(void **state)
{
    struct prefetch_settings *settings = load(own_words);
    const struct prefetch_rule *rule = &settings->rules[0];
    char dir[128];

    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/state", fixture_directory());
    assert_string_equal(settings->state_dir, dir);
    assert_true(settings->on_download);
    assert_int_equal(settings->rule_count, 1);
    assert_string_equal(rule->name, "Cache WADO JPEG");
    assert_int_equal(rule->entity, PREFETCH_SERIES);
    assert_int_equal(rule->delay_ms, MINUTE);
    assert_int_equal(rule->max_delay_ms, 10 * MINUTE);
    assert_int_equal(rule->jitter_ms, 5000);
    assert_non_null(rule->conditions);
    assert_non_null(rule->schedule);
    assert_int_equal(rule->reoccurred, PREFETCH_NEVER);
    assert_true(rule->export_previous_entity);
    assert_int_equal(rule->exporter_count, 2);
    assert_ptr_equal(rule->exporters[0], &settings->exporters[0]);
    assert_ptr_equal(rule->exporters[1], prefetch_exporter_get(settings, "Meta"));
    assert_null(prefetch_exporter_get(settings, "meta"));
    check_exporter(&settings->exporters[0]);
    check_queues(settings);
    assert_int_equal(settings->watch_count, 1);
    assert_string_equal(settings->watches[0].name, "new");
    assert_string_equal(settings->watches[0].searcher, "pacs");
    assert_int_equal(settings->watches[0].query_count, 2);
    assert_string_equal(settings->watches[0].query[1], "ModalitiesInStudy=CT");
    assert_int_equal(settings->watches[0].interval_ms, 5 * MINUTE);
    assert_true(settings->watches[0].detect_uids && settings->watches[0].baseline_export);
    drop(settings);
}

/* The same in dcm4chee's words, as its LDAP has them. */
static void test_ldap_names(void **state)
{
    static const char ldap[] =
        BACKENDS "[rule r]\ndcmEntity = Series\ndcmExporterID = WADO\ndcmDuration = PT1M\n"
                 "dcmProperty = Modality=CT\ndcmSchedule = hour=18-6 dayOfWeek=*\n"
                 "dcmExportReoccurredInstances = NEVER\ndcmExportPreviousEntity = TRUE\n"
                 "[exporter WADO]\n"
                 "dcmURI = wado:http://proxy/wado?o=[2]&f=[3]&contentType=image/jpeg\n"
                 "dcmQueueName = Export2\ndcmSchedule = hour=*\n"
                 "dcmProperty = Cache-Control=no-cache\ndcmProperty = Accept=image/jpeg\n"
                 "dcmProperty = StorageID=a\ndcmProperty = StorageID.1=b\n"
                 "dcmProperty = URL.1=http://proxy/wado?o=[2]&f=[3]&rows=64\n"
                 "dcmProperty = Accept-Encoding.1=gzip\nsearcher = pacs\n"
                 "[queue Export2]\ndcmMaxTasksParallel = 2\ndcmMaxRetries = 10\n"
                 "dcmRetryDelay = PT30S\ndcmRetryDelayMultiplier = 200\ndcmMaxRetryDelay = PT10M\n"
                 "dcmRetryOnWarning = FALSE\ndcmPurgeQueueMessageCompletedDelay = P1D\n"
                 "dcmPurgeTaskFailedDelay = P7D\n";
    struct prefetch_settings *settings = load(ldap);
    const struct prefetch_exporter *exporter = settings->rules[0].exporters[0];

    (void)state;
    assert_int_equal(settings->rules[0].entity, PREFETCH_SERIES);
    assert_int_equal(settings->rules[0].delay_ms, MINUTE);
    assert_int_equal(settings->rules[0].reoccurred, PREFETCH_NEVER);
    assert_true(settings->rules[0].export_previous_entity);
    assert_non_null(settings->rules[0].conditions);
    assert_string_equal(exporter->urls[0].text,
                        "http://proxy/wado?o=[2]&f=[3]&contentType=image/jpeg");
    assert_string_equal(exporter->urls[0].storage, "a");
    assert_string_equal(exporter->urls[1].text, "http://proxy/wado?o=[2]&f=[3]&rows=64");
    assert_string_equal(exporter->urls[1].storage, "b");
    assert_string_equal(exporter->urls[1].accept, "image/jpeg");
    assert_string_equal(exporter->urls[1].cache_control, "no-cache");
    assert_null(exporter->urls[0].accept_encoding);
    assert_string_equal(exporter->urls[1].accept_encoding, "gzip");
    assert_int_equal(exporter->queue->max_parallel, 2);
    assert_int_equal(exporter->queue->max_retry_delay_ms, 10 * MINUTE);
    assert_int_equal(exporter->queue->purge_completed_ms, 24 * 60 * MINUTE);
    assert_int_equal(exporter->queue->purge_failed_ms, 7 * 24 * 60 * MINUTE);
    drop(settings);
}

static void test_nothing(void **state)
{
    struct prefetch_settings *settings = load("[settings]\n");

    (void)state;
    assert_string_equal(settings->state_dir, "/var/lib/trolley/prefetch");
    assert_false(settings->on_download);
    assert_int_equal(settings->rule_count + settings->exporter_count + settings->watch_count, 0);
    assert_int_equal(settings->queue_count, 1);
    drop(settings);
    settings = load("[queue default]\nmax_parallel = 3\n[exporter e]\nuri = http://x/[0]\n");
    assert_int_equal(settings->queue_count, 1);
    assert_int_equal(settings->exporters[0].queue->max_parallel, 3);
    drop(settings);
    prefetch_settings_free(NULL);
}

static void test_faults(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[prefetch x]\n", "1: [prefetch] takes no name"},
        {"[rule]\n", "1: a name is missing: `[rule NAME]`"},
        {"[exportr x]\n", "did you mean `exporter`?"},
        {"[prefetch]\nstate_dri = x\n", "2: [prefetch] key `state_dri`: unknown; did you mean "
                                        "`state_dir`?"},
        {"[exporter e]\nurii = http://x\n", "2: [exporter e] key `urii`: unknown; did you mean"},
        {"[exporter e]\n", "1: [exporter e] key `uri`: required, and missing"},
        {"[exporter e]\nuri = http://x\ndcmURI = http://y\n", "line 2 already"},
        {"[exporter e]\nuri = wado:DCM4CHEE\n", "begins with http"},
        {"[exporter e]\nuri = http://x/[0]#a\n", "fragment"},
        {"[exporter e]\nuri = http://x\nurl.2 = http://y\n",
         "3: [exporter e] key `url.2`: the numbers have a gap"},
        {"[exporter e]\nuri = http://x\nurl.0 = http://y\n", "a number from 1"},
        {"[exporter e]\nuri = http://x\nurl.01 = http://y\n", "a number from 1"},
        {"[exporter e]\nuri = http://x\nurl.x = http://y\n", "a number from 1"},
        {"[exporter e]\nuri = http://x\nurl.65 = http://y\n", "a number from 1"},
        {"[exporter e]\nuri = http://x\naccept.1 = image/jpeg\n",
         "3: [exporter e] key `accept.1`: there is no url.1"},
        {"[exporter e]\nuri = http://x\nstorage = d\n" BACKENDS, "there is no [storage d]"},
        {"[exporter e]\nuri = http://x\nurl.1 = http://y\nstorage.1 = d\n" BACKENDS,
         "there is no [storage d]"},
        {"[exporter e]\nuri = http://x\nqueue = q\n", "there is no [queue q]"},
        {"[exporter e]\nuri = http://x\nschedule = hour=24\n", "hour="},
        {"[exporter e]\nuri = http://x\nparallel_requests = 0\n", "is not from 1"},
        {"[exporter e]\nuri = http://x\nheader = X\n", "Name: value"},
        {"[exporter e]\nuri = http://x/[2]/[3]\n", "key `searcher`: missing"},
        {"[exporter e]\nuri = http://x\nproperty = Accept\n", "is not KEY=VALUE"},
        {"[exporter e]\nuri = http://x\nproperty = Acept=x\n", "did you mean `accept`?"},
        {"[exporter e]\nuri = http://x\naccept = a/b\nproperty = Accept=x/y\n", "already"},
        {"[exporter e]\nuri = http://x\nproperty = header=A: b\n", "a key of its own"},
        {"[exporter e]\nuri = http://x\nproperty = URL.2=http://y\n", "gap"},
        {BACKENDS
         "[exporter e]\nuri = http://x\nurl.1 = http://y\nstorage.1 = a\nstorageid.1 = b\n",
         "says so already"},
        {"[rule r]\nexporter = e\n[exporter e]\nuri = http://x\n", "`entity`: required"},
        {"[rule r]\nentity = Study\n", "`exporter`: required"},
        {"[rule r]\nentity = Patient\nexporter = e\n[exporter e]\nuri = http://x\n",
         "is not one of: Study,Series,Instance"},
        {"[rule r]\nentity = Study\nexporter = e, f\n[exporter e]\nuri = http://x\n",
         "there is no [exporter f]"},
        {"[rule r]\nentity = Study\nexporter = e, e\n[exporter e]\nuri = http://x\n", "twice"},
        {"[rule r]\nentity = Study\nexporter = e\n[exporter e]\nuri = http://x/[1]\n",
         "[exporter e] needs a searcher"},
        {"[rule r]\nentity = Series\nexporter = e\n[exporter e]\nuri = http://x/[2]\n",
         "[exporter e] needs a searcher"},
        {"[rule r]\nentity = Study\nexporter = e\ndelay = P1M\n[exporter e]\nuri = http://x\n",
         "is not a duration"},
        {"[rule r]\nentity = Study\nexporter = e\ndelay = 2m\nmax_delay = 1m\n"
         "[exporter e]\nuri = http://x\n",
         "5: [rule r] key `max_delay`: is shorter than delay"},
        {"[rule r]\nentity = Study\nexporter = e\ncondition = Modalty=CT\n"
         "[exporter e]\nuri = http://x\n",
         "4: [rule r] key `condition`: condition `Modalty=CT`"},
        {"[queue q]\nretry_multiplier = 0\n", "is not from 1"},
        {"[watch w]\n", "`searcher`: required"},
        {BACKENDS "[watch w]\nsearcher = pacs\nquery = StudyDate\n", "is not KEY=VALUE"},
        {BACKENDS "[watch w]\nsearcher = pacs\nquery = StudyDat=today\n", "StudyDate"},
        {BACKENDS "[watch w]\nsearcher = pacs\ninterval = 1ms\n", "is less than 1000"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *message = refuse(rows[i].text);

        if (!strstr(message, rows[i].message))
            fail_msg("%s: %s, not %s", rows[i].text, message, rows[i].message);
    }
}

/* Entities whose objects need no searcher to be named. */
static void test_without_searcher(void **state)
{
    (void)state;
    drop(load("[rule r]\nentity = Series\nexporter = e\n[exporter e]\nuri = http://x/[0]/[1]\n"));
    drop(load("[rule r]\nentity = Instance\nexporter = e\n[exporter e]\nuri = http://x/[2]\n"));
}

#define EXPORTER(keys) BACKENDS "[exporter e]\nsearcher = pacs\nuri = http://x?o=[2]&f=[3]\n" keys

/* Acceptance test 12. */
static void test_collisions(void **state)
{
    static const struct {
        const char *text;
        bool refused;
    } rows[] = {
        /* The full image and its thumbnail in one storage. */
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = b\n"), true},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = b\nstorage.1 = a\n"), false},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\n"), false},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage.1 = b\n"), false},
        /* Of a whole instance the frame reads null, where the format names it at all. */
        {EXPORTER("url.1 = http://x?o=[2]\nstorage = b\n"), false},
        {EXPORTER("url.1 = http://x?o=[2]\nstorage = a\n"), true},
        {EXPORTER("url.1 = http://x?o=[1]\nstorage = a\n"), false},
        {EXPORTER("url.1 = http://x?o=[2]&a\nurl.2 = http://x?o=[2]&b\nstorage.1 = a\nstorage.2 = a"
                  "\n"),
         true},
        /* Other storages name files after the URL. */
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = c\n"), false},
        /* Two storages with one root and equal formats, however they are spelt. */
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = b\nstorage.1 = d\n"
                  "[storage d]\ntype = template\npath = /var/b/\n"
                  "path_format = {StudyInstanceUID}/{SOPInstanceUID}/{00081160}.jpeg\n"),
         true},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = b\nstorage.1 = d\n"
                  "[storage d]\ntype = template\npath = /var/b\n"
                  "path_format = {0020000D}/{00080018}/{00081160}-64.jpeg\n"),
         false},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = b\nstorage.1 = d\n"
                  "[storage d]\ntype = template\npath = /var/b\n"
                  "path_format = {0020000D}/{00080018,hash}/{00081160}.jpeg\n"),
         false},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = d\n"
                  "[storage d]\ntype = template\npath = /var/b\npath_format = {rnd}\n"),
         false},
        {EXPORTER("url.1 = http://x?o=[2]&f=[3]&rows=64\nstorage = d\n"
                  "[storage d]\ntype = template\npath = /var/b\npath_format = {00080018,uuid}\n"),
         false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].refused) {
            const char *message = refuse(rows[i].text);

            if (!strstr(message, "take the place")) fail_msg("%zu: %s", i, message);
        } else {
            drop(load(rows[i].text));
        }
    }
}

/* A path that does not tell apart the objects of one URL. */
static void test_overwriting(void **state)
{
    struct prefetch_settings *settings =
        load(EXPORTER("url.1 = http://x?o=[2]\nurl.2 = http://x?o=[1]\nurl.3 = http://x\n"
                      "storage = a\nstorage.1 = b\nstorage.2 = b\nstorage.3 = b\n"));
    const struct prefetch_url *urls = settings->exporters[0].urls;
    struct config_file *file = NULL;
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/p.ini", fixture_directory());
    assert_int_equal(config_file_read(path, &file, NULL), 0);
    assert_true(prefetch_paths_overwrite(file, &urls[0]));
    assert_false(prefetch_paths_overwrite(file, &urls[1]));
    assert_true(prefetch_paths_overwrite(file, &urls[2]));
    assert_false(prefetch_paths_overwrite(file, &urls[3]));
    config_file_free(file);
    drop(settings);
}

static void test_grains(void **state)
{
    static const struct {
        const char *text;
        enum prefetch_grain grain;
    } rows[] = {
        {"http://x/", PREFETCH_GRAIN_ONE},           {"http://[::1]/[0]", PREFETCH_GRAIN_STUDY},
        {"http://x/[0]/[1]", PREFETCH_GRAIN_SERIES}, {"http://x/[2]/[0]", PREFETCH_GRAIN_INSTANCE},
        {"http://x/[3]", PREFETCH_GRAIN_FRAME},      {"http://x/[4][[5]", PREFETCH_GRAIN_ONE},
        {"http://x/[0", PREFETCH_GRAIN_ONE},         {"http://x/%5B3%5D", PREFETCH_GRAIN_ONE},
        {"http://x/[[1]]", PREFETCH_GRAIN_SERIES},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (prefetch_url_grain(rows[i].text) != rows[i].grain) fail_msg("%s", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),       cmocka_unit_test(test_ldap_names),
        cmocka_unit_test(test_nothing),          cmocka_unit_test(test_faults),
        cmocka_unit_test(test_without_searcher), cmocka_unit_test(test_collisions),
        cmocka_unit_test(test_overwriting),      cmocka_unit_test(test_grains),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
