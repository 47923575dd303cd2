/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/prefetch_fixture.h"

static struct prefetch_time fixture_clock(const struct prefetch_clock *clock)
{
    const struct fixture *fixture = clock->other;

    return fixture->now;
}

/* ---- the exporter --------------------------------------------------------------------------- */

static void exporter_pause(struct fixture *fixture)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 10000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&fixture->moved, &fixture->lock, &until);
}

static int fixture_export(void *ctx, const struct prefetch_exporter *exporter,
                          const struct prefetch_scope *scope,
                          const struct prefetch_export_callbacks *callbacks,
                          const atomic_int *cancel, struct prefetch_result *ret_result,
                          struct trolley_error *error)
{
    struct fixture *fixture = ctx;
    struct prefetch_request request;
    struct call *call;
    uint32_t i;
    int r = 0;

    (void)error;
    pthread_mutex_lock(&fixture->lock);
    call = &fixture->calls[fixture->call_count++ % MAX_CALLS];
    memset(call, 0, sizeof *call);
    (void)snprintf(call->exporter, sizeof call->exporter, "%s", exporter->id);
    (void)snprintf(call->study, sizeof call->study, "%s", scope->study);
    (void)snprintf(call->series, sizeof call->series, "%s", scope->series ? scope->series : "*");
    (void)snprintf(call->instance, sizeof call->instance, "%s",
                   scope->instance ? scope->instance : "*");
    call->at_ms = fixture->now.wall_ms - START;
    call->again = callbacks->again != NULL;
    while (call->again && callbacks->again(callbacks->ctx, &request) == 1)
        call->repeated++;
    if (++fixture->in_hand > fixture->most_in_hand) fixture->most_in_hand = fixture->in_hand;
    pthread_cond_broadcast(&fixture->moved);
    while (fixture->hold && (fixture->deaf || !atomic_load(cancel)))
        exporter_pause(fixture);
    fixture->in_hand--;
    *ret_result = fixture->answer;
    pthread_mutex_unlock(&fixture->lock);
    for (i = 0; r == 0 && i < fixture->fails; i++) {
        request = (struct prefetch_request){.study = scope->study, .series = "9", .frame = i + 1};
        r = callbacks->failed(callbacks->ctx, &request, "500");
    }
    if (r == 0 && atomic_load(cancel)) r = TROLLEY_ERR_CANCELLED;
    return r;
}

/* ---- set-up --------------------------------------------------------------------------------- */

static void fixture_open(struct fixture *fixture)
{
    const struct prefetch_scheduling scheduling = {.settings = &fixture->settings,
                                                   .clock = &fixture->clock,
                                                   .exporting = fixture_export,
                                                   .exporting_ctx = fixture};
    struct prefetch_scheduling given = scheduling;
    struct trolley_error error = {0};

    if (prefetch_store_open(fixture->folder, &fixture->store, &error) < 0 ||
        prefetch_store_lead(fixture->store, fixture->now.wall_ms, &error) < 0)
        fail_msg("%s", error.message);
    given.store = fixture->store;
    assert_int_equal(prefetch_scheduler_new(&given, &fixture->scheduler, &error), 0);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    uint32_t i;

    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/trolley-tasks-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->moved, NULL);
    fixture->now = (struct prefetch_time){START, 0};
    fixture->clock = (struct prefetch_clock){.read = fixture_clock, .other = fixture};
    fixture->answer.outcome = PREFETCH_COMPLETED;
    fixture->url = (struct prefetch_url){.text = "http://x/[0]", .grain = PREFETCH_GRAIN_STUDY};
    for (i = 0; i < 2; i++) {
        fixture->queues[i] = (struct prefetch_queue){.name = i ? "two" : "one",
                                                     .max_parallel = 1,
                                                     .retry_multiplier = 100,
                                                     .purge_completed_ms = -1,
                                                     .purge_warning_ms = -1,
                                                     .purge_failed_ms = -1,
                                                     .purge_canceled_ms = -1};
        fixture->exporters[i] = (struct prefetch_exporter){.id = i ? "F" : "E",
                                                           .urls = &fixture->url,
                                                           .url_count = 1,
                                                           .queue = &fixture->queues[i]};
        fixture->named[i] = &fixture->exporters[i];
    }
    for (i = 0; i < 4; i++)
        fixture->rules[i] = (struct prefetch_rule){.name = "rule",
                                                   .entity = PREFETCH_STUDY,
                                                   .exporters = fixture->named,
                                                   .exporter_count = 1,
                                                   .reoccurred = PREFETCH_REPLACE};
    fixture->settings = (struct prefetch_settings){.state_dir = fixture->folder,
                                                   .rules = fixture->rules,
                                                   .exporters = fixture->exporters,
                                                   .queues = fixture->queues,
                                                   .rule_count = 1,
                                                   .exporter_count = 2,
                                                   .queue_count = 2};
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static void fixture_close(struct fixture *fixture)
{
    prefetch_scheduler_free(fixture->scheduler);
    prefetch_store_close(fixture->store);
    fixture->scheduler = NULL;
    fixture->store = NULL;
}

int fixture_teardown(void **state)
{
    static const char *const files[] = {"tasks.sqlite", "tasks.sqlite-wal", "tasks.sqlite-shm",
                                        "daemon.lock"};
    struct fixture *fixture = *state;
    char path[128];
    size_t i;

    fixture_hold(fixture, false);
    fixture_close(fixture);
    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(fixture->folder), 0);
    pthread_cond_destroy(&fixture->moved);
    pthread_mutex_destroy(&fixture->lock);
    free(fixture);
    return 0;
}

void fixture_restart(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

/* ---- driving -------------------------------------------------------------------------------- */

void fixture_at(struct fixture *fixture, int64_t ms)
{
    fixture->now = (struct prefetch_time){START + ms, ms};
}

void fixture_arrive(struct fixture *fixture, const char *study, const char *series,
                    const char *instance)
{
    const struct prefetch_arrival arrival = {.kind = TROLLEY_PREFETCH_NEW,
                                             .study = study,
                                             .series = series,
                                             .instance = instance,
                                             .at_ms = fixture->now.wall_ms};
    struct trolley_error error = {0};

    if (prefetch_arrive(fixture->store, &fixture->settings, &arrival, NULL, &error) < 0)
        fail_msg("%s", error.message);
}

int fixture_step(struct fixture *fixture)
{
    struct trolley_error error = {0};
    int64_t next;
    int r = prefetch_scheduler_step(fixture->scheduler, &next, &error);

    if (r < 0) fail_msg("%s", error.message);
    return r;
}

void fixture_run(struct fixture *fixture)
{
    uint32_t running;

    /* What ends behind the step may leave something to be done. */
    for (;;) {
        running = prefetch_scheduler_running(fixture->scheduler);
        if (fixture_step(fixture) == 0 && running == 0) return;
        (void)prefetch_scheduler_wait(fixture->scheduler, 20);
    }
}

void fixture_in_hand(struct fixture *fixture, uint32_t count)
{
    int i;

    pthread_mutex_lock(&fixture->lock);
    for (i = 0; fixture->in_hand != count && i < 6000; i++)
        exporter_pause(fixture);
    assert_int_equal(fixture->in_hand, count);
    pthread_mutex_unlock(&fixture->lock);
}

void fixture_hold(struct fixture *fixture, bool hold)
{
    pthread_mutex_lock(&fixture->lock);
    fixture->hold = hold;
    pthread_cond_broadcast(&fixture->moved);
    pthread_mutex_unlock(&fixture->lock);
}

/* ---- looking -------------------------------------------------------------------------------- */

static char fixture_text[4096];

static int fixture_line(void *ctx, const struct trolley_prefetch_task *task)
{
    size_t length = strlen(fixture_text);

    (void)ctx;
    (void)snprintf(fixture_text + length, sizeof fixture_text - length,
                   "%s%s %s %s/%s/%s %" PRId64 " %u", length ? "\n" : "",
                   trolley_prefetch_state_name(task->state), task->exporter, task->study,
                   task->series ? task->series : "*", task->instance ? task->instance : "*",
                   task->due_ms - START, (unsigned)task->retries);
    return 0;
}

const char *fixture_tasks(struct fixture *fixture)
{
    const struct trolley_prefetch_filter all = {0};
    struct trolley_error error = {0};

    fixture_text[0] = '\0';
    if (prefetch_store_tasks(fixture->store, &all, fixture_line, NULL, &error) < 0)
        fail_msg("%s", error.message);
    return fixture_text;
}

uint64_t fixture_count(struct fixture *fixture, uint32_t state)
{
    const struct trolley_prefetch_filter all = {0};
    uint64_t counts[8];

    assert_int_equal(prefetch_store_count(fixture->store, &all, counts, NULL), 0);
    return counts[state];
}
