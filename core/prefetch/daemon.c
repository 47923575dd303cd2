/* daemon.c: running tasks and polling watches, for as long as it takes. SPDX-License-Identifier:
 * MIT
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/model/error.h"
#include "core/prefetch/prefetch.h"
#include "core/prefetch/scheduler.h"
#include "core/prefetch/watch.h"

#define DAEMON_TIDY 60000   /* milliseconds from one purge to the next */
#define DAEMON_AGAIN 30000  /* before news that could not be looked at are looked at again */
#define DAEMON_LONGEST 1000 /* real milliseconds without a look at the tasks */
#define DAEMON_WATCHER 100  /* the same for watches */
#define DAEMON_SLICE 50     /* and for a signal to stop */

struct daemon {
    struct trolley_prefetch *prefetch;
    uint32_t flags;
    struct prefetch_engine *engine;
    struct prefetch_scheduler *scheduler;
    struct prefetch_ask *ask;
    struct prefetch_watching watching;
    trolley_remark_sink remark;
    void *remark_ctx;
    pthread_mutex_t remark_lock;
    pthread_t watcher;
    bool watcher_runs, failing;
    struct prefetch_time before; /* the last look at the clock */
    int64_t tidy_at;             /* steady */
    int64_t news_at;             /* steady; the watcher's */
    int64_t *polls_at;           /* steady, one a watch; the watcher's */
    uint64_t arrivals;
};

/* ---- remarks -------------------------------------------------------------------------------- */

static void daemon_remark(void *ctx, const struct trolley_remark *remark)
{
    struct daemon *daemon = ctx;

    if (!daemon->remark) return;
    pthread_mutex_lock(&daemon->remark_lock);
    daemon->remark(daemon->remark_ctx, remark);
    pthread_mutex_unlock(&daemon->remark_lock);
}

__attribute__((format(printf, 3, 4))) static void
daemon_say(struct daemon *daemon, uint32_t severity, const char *format, ...)
{
    struct trolley_error line;
    struct trolley_remark remark = {severity, 0, "prefetch", NULL, line.message};
    char text[2000];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)error_set(&line, 0, "%s", text);
    daemon_remark(daemon, &remark);
}

/* ---- watches and news ----------------------------------------------------------------------- */

static bool daemon_stopping(const struct daemon *daemon)
{
    return atomic_load(&daemon->prefetch->stop) != 0;
}

/* Everything that other processes told of. */
static void watcher_news(struct daemon *daemon, int64_t steady)
{
    struct trolley_error error = {0};
    uint32_t tasks = 0;
    int r = 1;

    if (steady < daemon->news_at) return;
    while (r > 0 && !daemon_stopping(daemon)) {
        r = prefetch_news_apply(&daemon->watching, &tasks, &error);
        if (r > 0) {
            daemon->arrivals++;
            prefetch_scheduler_wake(daemon->scheduler);
        }
    }
    if (r == 0 || r == TROLLEY_ERR_CANCELLED) return;
    daemon->news_at = steady + DAEMON_AGAIN;
    daemon_say(daemon, TROLLEY_LOG_WARNING, "arrivals are looked at again later: %s",
               error.message);
}

static int watcher_poll(struct daemon *daemon, const struct prefetch_watch *watch)
{
    struct trolley_error error = {0};
    struct prefetch_poll poll = {0};
    int r = prefetch_watch_poll(&daemon->watching, watch, trolley_prefetch_now(daemon->prefetch),
                                &poll, &error);

    if (r == TROLLEY_ERR_CANCELLED) return r;
    if (r < 0) {
        daemon_say(daemon, TROLLEY_LOG_WARNING,
                   "[watch %s]: the poll failed and changes nothing: %s", watch->name,
                   error.message);
        return r;
    }
    daemon->arrivals += poll.changed;
    if (poll.changed || poll.recorded)
        daemon_say(daemon, TROLLEY_LOG_INFO,
                   "[watch %s]: %" PRIu64 " studies%s, %" PRIu64 " changed, %" PRIu64 " tasks",
                   watch->name, poll.studies, poll.recorded ? " recorded" : "", poll.changed,
                   poll.tasks);
    if (poll.tasks) prefetch_scheduler_wake(daemon->scheduler);
    return 0;
}

static void watcher_round(struct daemon *daemon)
{
    const struct prefetch_settings *settings = daemon->prefetch->settings;
    int64_t steady = prefetch_clock_read(&daemon->prefetch->clock).steady_ms;
    uint32_t i;

    watcher_news(daemon, steady);
    for (i = 0; i < settings->watch_count && !daemon_stopping(daemon); i++) {
        if (steady < daemon->polls_at[i]) continue;
        (void)watcher_poll(daemon, &settings->watches[i]);
        daemon->polls_at[i] = steady + settings->watches[i].interval_ms;
    }
}

static void *watcher_main(void *arg)
{
    struct daemon *daemon = arg;
    const struct timespec nap = {0, DAEMON_WATCHER * 1000000L};

    while (!daemon_stopping(daemon)) {
        watcher_round(daemon);
        nanosleep(&nap, NULL);
    }
    return NULL;
}

/* ---- time ----------------------------------------------------------------------------------- */

static void daemon_jumped(struct daemon *daemon, int64_t jump)
{
    struct trolley_error error = {0};

    if (prefetch_store_jump(daemon->prefetch->store, jump, &error) < 0)
        daemon_say(daemon, TROLLEY_LOG_WARNING, "the clock was set by %" PRId64 " s: %s",
                   jump / 1000, error.message);
    else
        daemon_say(daemon, TROLLEY_LOG_INFO,
                   "the clock was set by %" PRId64 " s: delays and retries move with it",
                   jump / 1000);
}

/* A clock that was set back while nobody looked is seen by the last time that was. */
static int daemon_first_look(struct daemon *daemon, struct trolley_error *error)
{
    int64_t seen = 0;
    int r = prefetch_store_last_seen(daemon->prefetch->store, &seen, error);

    daemon->before = prefetch_clock_read(&daemon->prefetch->clock);
    daemon->tidy_at = daemon->before.steady_ms;
    if (r == 0 && seen - PREFETCH_CLOCK_SLEW > daemon->before.wall_ms)
        daemon_jumped(daemon, daemon->before.wall_ms - seen);
    return r;
}

static int daemon_look(struct daemon *daemon, struct trolley_error *error)
{
    const struct prefetch_time now = prefetch_clock_read(&daemon->prefetch->clock);
    int64_t jump = prefetch_clock_jump(&daemon->before, &now);
    int r;

    if (jump) daemon_jumped(daemon, jump);
    daemon->before = now;
    if (now.steady_ms < daemon->tidy_at) return 0;
    daemon->tidy_at = now.steady_ms + DAEMON_TIDY;
    r = prefetch_purge(daemon->prefetch->store, daemon->prefetch->settings, now.wall_ms, error);
    if (r >= 0) r = prefetch_store_seen(daemon->prefetch->store, now.wall_ms, error);
    return r;
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* A full disk or a locked file is waited out: nothing is lost by it. */
static void daemon_failed(struct daemon *daemon, int r, const struct trolley_error *error)
{
    if (r < 0 && !daemon->failing)
        daemon_say(daemon, TROLLEY_LOG_ERROR, "no task can be taken up: %s", error->message);
    if (r >= 0 && daemon->failing) daemon_say(daemon, TROLLEY_LOG_INFO, "tasks go on");
    daemon->failing = r < 0;
}

/* A signal handler can wake nobody, so this looks whether it is to stop now and then. */
static void daemon_wait(struct daemon *daemon, int64_t ms)
{
    for (; ms > 0 && !daemon_stopping(daemon); ms -= DAEMON_SLICE)
        if (prefetch_scheduler_wait(daemon->scheduler, ms < DAEMON_SLICE ? ms : DAEMON_SLICE))
            return;
}

static int daemon_loop(struct daemon *daemon, struct trolley_error *error)
{
    const bool once = (daemon->flags & TROLLEY_PREFETCH_ONCE) != 0;
    int64_t next = INT64_MAX, wait;
    uint32_t running;
    int r = 0;

    while (!daemon_stopping(daemon)) {
        /* Before the step: what ends behind it may leave something to be done. */
        running = prefetch_scheduler_running(daemon->scheduler);
        r = daemon_look(daemon, error);
        if (r >= 0) r = prefetch_scheduler_step(daemon->scheduler, &next, error);
        daemon_failed(daemon, r, error);
        if (once && r < 0) return r;
        if (once && r == 0 && running == 0) return 0;
        if (r > 0) continue;
        wait = next - daemon->before.wall_ms;
        if (wait < 0 || wait > daemon->prefetch->clock.look_ms || r < 0)
            wait = r < 0 ? DAEMON_LONGEST : daemon->prefetch->clock.look_ms;
        daemon_wait(daemon, wait < 1 ? 1 : wait);
    }
    return 0;
}

static int daemon_unknown(void *ctx, const char *exporter, uint64_t pending)
{
    struct daemon *daemon = ctx;

    if (!prefetch_exporter_get(daemon->prefetch->settings, exporter))
        daemon_say(daemon, TROLLEY_LOG_WARNING,
                   "%" PRIu64 " tasks wait for exporter %s, which has no section; reschedule them "
                   "with --to, or delete them",
                   pending, exporter);
    return 0;
}

static int daemon_exporting(void *ctx, const struct prefetch_exporter *exporter,
                            const struct prefetch_scope *scope,
                            const struct prefetch_export_callbacks *callbacks,
                            const atomic_int *cancel, struct prefetch_result *ret_result,
                            struct trolley_error *error)
{
    return prefetch_export(ctx, exporter, scope, callbacks, cancel, ret_result, error);
}

static int daemon_open(struct daemon *daemon, struct trolley_error *error)
{
    struct trolley_prefetch *prefetch = daemon->prefetch;
    struct prefetch_scheduling scheduling = {.store = prefetch->store,
                                             .settings = prefetch->settings,
                                             .clock = &prefetch->clock,
                                             .exporting = daemon_exporting,
                                             .remark = daemon_remark,
                                             .remark_ctx = daemon};
    int r = prefetch_store_lead(prefetch->store, trolley_prefetch_now(prefetch), error);

    if (r == 0) r = daemon_first_look(daemon, error);
    if (r == 0) r = prefetch_store_exporters(prefetch->store, daemon_unknown, daemon, error);
    if (r == 0)
        r = prefetch_engine_new(prefetch->setup, prefetch->settings, &daemon->engine, error);
    scheduling.exporting_ctx = daemon->engine;
    if (r == 0) r = prefetch_scheduler_new(&scheduling, &daemon->scheduler, error);
    if (r == 0)
        r = prefetch_ask_new(prefetch->setup, &prefetch->stop, daemon_remark, daemon, &daemon->ask,
                             error);
    daemon->polls_at = calloc(prefetch->settings->watch_count + 1, sizeof *daemon->polls_at);
    if (r == 0 && !daemon->polls_at) r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; r == 0 && i < prefetch->settings->watch_count; i++)
        daemon->polls_at[i] = INT64_MIN;
    daemon->news_at = INT64_MIN;
    daemon->watching = (struct prefetch_watching){.store = prefetch->store,
                                                  .settings = prefetch->settings,
                                                  .asking = prefetch_ask_query,
                                                  .asking_ctx = daemon->ask,
                                                  .remark = daemon_remark,
                                                  .remark_ctx = daemon};
    return r;
}

/* Ends what runs, and waits for it. */
static void daemon_end(struct daemon *daemon)
{
    atomic_store(&daemon->prefetch->stop, 1);
    if (daemon->watcher_runs) pthread_join(daemon->watcher, NULL);
    daemon->watcher_runs = false;
    if (daemon->scheduler) prefetch_scheduler_drain(daemon->scheduler);
}

static void daemon_close(struct daemon *daemon)
{
    prefetch_scheduler_free(daemon->scheduler);
    prefetch_ask_free(daemon->ask);
    prefetch_engine_free(daemon->engine);
    free(daemon->polls_at);
    pthread_mutex_destroy(&daemon->remark_lock);
}

int trolley_prefetch_run(struct trolley_prefetch *prefetch, uint32_t flags,
                         trolley_remark_sink remark, void *remark_ctx,
                         struct trolley_prefetch_run_counts *ret_counts,
                         struct trolley_error *error)
{
    struct daemon daemon = {
        .prefetch = prefetch, .flags = flags, .remark = remark, .remark_ctx = remark_ctx};
    int r;

    pthread_mutex_init(&daemon.remark_lock, NULL);
    *ret_counts = (struct trolley_prefetch_run_counts){0};
    r = daemon_open(&daemon, error);
    if (r == 0 && (flags & TROLLEY_PREFETCH_ONCE)) {
        watcher_round(&daemon);
    } else if (r == 0) {
        daemon.watcher_runs = pthread_create(&daemon.watcher, NULL, watcher_main, &daemon) == 0;
        if (!daemon.watcher_runs) r = error_set(error, TROLLEY_ERR_NOMEM, "no thread for watches");
    }
    if (r == 0) r = daemon_loop(&daemon, error);
    daemon_end(&daemon);
    if (daemon.scheduler) prefetch_scheduler_counts(daemon.scheduler, ret_counts);
    ret_counts->arrivals = daemon.arrivals;
    daemon_close(&daemon);
    return r;
}

void trolley_prefetch_stop(struct trolley_prefetch *prefetch)
{
    atomic_store(&prefetch->stop, 1);
}
