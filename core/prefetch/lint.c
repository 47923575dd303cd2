/* SPDX-License-Identifier: MIT */
#include "core/prefetch/lint.h"

#include <kit/buffer.h>
#include <kit/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/model/error.h"
#include "core/prefetch/engine.h"
#include "core/prefetch/job.h"
#include "core/prefetch/paths.h"

struct lint {
    struct trolley_setup *setup;
    const struct prefetch_settings *settings;
    const struct prefetch_lint_callbacks *callbacks;
    struct prefetch_engine *engine;
    char section[160]; /* that is looked at */
    uint64_t errors;
};

__attribute__((format(printf, 3, 4))) static void lint_say(struct lint *lint, uint32_t severity,
                                                           const char *format, ...)
{
    struct prefetch_finding finding = {severity, lint->section, NULL};
    struct kit_buffer line = {0};
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (severity == TROLLEY_LOG_ERROR) lint->errors++;
    if (kit_text_escape(&line, text, strlen(text)) == 0) {
        finding.message = line.data ? line.data : "";
        lint->callbacks->finding(lint->callbacks->ctx, &finding);
    }
    kit_buffer_free(&line);
}

/* "uri" or "url.3". */
static const char *lint_key(uint32_t url, char key[16])
{
    (void)snprintf(key, 16, url ? "url.%u" : "uri", url);
    return key;
}

/* ---- URLs ---- */

static void lint_brackets(struct lint *lint, const char *key, const char *text)
{
    const char *host = strstr(text, "://"), *at = text;
    const char *end = host ? host + 3 + strcspn(host + 3, "/?") : text;

    for (; (at = strchr(at, '[')); at++) {
        const size_t digits = strspn(at + 1, "0123456789");

        if (!digits || at[1 + digits] != ']') continue;
        if (at < end)
            lint_say(lint, TROLLEY_LOG_WARNING,
                     "%s: a placeholder in the name of the server: the session's log-in goes to "
                     "servers that are written out only",
                     key);
        else if (digits > 1 || at[1] > '3')
            lint_say(lint, TROLLEY_LOG_WARNING,
                     "%s: %.*s is no placeholder ([0] to [3]) and is sent as it stands", key,
                     (int)digits + 2, at);
    }
}

/* Is there a coding in the list that the HTTP module cannot undo? */
static bool lint_coding(const char *list)
{
    static const char *const known[] = {"gzip", "deflate", "identity"};
    size_t i, length;

    for (; *list; list += strcspn(list, ",")) {
        list += strspn(list, ", \t");
        length = strcspn(list, ",; \t");
        for (i = 0; i < sizeof known / sizeof known[0]; i++)
            if (length == strlen(known[i]) && strncasecmp(list, known[i], length) == 0) break;
        if (length && i == sizeof known / sizeof known[0]) return true;
    }
    return false;
}

static void lint_url(struct lint *lint, const struct prefetch_exporter *exporter, uint32_t i)
{
    const struct prefetch_url *url = &exporter->urls[i];
    char key[16];

    (void)lint_key(i, key);
    lint_brackets(lint, key, url->text);
    if (url->grain == PREFETCH_GRAIN_FRAME && !strstr(url->text, "[2]"))
        lint_say(lint, TROLLEY_LOG_WARNING,
                 "%s: it asks for a frame ([3]) without saying of which instance ([2])", key);
    if (url->accept_encoding && lint_coding(url->accept_encoding))
        lint_say(lint, TROLLEY_LOG_WARNING,
                 "%s: accept_encoding = %s: answers are read in gzip, deflate and identity only",
                 key, url->accept_encoding);
    if (!url->accept)
        lint_say(lint, TROLLEY_LOG_INFO,
                 "%s: without accept, whatever comes is fine, but for HTML pages", key);
    if (!url->storage && !url->cache_control)
        lint_say(
            lint, TROLLEY_LOG_WARNING,
            "%s: nothing is stored, and without cache_control = no-cache a proxy keeps the old "
            "answer of a study that has changed",
            key);
}

static void lint_example(struct lint *lint, const struct prefetch_exporter *exporter,
                         const struct prefetch_scope *example)
{
    uint32_t i;

    for (i = 0; lint->callbacks->url && i < exporter->url_count; i++) {
        const enum prefetch_grain grain = exporter->urls[i].grain;
        const struct prefetch_request request = {
            .url = i,
            .study = grain >= PREFETCH_GRAIN_STUDY ? example->study : NULL,
            .series = grain >= PREFETCH_GRAIN_SERIES ? example->series : NULL,
            .instance = grain >= PREFETCH_GRAIN_INSTANCE ? example->instance : NULL,
            .frame = grain == PREFETCH_GRAIN_FRAME ? 1 : 0};
        struct kit_buffer url = {0};

        if (job_url(exporter, &request, &url) == 0)
            lint->callbacks->url(lint->callbacks->ctx, exporter, &request, url.data);
        kit_buffer_free(&url);
    }
}

/* ---- what an exporter names ---- */

static void lint_storage(struct lint *lint, const struct prefetch_exporter *exporter, uint32_t i)
{
    const struct prefetch_url *url = &exporter->urls[i];
    struct engine_storage *storage;
    struct trolley_error error = {0};
    const char *type;
    char key[16];

    if (!url->storage) return;
    if (engine_storage(lint->engine, url->storage, &storage, &error) < 0) {
        lint_say(lint, TROLLEY_LOG_ERROR, "%s: %s", lint_key(i, key), error.message);
        return;
    }
    type = component_text(storage->instance->component, "type");
    if (type && (strcmp(type, "tree") == 0 || strcmp(type, "flat") == 0) &&
        url->grain < PREFETCH_GRAIN_INSTANCE)
        lint_say(lint, TROLLEY_LOG_ERROR,
                 "%s: [storage %s] names files after instances, and this URL has none ([2]); use "
                 "type = template",
                 lint_key(i, key), url->storage);
    if (prefetch_paths_overwrite(lint->setup->file, url))
        lint_say(lint, TROLLEY_LOG_ERROR,
                 "%s: path_format of [storage %s] leaves out what tells its objects apart, so that "
                 "each takes the place of the one before",
                 lint_key(i, key), url->storage);
}

static void lint_searcher(struct lint *lint, const struct prefetch_exporter *exporter)
{
    struct engine_searcher *searcher;
    struct trolley_error error = {0};
    uint32_t levels, i;
    char key[16];

    if (!exporter->searcher) return;
    if (engine_searcher_take(lint->engine, exporter->searcher, &searcher, &error) < 0) {
        lint_say(lint, TROLLEY_LOG_ERROR, "%s", error.message);
        return;
    }
    levels = instance_levels(searcher->instance);
    for (i = 0; i < exporter->url_count; i++) {
        const bool instances = exporter->urls[i].grain >= PREFETCH_GRAIN_INSTANCE;
        const uint32_t wanted = instances ? TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE)
                                          : TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
                                                TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE);

        if (exporter->urls[i].grain >= PREFETCH_GRAIN_SERIES && !(levels & wanted))
            lint_say(lint, TROLLEY_LOG_ERROR, "%s: %s cannot name %s", lint_key(i, key),
                     searcher->instance->component->title, instances ? "instances" : "series");
    }
    engine_searcher_give(lint->engine, searcher);
}

static void lint_session(struct lint *lint, const struct prefetch_exporter *exporter)
{
    const struct trolley_config *config = section_config(exporter->section);
    const char *name = config->text(config, "session");
    struct session *session;
    struct trolley_error error = {0};
    const char *auth;
    int r;

    if (!name) return;
    loader_lock();
    r = session_get(lint->setup, name, &session, &error);
    loader_unlock();
    if (r < 0) {
        lint_say(lint, TROLLEY_LOG_ERROR, "%s", error.message);
        return;
    }
    config = section_config((struct section *)session_section(session));
    auth = config->text(config, "auth");
    if (auth && strcmp(auth, "none") != 0)
        lint_say(lint, TROLLEY_LOG_INFO,
                 "it logs in as [session %s]: what a proxy keeps of it is given to everybody, "
                 "unless the proxy asks who it is before it looks into its cache",
                 name);
}

/* ---- rules ---- */

static void lint_rules_of(struct lint *lint, const struct prefetch_exporter *exporter)
{
    const struct prefetch_settings *settings = lint->settings;
    const struct prefetch_rule *first = NULL;
    uint32_t i, k;

    for (i = 0; i < settings->rule_count; i++)
        for (k = 0; k < settings->rules[i].exporter_count; k++) {
            if (settings->rules[i].exporters[k] != exporter) continue;
            if (first && first->entity != settings->rules[i].entity)
                lint_say(lint, TROLLEY_LOG_WARNING,
                         "[rule %s] and [rule %s] name it with different entities: the wider one "
                         "wins where both match",
                         first->name, settings->rules[i].name);
            if (!first) first = &settings->rules[i];
        }
    if (!first) lint_say(lint, TROLLEY_LOG_INFO, "no rule names it: it works by command only");
}

static void lint_rules(struct lint *lint)
{
    const struct prefetch_settings *settings = lint->settings;

    (void)snprintf(lint->section, sizeof lint->section, "prefetch");
    if (settings->rule_count && !settings->watch_count && !settings->on_download)
        lint_say(lint, TROLLEY_LOG_WARNING,
                 "nothing triggers the rules: there is no [watch], and on_download = no");
    if (!settings->rule_count && settings->watch_count)
        lint_say(lint, TROLLEY_LOG_WARNING, "what the watches find is dropped: there is no [rule]");
}

static void lint_exporter(struct lint *lint, const struct prefetch_exporter *exporter,
                          const struct prefetch_scope *example)
{
    uint32_t i;

    (void)snprintf(lint->section, sizeof lint->section, "exporter %s", exporter->id);
    lint_rules_of(lint, exporter);
    lint_session(lint, exporter);
    lint_searcher(lint, exporter);
    for (i = 0; i < exporter->url_count; i++) {
        lint_url(lint, exporter, i);
        lint_storage(lint, exporter, i);
    }
    if (exporter->queue->max_retries == 0)
        lint_say(lint, TROLLEY_LOG_INFO,
                 "[queue %s] has max_retries = 0: what fails is not retried",
                 exporter->queue->name);
    lint_example(lint, exporter, example);
}

int prefetch_lint(struct trolley_setup *setup, const struct prefetch_settings *settings,
                  const struct prefetch_scope *example,
                  const struct prefetch_lint_callbacks *callbacks, struct trolley_error *error)
{
    static const struct prefetch_scope made_up = {"1.2.3", "1.2.3.4", "1.2.3.4.5"};
    struct lint lint = {.setup = setup, .settings = settings, .callbacks = callbacks};
    uint32_t i;
    int r = prefetch_engine_new(setup, settings, &lint.engine, error);

    if (r < 0) return r;
    lint_rules(&lint);
    for (i = 0; i < settings->exporter_count; i++)
        lint_exporter(&lint, &settings->exporters[i], example ? example : &made_up);
    prefetch_engine_free(lint.engine);
    if (!lint.errors) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "the settings of prefetching have faults");
}
