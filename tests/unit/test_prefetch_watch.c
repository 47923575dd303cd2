/* test_prefetch_watch.c: what a watch takes for a change (prefetch.md, acceptance test 15), and
 * arrivals that other processes tell of. The server is a table. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <trolley/helpers.h>

/* Behind it: cmocka has a macro `fail`. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"
#include "core/model/query.h"
#include "core/model/query_builder.h"
#include "core/model/tree.h"
#include "core/prefetch/watch.h"
#include "tests/unit/prefetch_fixture.h"

/* What the server holds: instances; and how it answers. */
static struct server {
    struct {
        const char *study, *series, *uid;
    } instances[16];
    uint32_t count, questions;
    bool numbers;  /* it tells how many there are */
    int fails_at;  /* questions of that level fail (enum trolley_level); 0: none */
    int fails_how; /* with that status */
} server;

static void server_has(const char *study, const char *series, const char *uid)
{
    server.instances[server.count].study = study;
    server.instances[server.count].series = series;
    server.instances[server.count++].uid = uid;
}

static void server_lose(const char *uid)
{
    uint32_t i;

    for (i = 0; i < server.count; i++)
        if (strcmp(server.instances[i].uid, uid) == 0)
            server.instances[i--] = server.instances[--server.count];
}

/* How many instances (or series) a study, or one of its series, has. */
static void server_number(char *text, const char *study, const char *series, bool of_series)
{
    uint32_t i, j, count = 0;

    for (i = 0; i < server.count; i++) {
        bool counts = strcmp(server.instances[i].study, study) == 0 &&
                      (!series || strcmp(server.instances[i].series, series) == 0);

        for (j = 0; of_series && counts && j < i; j++)
            counts = strcmp(server.instances[j].series, server.instances[i].series) != 0;
        count += counts;
    }
    (void)snprintf(text, 16, "%u", (unsigned)count);
}

static const char *asked_uid(const struct trolley_query_builder *query, uint32_t tag)
{
    uint32_t i;

    for (i = 0; i < query->keys.count; i++)
        if (query->keys.items[i].tag == tag)
            return trolley_span_text(&query->keys.items[i].values, 0);
    return NULL;
}

static void answer(struct trolley_tree *tree, uint32_t level, uint32_t i)
{
    char instances[16], series[16], below[16];
    const struct {
        uint32_t tag;
        const char *text;
    } all[] = {{0x0020000d, server.instances[i].study},
               {0x0020000e, server.instances[i].series},
               {0x00080018, server.instances[i].uid},
               {0x00201208, instances},
               {0x00201206, series},
               {0x00201209, below}};
    struct trolley_element elements[6];
    struct trolley_record record = {.size = sizeof record, .level = level};
    uint32_t n = 0, a;

    server_number(instances, server.instances[i].study, NULL, false);
    server_number(series, server.instances[i].study, NULL, true);
    server_number(below, server.instances[i].study, server.instances[i].series, false);
    memset(elements, 0, sizeof elements);
    for (a = 0; a < 6; a++) {
        if (a < 3 && a >= level) continue;
        if (a >= 3 && (!server.numbers || level == TROLLEY_LEVEL_INSTANCE)) continue;
        if (a == 5 && level < TROLLEY_LEVEL_SERIES) continue;
        elements[n].size = sizeof elements[n];
        elements[n].tag = all[a].tag;
        elements[n++].values = (struct trolley_span){&all[a].text, 1, sizeof all[a].text};
    }
    record.elements = (struct trolley_span){elements, n, sizeof elements[0]};
    assert_int_equal(tree_add(tree, &record, NULL, NULL), 0);
}

static int server_ask(void *ctx, const char *searcher, const struct trolley_query_builder *query,
                      struct trolley_tree **ret_tree, struct trolley_error *error)
{
    const char *study = asked_uid(query, 0x0020000d), *series = asked_uid(query, 0x0020000e);
    struct trolley_tree *tree;
    uint32_t i;

    (void)ctx;
    assert_string_equal(searcher, "pacs");
    server.questions++;
    if (server.fails_at == (int)query->level)
        return error_set(error, server.fails_how, "the server failed");
    assert_int_equal(tree_new(&tree), 0);
    for (i = 0; i < server.count; i++)
        if ((!study || strcmp(study, server.instances[i].study) == 0) &&
            (!series || strcmp(series, server.instances[i].series) == 0))
            answer(tree, query->level, i);
    *ret_tree = tree;
    return 0;
}

/* ---- polling -------------------------------------------------------------------------------- */

static const char *watch_query[] = {"PatientID=*"};
static struct prefetch_watch watch;

static int watch_setup(void **state)
{
    memset(&server, 0, sizeof server);
    server.numbers = true;
    watch = (struct prefetch_watch){
        .name = "w", .searcher = "pacs", .query = watch_query, .query_count = 1};
    server_has("1", "1.1", "1.1.1");
    server_has("1", "1.2", "1.2.1");
    server_has("2", "2.1", "2.1.1");
    return fixture_setup(state);
}

static struct prefetch_watching watching_of(const struct fixture *fixture)
{
    return (struct prefetch_watching){
        .store = fixture->store, .settings = &fixture->settings, .asking = server_ask};
}

static int try_poll(struct fixture *fixture)
{
    const struct prefetch_watching watching = watching_of(fixture);
    struct prefetch_poll poll;
    struct trolley_error error = {0};

    fixture_at(fixture, fixture->now.steady_ms + MINUTE);
    return prefetch_watch_poll(&watching, &watch, fixture->now.wall_ms, &poll, &error);
}

/* Polls, and forgets the tasks there were before. */
static const char *poll_tasks(struct fixture *fixture)
{
    const struct trolley_prefetch_filter all = {0};
    struct trolley_prefetch_changes changes;
    static char keys[1024];
    const char *line;

    assert_int_equal(prefetch_store_delete(fixture->store, &all, &changes, NULL), 0);
    assert_int_equal(try_poll(fixture), 0);
    keys[0] = '\0';
    /* Of "SCHEDULED E 1/star/star DUE 0" the key. */
    for (line = fixture_tasks(fixture); line && *line; line = strchr(line, '\n')) {
        char key[128] = "";

        line += *line == '\n';
        assert_int_equal(sscanf(line, "SCHEDULED E %127s", key), 1);
        (void)snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", keys[0] ? " " : "",
                       key);
    }
    return keys;
}

static void test_15_baseline_records_or_exports(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(poll_tasks(fixture), "");
    assert_string_equal(poll_tasks(fixture), "");
    watch.name = "other";
    watch.baseline_export = true;
    assert_string_equal(poll_tasks(fixture), "1/*/* 2/*/*");
    assert_string_equal(poll_tasks(fixture), "");
}

static void test_15_new_grown_shrunk_same(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(poll_tasks(fixture), "");
    server_has("3", "3.1", "3.1.1");
    assert_string_equal(poll_tasks(fixture), "3/*/*");
    server_has("1", "1.1", "1.1.2");
    assert_string_equal(poll_tasks(fixture), "1/*/*");
    server_lose("1.1.2");
    assert_string_equal(poll_tasks(fixture), "1/*/*");
    assert_string_equal(poll_tasks(fixture), "");
}

static void test_15_replaced_is_seen_by_uids_alone(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(poll_tasks(fixture), "");
    server_lose("1.1.1");
    server_has("1", "1.1", "1.1.9");
    assert_string_equal(poll_tasks(fixture), "");
    watch.detect_uids = true;
    watch.name = "uids";
    assert_string_equal(poll_tasks(fixture), "");
    server_lose("1.1.9");
    server_has("1", "1.1", "1.1.8");
    assert_string_equal(poll_tasks(fixture), "1/*/*");
    assert_string_equal(poll_tasks(fixture), "");
}

static void test_15_count_missing_compares_uids(void **state)
{
    struct fixture *fixture = *state;

    server.numbers = false;
    assert_string_equal(poll_tasks(fixture), "");
    assert_string_equal(poll_tasks(fixture), "");
    server_has("2", "2.1", "2.1.2");
    assert_string_equal(poll_tasks(fixture), "2/*/*");
}

static void test_15_server_error_and_truncated_answer_change_nothing(void **state)
{
    static const int how[] = {TROLLEY_ERR_REMOTE, TROLLEY_ERR_TRUNCATED, TROLLEY_ERR_TIMEOUT};
    struct fixture *fixture = *state;
    size_t i;

    /* The first poll, too: nothing is recorded by one that failed. */
    server.fails_at = TROLLEY_LEVEL_STUDY;
    server.fails_how = TROLLEY_ERR_REMOTE;
    assert_true(try_poll(fixture) < 0);
    server.fails_at = 0;
    assert_string_equal(poll_tasks(fixture), "");
    server_has("1", "1.1", "1.1.2");
    for (i = 0; i < 3; i++) {
        server.fails_at = TROLLEY_LEVEL_STUDY;
        server.fails_how = how[i];
        assert_int_equal(try_poll(fixture), how[i]);
        assert_string_equal(fixture_tasks(fixture), "");
    }
    server.fails_at = 0;
    assert_string_equal(poll_tasks(fixture), "1/*/*");
}

static void test_15_study_that_cannot_be_asked_about_is_looked_at_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].entity = PREFETCH_SERIES;
    assert_string_equal(poll_tasks(fixture), "");
    server_has("2", "2.2", "2.2.1");
    server.fails_at = TROLLEY_LEVEL_SERIES;
    server.fails_how = TROLLEY_ERR_REMOTE;
    assert_string_equal(poll_tasks(fixture), "");
    server.fails_at = 0;
    assert_string_equal(poll_tasks(fixture), "2/2.1/* 2/2.2/*");
}

static void test_15_restart_knows_what_was_seen(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(poll_tasks(fixture), "");
    server_has("1", "1.1", "1.1.2");
    fixture_restart(fixture);
    assert_string_equal(poll_tasks(fixture), "1/*/*");
    fixture_restart(fixture);
    assert_string_equal(poll_tasks(fixture), "");
}

static void test_15_what_no_longer_matches_is_no_change(void **state)
{
    struct fixture *fixture = *state;

    assert_string_equal(poll_tasks(fixture), "");
    server_lose("2.1.1");
    assert_string_equal(poll_tasks(fixture), "");
    server_has("2", "2.1", "2.1.1");
    assert_string_equal(poll_tasks(fixture), "");
}

static void test_15_another_question_starts_anew(void **state)
{
    static const char *other[] = {"PatientID=1*"};
    struct fixture *fixture = *state;

    assert_string_equal(poll_tasks(fixture), "");
    server_has("3", "3.1", "3.1.1");
    watch.query = other;
    assert_string_equal(poll_tasks(fixture), "");
}

static void test_only_series_that_changed_arrive(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].entity = PREFETCH_SERIES;
    watch.baseline_export = true;
    assert_string_equal(poll_tasks(fixture), "1/1.1/* 1/1.2/* 2/2.1/*");
    server_has("1", "1.2", "1.2.2");
    assert_string_equal(poll_tasks(fixture), "1/1.2/*");
    server_has("1", "1.3", "1.3.1");
    assert_string_equal(poll_tasks(fixture), "1/1.3/*");
}

static void test_series_that_left_arrives_only_as_previous_entity(void **state)
{
    struct fixture *fixture = *state;

    fixture->rules[0].entity = PREFETCH_SERIES;
    watch.baseline_export = true;
    (void)poll_tasks(fixture);
    server_lose("1.2.1");
    assert_string_equal(poll_tasks(fixture), "");
    server_has("1", "1.2", "1.2.1");
    assert_string_equal(poll_tasks(fixture), "1/1.2/*");
    fixture->rules[0].export_previous_entity = true;
    server_lose("1.2.1");
    assert_string_equal(poll_tasks(fixture), "1/1.2/*");
}

/* ---- news ----------------------------------------------------------------------------------- */

static void tell(struct fixture *fixture, const char *study, const char *series)
{
    const struct prefetch_news news = {.kind = TROLLEY_PREFETCH_NEW,
                                       .searcher = "pacs",
                                       .study = study,
                                       .series = series,
                                       .at_ms = fixture->now.wall_ms};

    assert_int_equal(prefetch_store_news_add(fixture->store, &news, NULL), 0);
}

static void test_news_become_tasks_once_and_keep_their_time(void **state)
{
    struct fixture *fixture = *state;
    const struct prefetch_watching watching = watching_of(fixture);
    uint32_t tasks;

    fixture->rules[0].entity = PREFETCH_SERIES;
    fixture->rules[0].delay_ms = MINUTE;
    tell(fixture, "1", "1.1");
    tell(fixture, "1", "1.2");
    tell(fixture, "2", "2.1");
    fixture_at(fixture, 40 * SECOND);
    tell(fixture, "1", "1.1");
    fixture_at(fixture, HOUR);
    fixture_restart(fixture);
    while (prefetch_news_apply(&(struct prefetch_watching){.store = fixture->store,
                                                           .settings = watching.settings,
                                                           .asking = server_ask},
                               &tasks, NULL) > 0)
        ;
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 1/1.2/* 60000 0\n"
                                                "SCHEDULED E 1/1.1/* 100000 0\n"
                                                "SCHEDULED E 2/2.1/* 60000 0");
    assert_int_equal(server.questions, 0);
}

static void test_news_that_cannot_be_judged_wait_behind_others(void **state)
{
    struct fixture *fixture = *state;
    const struct prefetch_watching watching = watching_of(fixture);
    struct trolley_error error;
    uint32_t tasks;

    fixture->rules[0].entity = PREFETCH_INSTANCE;
    tell(fixture, "1", "1.1");
    tell(fixture, "2", "2.1");
    server.fails_at = TROLLEY_LEVEL_SERIES;
    server.fails_how = TROLLEY_ERR_UNAVAILABLE;
    assert_int_equal(prefetch_news_apply(&watching, &tasks, &error), TROLLEY_ERR_UNAVAILABLE);
    assert_string_equal(fixture_tasks(fixture), "");
    server.fails_at = 0;
    assert_int_equal(prefetch_news_apply(&watching, &tasks, &error), 1);
    assert_int_equal(prefetch_news_apply(&watching, &tasks, &error), 1);
    assert_int_equal(prefetch_news_apply(&watching, &tasks, &error), 0);
    assert_string_equal(fixture_tasks(fixture), "SCHEDULED E 2/2.1/2.1.1 0 0\n"
                                                "SCHEDULED E 1/1.1/1.1.1 0 0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, watch_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_15_baseline_records_or_exports),
        TEST(test_15_new_grown_shrunk_same),
        TEST(test_15_replaced_is_seen_by_uids_alone),
        TEST(test_15_count_missing_compares_uids),
        TEST(test_15_server_error_and_truncated_answer_change_nothing),
        TEST(test_15_study_that_cannot_be_asked_about_is_looked_at_again),
        TEST(test_15_restart_knows_what_was_seen),
        TEST(test_15_what_no_longer_matches_is_no_change),
        TEST(test_15_another_question_starts_anew),
        TEST(test_only_series_that_changed_arrive),
        TEST(test_series_that_left_arrives_only_as_previous_entity),
        TEST(test_news_become_tasks_once_and_keep_their_time),
        TEST(test_news_that_cannot_be_judged_wait_behind_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
