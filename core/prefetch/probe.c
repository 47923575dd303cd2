/* SPDX-License-Identifier: MIT */
#include "core/prefetch/probe.h"

#include <kit/buffer.h>
#include <kit/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/model/error.h"
#include "core/prefetch/fields.h"
#include "core/prefetch/job.h"

#define PROBE_WORDS 200 /* bytes kept of a header field */

/* What an answer said that counts for a cache. */
struct answer {
    int32_t status;
    char cache[40];
    char control[PROBE_WORDS], expires[PROBE_WORDS], vary[PROBE_WORDS];
    bool cookie, accel; /* Set-Cookie; X-Accel-Expires: 0 */
};

/* One URL under examination. */
struct probe {
    struct prefetch_engine *engine;
    const struct prefetch_exporter *exporter;
    struct engine_door *door;
    struct trolley_http_session
        *anonymous; /* without the exporter's session; NULL when not needed */
    struct task *task;
    struct answer first, second, third;
    char reasons[PROBE_REASONS][320];
    struct prefetch_probe_result result;
};

/* The first request of each URL. */
struct sampling {
    const struct prefetch_exporter *exporter;
    struct job_item *items;
    bool *seen;
    uint32_t left;
};

static void answer_copy(char *to, size_t size, const char *value)
{
    (void)snprintf(to, size, "%s", value ? value : "");
}

static int32_t answer_head(void *ctx, const struct trolley_http_response *response)
{
    struct answer *answer = ctx;
    const char *accel = fields_of(response, "X-Accel-Expires");

    answer->status = response->status;
    answer_copy(answer->cache, sizeof answer->cache, fields_of(response, "X-Cache-Status"));
    answer_copy(answer->control, sizeof answer->control, fields_of(response, "Cache-Control"));
    answer_copy(answer->expires, sizeof answer->expires, fields_of(response, "Expires"));
    answer_copy(answer->vary, sizeof answer->vary, fields_of(response, "Vary"));
    answer->cookie = fields_of(response, "Set-Cookie") != NULL;
    answer->accel = accel && strcmp(accel, "0") == 0;
    return 0;
}

__attribute__((format(printf, 2, 3))) static void probe_reason(struct probe *probe,
                                                               const char *format, ...)
{
    struct prefetch_probe_result *result = &probe->result;
    struct kit_buffer line = {0};
    char text[300];
    va_list args;

    if (result->reason_count == PROBE_REASONS) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (kit_text_escape(&line, text, strlen(text)) == 0) {
        (void)snprintf(probe->reasons[result->reason_count], sizeof probe->reasons[0], "%s",
                       line.data ? line.data : "");
        result->reasons[result->reason_count] = probe->reasons[result->reason_count];
        result->reason_count++;
    }
    kit_buffer_free(&line);
}

/* Whether a list of directives has one, as a word of its own. */
static bool probe_has(const char *list, const char *word)
{
    const size_t length = strlen(word);
    const char *at = list;

    for (; (at = strcasestr(at, word)); at++)
        if ((at == list || strchr(", \t", at[-1])) && strchr(",= \t", at[length])) return true;
    return false;
}

/* The seconds that the answer says it is good for to a shared cache [RFC 9111 4.2.1]; -1 when it
 * does not say. */
static long probe_seconds(const char *control)
{
    const char *at = strcasestr(control, "s-maxage=");

    if (!at) at = strcasestr(control, "max-age=");
    return at ? strtol(strchr(at, '=') + 1, NULL, 10) : -1;
}

static void probe_explain_validity(struct probe *probe, const struct answer *answer)
{
    const long seconds = probe_seconds(answer->control);
    const char *expires = answer->expires;

    if (seconds == 0)
        probe_reason(probe,
                     "Cache-Control: %s: the origin gives it no time to live; "
                     "proxy_ignore_headers Cache-Control, and set proxy_cache_valid",
                     answer->control);
    else if (seconds < 0 && (strcmp(expires, "0") == 0 || strcmp(expires, "-1") == 0))
        probe_reason(probe,
                     "Expires: %s is over already; proxy_ignore_headers Expires, and set "
                     "proxy_cache_valid",
                     expires);
    else if (seconds < 0 && !*expires && !probe->result.kept)
        probe_reason(probe,
                     "the origin does not say how long it is good for (neither Cache-Control: "
                     "max-age nor Expires): the proxy needs proxy_cache_valid");
}

static void probe_explain_control(struct probe *probe, const struct answer *answer)
{
    static const char *const words[] = {"private", "no-store", "no-cache"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (probe_has(answer->control, words[i]))
            probe_reason(probe,
                         "Cache-Control: %s: the origin forbids it (%s); "
                         "proxy_ignore_headers Cache-Control, if that is right here",
                         answer->control, words[i]);
}

static void probe_explain_vary(struct probe *probe, const struct answer *answer)
{
    if (!*answer->vary) return;
    if (strchr(answer->vary, '*'))
        probe_reason(probe, "Vary: *: never kept; proxy_ignore_headers Vary");
    else
        probe_reason(probe,
                     "Vary: %s: kept for requests alone that have these fields byte for byte "
                     "as here; proxy_ignore_headers Vary, and put what counts into the key",
                     answer->vary);
}

/* What the answers tell of why it is not kept, or not for everybody. */
static void probe_explain(struct probe *probe, bool logs_in)
{
    const struct answer *answer = &probe->first;
    const char *told = probe->second.cache;

    if (!*told)
        probe_reason(probe, "the answer has no X-Cache-Status: is there a caching proxy at this "
                            "address? add_header X-Cache-Status $upstream_cache_status always");
    if (strcasecmp(told, "BYPASS") == 0)
        probe_reason(probe, "the proxy passes its cache by for a viewer's request, too: see "
                            "proxy_cache_bypass");
    if (answer->status != 200)
        probe_reason(probe, "the first request was answered with %d", (int)answer->status);
    if (answer->cookie)
        probe_reason(probe,
                     "Set-Cookie: such an answer is not kept; proxy_ignore_headers Set-Cookie "
                     "and proxy_hide_header Set-Cookie");
    if (answer->accel) probe_reason(probe, "X-Accel-Expires: 0: the origin forbids it");
    probe_explain_control(probe, answer);
    probe_explain_validity(probe, answer);
    probe_explain_vary(probe, answer);
    if (!logs_in) return;
    if (!probe->result.kept)
        probe_reason(probe, "the request has Authorization: many proxies keep nothing of it unless "
                            "they are told to");
    if (probe->third.status == 200)
        probe_reason(probe,
                     "without any log-in the same URL is answered with 200%s%s: let the proxy "
                     "ask who it is (auth_request) before it looks into its cache",
                     *probe->third.cache ? ", " : "", probe->third.cache);
}

/* One request; its answer, if any came. */
static int probe_ask(struct probe *probe, const char *url, uint32_t number,
                     struct trolley_http_session *session, bool as_viewer, struct answer *answer)
{
    const struct trolley_http_handler handler = {answer, answer_head, NULL};
    struct trolley_http_request request = {.size = sizeof request, .url = url};
    struct fields fields = {0};
    int r = fields_fill(&fields, probe->exporter, &probe->exporter->urls[number], as_viewer);

    task_reset(probe->task);
    request.headers = fields_span(&fields);
    if (r == 0) r = probe->engine->http->request(session, &request, &handler, &probe->task->abi);
    fields_clear(&fields);
    if (r < 0 && !answer->status) {
        struct task_failure failure;

        task_failure_of(probe->task, r, &failure);
        probe_reason(probe, "%s", failure.message);
    }
    return r == TROLLEY_ERR_CANCELLED || r == TROLLEY_ERR_NOMEM ? r : 0;
}

static int probe_url(struct probe *probe, const struct job_item *item,
                     int (*probed)(void *ctx, const struct prefetch_probe_result *result),
                     void *ctx)
{
    const struct prefetch_request request = job_request(item);
    struct prefetch_probe_result *result = &probe->result;
    struct trolley_http_session *session = probe->door->session;
    struct kit_buffer url = {0};
    int r = job_url(probe->exporter, &request, &url);

    memset(result, 0, sizeof *result);
    memset(&probe->first, 0, sizeof probe->first);
    memset(&probe->second, 0, sizeof probe->second);
    memset(&probe->third, 0, sizeof probe->third);
    if (r == 0) r = probe_ask(probe, url.data, item->url, session, false, &probe->first);
    if (r == 0) r = probe_ask(probe, url.data, item->url, session, true, &probe->second);
    if (r == 0 && probe->anonymous)
        r = probe_ask(probe, url.data, item->url, probe->anonymous, true, &probe->third);
    if (r == 0) {
        result->number = item->url;
        result->url = url.data;
        result->first = probe->first.status;
        result->second = probe->second.status;
        result->anonymous = probe->third.status;
        result->first_cache = probe->first.cache;
        result->second_cache = probe->second.cache;
        result->anonymous_cache = probe->third.cache;
        result->kept = probe->second.status == 200 && strcasecmp(probe->second.cache, "HIT") == 0;
        if (probe->first.status) probe_explain(probe, probe->anonymous != NULL);
        r = probed(ctx, result);
    }
    kit_buffer_free(&url);
    return r;
}

static int sampling_take(void *ctx, const struct prefetch_request *request, const char *url)
{
    struct sampling *sampling = ctx;

    (void)url;
    if (sampling->seen[request->url]) return 0;
    sampling->seen[request->url] = true;
    job_item_set(&sampling->items[request->url], request);
    return --sampling->left == 0;
}

/* Takes one object for each URL, by a rehearsal that ends when all have one. */
static int probe_sample(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                        const struct prefetch_scope *scope, struct sampling *sampling,
                        const atomic_int *cancel, struct trolley_error *error)
{
    const struct prefetch_export_callbacks callbacks = {.ctx = sampling,
                                                        .rehearsed = sampling_take};
    struct prefetch_result result = {0};
    int r = prefetch_export(engine, exporter, scope, &callbacks, cancel, &result, error);

    if (r < 0) return r;
    if (result.outcome == PREFETCH_FAILED)
        return error_set(error, TROLLEY_ERR_REMOTE, "%s", result.message);
    if (sampling->left == exporter->url_count)
        return error_set(error, TROLLEY_ERR_NOT_FOUND, "[exporter %s]: nothing to request below %s",
                         exporter->id, scope->study);
    return 0;
}

/* The exporter's section as if it named no session. */
static const char *probe_no_session(const struct trolley_config *config, const char *key)
{
    const struct trolley_config *own = section_config((struct section *)(uintptr_t)config->impl);

    return strcmp(key, "session") == 0 ? NULL : own->text(own, key);
}

/* A door without log-in, where the exporter has one. */
static int probe_open_anonymous(struct probe *probe, struct trolley_error *error)
{
    struct trolley_setup *setup = probe->engine->setup;
    struct trolley_config config = *section_config(probe->exporter->section);
    const char *name = config.text(&config, "session");
    const struct trolley_config *session_config;
    struct session *session;
    const char *auth = NULL;
    int r = 0;

    if (!name) return 0;
    loader_lock();
    r = session_get(setup, name, &session, error);
    if (r == 0) {
        session_config = section_config((struct section *)(uintptr_t)session_section(session));
        auth = session_config->text(session_config, "auth");
    }
    config.text = probe_no_session;
    if (r == 0 && auth && strcmp(auth, "none") != 0)
        r = probe->engine->http->open(&setup->host, &config, &probe->task->abi, &probe->anonymous);
    loader_unlock();
    return r;
}

static int probe_all(struct probe *probe, const struct sampling *sampling,
                     int (*probed)(void *ctx, const struct prefetch_probe_result *result),
                     void *ctx, const atomic_int *cancel, struct trolley_error *error)
{
    bool kept = true;
    uint32_t i;
    int r = engine_door_take(probe->engine, probe->exporter, probe->task, &probe->door, error);

    if (r == 0) r = probe_open_anonymous(probe, error);
    for (i = 0; r == 0 && i < probe->exporter->url_count; i++) {
        if (!sampling->seen[i]) continue;
        if (cancel && atomic_load(cancel)) return TROLLEY_ERR_CANCELLED;
        r = probe_url(probe, &sampling->items[i], probed, ctx);
        kept &= probe->result.kept;
    }
    if (r == 0 && !kept)
        r = error_set(error, TROLLEY_ERR_PARTIAL, "[exporter %s]: not everything is kept",
                      probe->exporter->id);
    return r;
}

int prefetch_probe(struct prefetch_engine *engine, const struct prefetch_exporter *exporter,
                   const struct prefetch_scope *scope,
                   int (*probed)(void *ctx, const struct prefetch_probe_result *result), void *ctx,
                   const atomic_int *cancel, struct trolley_error *error)
{
    struct probe *probe = calloc(1, sizeof *probe);
    struct sampling sampling = {.exporter = exporter, .left = exporter->url_count};
    struct task task;
    int r = TROLLEY_ERR_NOMEM;

    task_init(&task, "probe", cancel ? cancel : &engine->setup->cancelled, NULL, NULL);
    sampling.items = calloc(exporter->url_count, sizeof *sampling.items);
    sampling.seen = calloc(exporter->url_count, sizeof *sampling.seen);
    if (probe && sampling.items && sampling.seen)
        r = probe_sample(engine, exporter, scope, &sampling, cancel, error);
    else
        (void)error_set(error, r, "out of memory");
    if (r == 0) {
        probe->engine = engine;
        probe->exporter = exporter;
        probe->task = &task;
        r = probe_all(probe, &sampling, probed, ctx, cancel, error);
        engine_door_give(engine, probe->door);
        loader_lock();
        if (probe->anonymous) engine->http->close(probe->anonymous);
        loader_unlock();
    }
    task_clear(&task);
    free(sampling.items);
    free(sampling.seen);
    free(probe);
    return r;
}
