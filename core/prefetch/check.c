/* check.c: the public face of lint, probe, storages and import. SPDX-License-Identifier: MIT */
#include "core/model/error.h"
#include "core/plugin/setup.h"
#include "core/prefetch/import.h"
#include "core/prefetch/lint.h"
#include "core/prefetch/probe.h"
#include "core/prefetch/settings.h"
#include "core/prefetch/storage.h"

#include <stdio.h>
#include <string.h>

/* ---- check ---------------------------------------------------------------------------------- */

struct check {
    const struct trolley_prefetch_check_options *options;
    const struct prefetch_exporter *exporter; /* being probed */
};

static void check_finding(void *ctx, const struct prefetch_finding *finding)
{
    const struct check *check = ctx;

    check->options->finding(check->options->ctx, finding->severity, finding->section,
                            finding->message);
}

static void check_url(void *ctx, const struct prefetch_exporter *exporter,
                      const struct prefetch_request *request, const char *url)
{
    const struct check *check = ctx;

    (void)request;
    if (check->options->url) check->options->url(check->options->ctx, exporter->id, url);
}

static int check_probed(void *ctx, const struct prefetch_probe_result *result)
{
    const struct check *check = ctx;
    struct trolley_error line;
    char section[300], text[1800];
    uint32_t i;

    (void)snprintf(section, sizeof section, "exporter %s", check->exporter->id);
    (void)snprintf(text, sizeof text, "%s: %s (first %d %s, second %d %s)", result->url,
                   result->kept ? "the proxy keeps it" : "the proxy does not keep it",
                   result->first, result->first_cache, result->second, result->second_cache);
    (void)error_set(&line, 0, "%s", text);
    check->options->finding(check->options->ctx,
                            result->kept ? TROLLEY_LOG_INFO : TROLLEY_LOG_ERROR, section,
                            line.message);
    for (i = 0; i < result->reason_count; i++)
        check->options->finding(check->options->ctx, TROLLEY_LOG_WARNING, section,
                                result->reasons[i]);
    return 0;
}

static int check_probe(struct trolley_setup *setup, const struct prefetch_settings *settings,
                       struct check *check, struct trolley_error *error)
{
    const struct trolley_prefetch_check_options *options = check->options;
    const struct prefetch_scope scope = {options->study, options->series, options->instance};
    struct prefetch_engine *engine;
    uint32_t i;
    int r = prefetch_engine_new(setup, settings, &engine, error), one, worst = 0;

    if (r < 0) return r;
    for (i = 0; i < settings->exporter_count; i++) {
        check->exporter = &settings->exporters[i];
        if (options->exporter && strcmp(options->exporter, check->exporter->id) != 0) continue;
        one = prefetch_probe(engine, check->exporter, &scope, check_probed, check,
                             &setup->cancelled, error);
        if (one < 0 && worst == 0) worst = one;
    }
    prefetch_engine_free(engine);
    return worst;
}

int trolley_prefetch_check(struct trolley_setup *setup,
                           const struct trolley_prefetch_check_options *options,
                           struct trolley_error *error)
{
    struct check check = {.options = options};
    const struct prefetch_lint_callbacks callbacks = {
        .ctx = &check, .finding = check_finding, .url = check_url};
    const struct prefetch_scope example = {options->study, options->series, options->instance};
    const bool whole = options->study && options->series && options->instance;
    struct prefetch_settings *settings;
    int r;

    if (options->probe && !options->study)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "a probe needs a study: --study UID");
    r = prefetch_settings_load(setup, &settings, error);
    if (r < 0) return r;
    if (options->exporter && !prefetch_exporter_get(settings, options->exporter))
        r = error_set(error, TROLLEY_ERR_INVALID_ARG, "there is no section [exporter %s]",
                      options->exporter);
    if (r == 0) r = prefetch_lint(setup, settings, whole ? &example : NULL, &callbacks, error);
    if (r == 0 && options->probe) r = check_probe(setup, settings, &check, error);
    prefetch_settings_free(settings);
    return r;
}

/* ---- storages ------------------------------------------------------------------------------- */

static int storage_each(void *ctx, const struct trolley_stored_item *item, uint32_t state,
                        const char *problem)
{
    static const char *const words[] = {"failed", "removed", "missing", "resized", "changed"};
    const struct trolley_prefetch_storage_options *options = ctx;
    const char *what = problem                                  ? problem
                       : state < sizeof words / sizeof words[0] ? words[state]
                                                                : words[0];

    return options->each ? options->each(options->ctx, item->path, what) : 0;
}

static int storage_do(struct trolley_setup *setup, const char *storage,
                      const struct trolley_prefetch_storage_options *options, bool purge,
                      struct trolley_prefetch_storage_counts *ret_counts,
                      struct trolley_error *error)
{
    const struct prefetch_storage_options own = {
        .study = options->study,
        .series = options->series,
        .instance = options->instance,
        .older_ms = options->older_ms,
        .dry_run = options->dry_run != 0,
        .forget = options->forget != 0,
    };
    struct trolley_prefetch_storage_options each = *options;
    struct prefetch_storage_result result = {0};
    int r =
        purge ? prefetch_storage_purge(setup, storage, &own, storage_each, &each, &result, error)
              : prefetch_storage_verify(setup, storage, &own, storage_each, &each, &result, error);

    if (r < 0) return r;
    *ret_counts = (struct trolley_prefetch_storage_counts){
        result.files, result.bytes, result.missing, result.resized, result.changed, result.failed};
    return 0;
}

int trolley_prefetch_storage_verify(struct trolley_setup *setup, const char *storage,
                                    const struct trolley_prefetch_storage_options *options,
                                    struct trolley_prefetch_storage_counts *ret_counts,
                                    struct trolley_error *error)
{
    return storage_do(setup, storage, options, false, ret_counts, error);
}

int trolley_prefetch_storage_purge(struct trolley_setup *setup, const char *storage,
                                   const struct trolley_prefetch_storage_options *options,
                                   struct trolley_prefetch_storage_counts *ret_counts,
                                   struct trolley_error *error)
{
    return storage_do(setup, storage, options, true, ret_counts, error);
}

/* ---- import --------------------------------------------------------------------------------- */

int trolley_prefetch_import(const struct trolley_prefetch_import_options *options,
                            struct trolley_error *error)
{
    const struct prefetch_import_options own = {
        .file = options->file,
        .searcher = options->searcher,
        .session = options->session,
        .sets = options->sets,
        .set_count = options->set_count,
        .rewrites = options->rewrites,
        .rewrite_count = options->rewrite_count,
    };

    return prefetch_import_ldif(&own, options->text, options->note, options->ctx, error);
}
