/*
 * prefetch_driver: carries out one export of an INI file by hand and for tests/integration, and
 * prints what came of it as JSON lines. SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <kit/buffer.h>
#include <kit/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/prefetch/export.h"
#include "core/prefetch/lint.h"
#include "core/prefetch/probe.h"

#define USAGE                                                                       \
    "prefetch_driver [options] INI EXPORTER STUDY [SERIES [INSTANCE]]\n"            \
    "  -n only tell the URLs  -f FILE note what failed  -a FILE repeat only that\n" \
    "  -t TIMES, one after the other  -c N cancel after N failures\n"               \
    "  -p probe the cache  -l look through the settings\n"

struct driver {
    FILE *failed, *again;
    bool rehearse, probe, lint;
    long times, cancel_after, failures;
    atomic_int cancel;
};

static void put(struct kit_json *json)
{
    kit_json_close(json);
    if (json->status == 0) (void)printf("%s\n", json->out->data);
    (void)fflush(stdout);
    kit_buffer_free(json->out);
}

static void put_request(struct kit_json *json, const struct prefetch_request *request)
{
    kit_json_uint(json, "number", request->url);
    if (request->study) kit_json_text(json, "study", request->study);
    if (request->series) kit_json_text(json, "series", request->series);
    if (request->instance) kit_json_text(json, "instance", request->instance);
    if (request->frame) kit_json_uint(json, "frame", request->frame);
}

static int rehearsed(void *ctx, const struct prefetch_request *request, const char *url)
{
    struct kit_buffer text = {0};
    struct kit_json json = {.out = &text};

    (void)ctx;
    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "url", url);
    put_request(&json, request);
    put(&json);
    return 0;
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static int failed(void *ctx, const struct prefetch_request *request, const char *message)
{
    struct driver *driver = ctx;
    struct kit_buffer text = {0};
    struct kit_json json = {.out = &text};

    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "failed", message);
    put_request(&json, request);
    put(&json);
    if (driver->failed)
        (void)fprintf(driver->failed, "%u %s %s %s %u\n", request->url, or_dash(request->study),
                      or_dash(request->series), or_dash(request->instance), request->frame);
    if (++driver->failures == driver->cancel_after) atomic_store(&driver->cancel, 1);
    return 0;
}

static const char *not_dash(const char *text)
{
    return strcmp(text, "-") == 0 ? NULL : text;
}

static int again(void *ctx, struct prefetch_request *ret_request)
{
    static char study[80], series[80], instance[80];
    struct driver *driver = ctx;
    unsigned url, frame;

    if (fscanf(driver->again, "%u %79s %79s %79s %u", &url, study, series, instance, &frame) != 5)
        return 0;
    *ret_request = (struct prefetch_request){url, not_dash(study), not_dash(series),
                                             not_dash(instance), frame};
    return 1;
}

static void remark(void *ctx, const struct trolley_remark *remark)
{
    struct kit_buffer text = {0};
    struct kit_json json = {.out = &text};

    (void)ctx;
    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "remark", remark->message);
    kit_json_text(&json, "component", remark->component);
    put(&json);
}

static void put_result(int r, const struct prefetch_result *result, const char *error)
{
    static const char *const outcomes[] = {"", "COMPLETED", "WARNING", "FAILED"};
    struct kit_buffer text = {0};
    struct kit_json json = {.out = &text};

    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "outcome", outcomes[result->outcome]);
    kit_json_text(&json, "status", trolley_status_name(r));
    kit_json_text(&json, "message", result->message);
    kit_json_text(&json, "error", error);
    kit_json_uint(&json, "requested", result->requested);
    kit_json_uint(&json, "succeeded", result->succeeded);
    kit_json_uint(&json, "failed_count", result->failed);
    kit_json_uint(&json, "not_found", result->not_found);
    kit_json_uint(&json, "bytes", result->bytes);
    kit_json_uint(&json, "hit", result->cache_hit);
    kit_json_uint(&json, "miss", result->cache_miss);
    kit_json_uint(&json, "bypass", result->cache_bypass);
    kit_json_uint(&json, "same", result->same);
    kit_json_uint(&json, "retry_after_ms", result->retry_after_ms);
    kit_json_bool(&json, "unfinished", result->unfinished);
    put(&json);
}

static int probed(void *ctx, const struct prefetch_probe_result *result)
{
    struct kit_buffer text = {0};
    struct kit_json json = {.out = &text};
    uint32_t i;

    (void)ctx;
    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "probed", result->url);
    kit_json_uint(&json, "number", result->number);
    kit_json_bool(&json, "kept", result->kept);
    kit_json_uint(&json, "first", (uint64_t)result->first);
    kit_json_uint(&json, "second", (uint64_t)result->second);
    kit_json_uint(&json, "anonymous", (uint64_t)result->anonymous);
    kit_json_text(&json, "first_cache", result->first_cache);
    kit_json_text(&json, "second_cache", result->second_cache);
    kit_json_text(&json, "anonymous_cache", result->anonymous_cache);
    kit_json_open(&json, "reasons", '[');
    for (i = 0; i < result->reason_count; i++)
        kit_json_text(&json, NULL, result->reasons[i]);
    kit_json_close(&json);
    put(&json);
    return 0;
}

static void found(void *ctx, const struct prefetch_finding *finding)
{
    struct kit_buffer text = {0};
    struct kit_json json = {.out = &text};

    (void)ctx;
    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "finding", finding->message);
    kit_json_text(&json, "section", finding->section);
    kit_json_uint(&json, "severity", finding->severity);
    put(&json);
}

static void example(void *ctx, const struct prefetch_exporter *exporter,
                    const struct prefetch_request *request, const char *url)
{
    (void)exporter;
    (void)rehearsed(ctx, request, url);
}

static int look(const struct prefetch_settings *settings, struct trolley_setup *setup)
{
    const struct prefetch_lint_callbacks callbacks = {NULL, found, example};
    struct trolley_error error = {0};

    return prefetch_lint(setup, settings, NULL, &callbacks, &error) < 0 ? 1 : 0;
}

static int run(struct driver *driver, const struct prefetch_settings *settings,
               struct trolley_setup *setup, const char *id, const struct prefetch_scope *scope)
{
    const struct prefetch_exporter *exporter = prefetch_exporter_get(settings, id);
    const struct prefetch_export_callbacks callbacks = {
        .ctx = driver,
        .again = driver->again ? again : NULL,
        .failed = failed,
        .rehearsed = driver->rehearse ? rehearsed : NULL,
        .remark = remark,
    };
    struct prefetch_result result = {0};
    struct prefetch_engine *engine = NULL;
    struct trolley_error error = {0};
    long i;
    int r = exporter ? prefetch_engine_new(setup, settings, &engine, &error) : -1;

    if (r == 0 && driver->probe) {
        r = prefetch_probe(engine, exporter, scope, probed, driver, &driver->cancel, &error);
        prefetch_engine_free(engine);
        if (r < 0) (void)fprintf(stderr, "%s\n", error.message);
        return r == 0 ? 0 : 1;
    }
    for (i = 0; r == 0 && i < driver->times; i++) {
        r = prefetch_export(engine, exporter, scope, &callbacks, &driver->cancel, &result, &error);
        put_result(r, &result, error.message);
    }
    prefetch_engine_free(engine);
    return r == 0 && result.outcome == PREFETCH_COMPLETED ? 0 : 1;
}

static int load(struct driver *driver, char **words, int count)
{
    const struct prefetch_scope scope = {words[2], count > 3 ? words[3] : NULL,
                                         count > 4 ? words[4] : NULL};
    struct prefetch_settings *settings = NULL;
    struct trolley_setup *setup = NULL;
    struct trolley_error error = {0};
    int r = trolley_setup_open(words[0], &setup, &error);

    if (r == 0) r = prefetch_settings_load(setup, &settings, &error);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", error.message);
    else if (driver->lint)
        r = look(settings, setup);
    else
        r = run(driver, settings, setup, words[1], &scope);
    prefetch_settings_free(settings);
    trolley_setup_close(setup);
    return r < 0 ? 2 : r;
}

static void log_line(void *ctx, uint32_t level, const char *component, const char *message)
{
    (void)ctx;
    (void)fprintf(stderr, "%u %s: %s\n", level, component, message);
}

int main(int argc, char **argv)
{
    static struct driver driver = {.times = 1};
    int letter, r;

    while ((letter = getopt(argc, argv, "nplf:a:t:c:")) != -1)
        switch (letter) {
        case 'n':
            driver.rehearse = true;
            break;
        case 'p':
            driver.probe = true;
            break;
        case 'l':
            driver.lint = true;
            break;
        case 'f':
            driver.failed = fopen(optarg, "w");
            break;
        case 'a':
            driver.again = fopen(optarg, "r");
            break;
        case 't':
            driver.times = strtol(optarg, NULL, 10);
            break;
        case 'c':
            driver.cancel_after = strtol(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    if (argc - optind < 3 || argc - optind > 5) {
        (void)fputs(USAGE, stderr);
        return 2;
    }
    trolley_set_log(log_line, NULL, TROLLEY_LOG_WARNING);
    r = load(&driver, argv + optind, argc - optind);
    if (driver.failed && fclose(driver.failed) != 0) r = 2;
    if (driver.again) (void)fclose(driver.again);
    return r;
}
