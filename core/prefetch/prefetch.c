/* prefetch.c: the public face of prefetching: opening it, orders, administration.
 * SPDX-License-Identifier: MIT */
#include "core/prefetch/prefetch.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"
#include "core/prefetch/arrival.h"
#include "core/prefetch/schedule.h"
#include "kit/uid.h"

int trolley_prefetch_open(struct trolley_setup *setup, const char *clock,
                          struct trolley_prefetch **ret_prefetch, struct trolley_error *error)
{
    struct trolley_prefetch *prefetch = calloc(1, sizeof *prefetch);
    int r = 0;

    if (!prefetch) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    prefetch->setup = setup;
    prefetch_clock_system(&prefetch->clock);
    prefetch->told = calloc(PREFETCH_TOLD, sizeof *prefetch->told);
    prefetch->clock_path = clock ? strdup(clock) : NULL;
    if (!prefetch->told || (clock && !prefetch->clock_path))
        r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (r == 0 && clock) r = prefetch_clock_file(prefetch->clock_path, &prefetch->clock, error);
    if (r == 0) r = prefetch_settings_load(setup, &prefetch->settings, error);
    if (r == 0) r = prefetch_store_open(prefetch->settings->state_dir, &prefetch->store, error);
    if (r < 0) {
        trolley_prefetch_close(prefetch);
        return r;
    }
    prefetch->instances = prefetch_rules_depth(prefetch->settings) >= TROLLEY_LEVEL_INSTANCE;
    *ret_prefetch = prefetch;
    return 0;
}

int trolley_prefetch_on_download(struct trolley_setup *setup, struct trolley_error *error)
{
    struct prefetch_settings *settings;
    int r = prefetch_settings_load(setup, &settings, error);

    if (r < 0) return r;
    r = settings->on_download;
    prefetch_settings_free(settings);
    return r;
}

static void prefetch_forget(struct trolley_prefetch *prefetch)
{
    while (prefetch->told_count > 0)
        free(prefetch->told[--prefetch->told_count].searcher);
}

void trolley_prefetch_close(struct trolley_prefetch *prefetch)
{
    if (!prefetch) return;
    prefetch_forget(prefetch);
    free(prefetch->told);
    prefetch_store_close(prefetch->store);
    prefetch_settings_free(prefetch->settings);
    free(prefetch->clock_path);
    free(prefetch);
}

int64_t trolley_prefetch_now(const struct trolley_prefetch *prefetch)
{
    return prefetch_clock_now(&prefetch->clock);
}

/* ---- administration ------------------------------------------------------------------------- */

int trolley_prefetch_tasks(struct trolley_prefetch *prefetch,
                           const struct trolley_prefetch_filter *filter,
                           int (*each)(void *ctx, const struct trolley_prefetch_task *task),
                           void *ctx, struct trolley_error *error)
{
    return prefetch_store_tasks(prefetch->store, filter, each, ctx, error);
}

int trolley_prefetch_count(struct trolley_prefetch *prefetch,
                           const struct trolley_prefetch_filter *filter, uint64_t counts[8],
                           struct trolley_error *error)
{
    return prefetch_store_count(prefetch->store, filter, counts, error);
}

int trolley_prefetch_cancel(struct trolley_prefetch *prefetch,
                            const struct trolley_prefetch_filter *filter,
                            struct trolley_prefetch_changes *ret_changes,
                            struct trolley_error *error)
{
    return prefetch_store_cancel(prefetch->store, filter, trolley_prefetch_now(prefetch),
                                 ret_changes, error);
}

static int prefetch_exporter(const struct trolley_prefetch *prefetch, const char *id,
                             struct trolley_error *error)
{
    if (prefetch_exporter_get(prefetch->settings, id)) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_ARG, "there is no section [exporter %s]", id);
}

int trolley_prefetch_reschedule(struct trolley_prefetch *prefetch,
                                const struct trolley_prefetch_filter *filter, int64_t at_ms,
                                const char *to, struct trolley_prefetch_changes *ret_changes,
                                struct trolley_error *error)
{
    int r = to ? prefetch_exporter(prefetch, to, error) : 0;

    if (r < 0) return r;
    return prefetch_store_reschedule(prefetch->store, filter, trolley_prefetch_now(prefetch), at_ms,
                                     to, ret_changes, error);
}

int trolley_prefetch_delete(struct trolley_prefetch *prefetch,
                            const struct trolley_prefetch_filter *filter,
                            struct trolley_prefetch_changes *ret_changes,
                            struct trolley_error *error)
{
    return prefetch_store_delete(prefetch->store, filter, ret_changes, error);
}

int trolley_prefetch_pause(struct trolley_prefetch *prefetch, const char *queue, int32_t paused,
                           struct trolley_error *error)
{
    uint32_t i;

    for (i = 0; i < prefetch->settings->queue_count; i++)
        if (strcmp(prefetch->settings->queues[i].name, queue) == 0)
            return prefetch_store_pause(prefetch->store, queue, paused != 0, error);
    return error_set(error, TROLLEY_ERR_INVALID_ARG, "there is no section [queue %s]", queue);
}

/* ---- orders and arrivals -------------------------------------------------------------------- */

static int prefetch_uid(const char *text, const char *what, struct trolley_error *error)
{
    if (!text || kit_uid_valid(text)) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_ARG,
                     "`%.80s` is no %s (digits and dots, at most 64)", text, what);
}

static int prefetch_uids(const char *study, const char *series, const char *instance,
                         struct trolley_error *error)
{
    int r = prefetch_uid(study, "Study Instance UID", error);

    if (r == 0) r = prefetch_uid(series, "Series Instance UID", error);
    if (r == 0) r = prefetch_uid(instance, "SOP Instance UID", error);
    if (r == 0 && (!study || (instance && !series)))
        r = error_set(error, TROLLEY_ERR_INVALID_ARG,
                      "an instance is named with its study and series, a series with its study");
    return r;
}

int trolley_prefetch_export(struct trolley_prefetch *prefetch,
                            const struct trolley_prefetch_order *order, int64_t *ret_id,
                            uint32_t *ret_merged, struct trolley_error *error)
{
    bool merged = false;
    int r = prefetch_exporter(prefetch, order->exporter, error);

    if (r == 0) r = prefetch_uids(order->study, order->series, order->instance, error);
    if (r == 0)
        r = prefetch_store_order(prefetch->store, order, trolley_prefetch_now(prefetch), ret_id,
                                 &merged, error);
    if (r == 0) *ret_merged = merged;
    return r;
}

int trolley_prefetch_arrivals_keep(struct trolley_prefetch *prefetch, struct trolley_error *error)
{
    uint32_t i;
    int r;

    if (prefetch->told_count == 0) return 0;
    r = prefetch_store_begin(prefetch->store, error);
    if (r < 0) return r;
    for (i = 0; r == 0 && i < prefetch->told_count; i++) {
        const struct prefetch_told *told = &prefetch->told[i];
        const struct prefetch_news news = {.kind = told->kind,
                                           .searcher = told->searcher,
                                           .study = told->study,
                                           .series = told->series,
                                           .instance = told->instance,
                                           .at_ms = told->at_ms};

        r = prefetch_store_news_add(prefetch->store, &news, error);
    }
    r = prefetch_store_end(prefetch->store, r, error);
    if (r == 0) prefetch_forget(prefetch);
    return r;
}

static bool told_same(const struct prefetch_told *told, uint32_t kind, const char *searcher,
                      const char *study, const char *series, const char *instance)
{
    return told->kind == kind && strcmp(told->study, study) == 0 &&
           strcmp(told->series, series) == 0 && strcmp(told->instance, instance) == 0 &&
           strcmp(told->searcher ? told->searcher : "", searcher ? searcher : "") == 0;
}

int trolley_prefetch_arrived(struct trolley_prefetch *prefetch, const char *searcher, uint32_t kind,
                             const char *study, const char *series, const char *instance,
                             struct trolley_error *error)
{
    const char *part = prefetch->instances && instance ? instance : "";
    struct prefetch_told *told;
    int r = prefetch_uids(study, series, instance, error);

    if (r < 0) return r;
    if (!series) series = "";
    /* Instances come one by one: of those of a series the last one counts. */
    told = prefetch->told_count ? &prefetch->told[prefetch->told_count - 1] : NULL;
    if (told && told_same(told, kind, searcher, study, series, part)) {
        told->at_ms = trolley_prefetch_now(prefetch);
        return 0;
    }
    if (prefetch->told_count == PREFETCH_TOLD) r = trolley_prefetch_arrivals_keep(prefetch, error);
    if (r < 0) return r;
    told = &prefetch->told[prefetch->told_count];
    *told = (struct prefetch_told){.kind = kind, .at_ms = trolley_prefetch_now(prefetch)};
    told->searcher = searcher ? strdup(searcher) : NULL;
    if (searcher && !told->searcher) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    memcpy(told->study, study, strlen(study) + 1);
    memcpy(told->series, series, strlen(series) + 1);
    memcpy(told->instance, part, strlen(part) + 1);
    prefetch->told_count++;
    return 0;
}
