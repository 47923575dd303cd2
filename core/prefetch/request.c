/* request.c: one request, judged by its answer, and its body on the way to the storage.
 * SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <kit/digest.h>
#include <kit/media_type.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <trolley/helpers.h>

#include "core/model/part10.h"
#include "core/prefetch/accept.h"
#include "core/prefetch/fields.h"
#include "core/prefetch/job.h"
#include "core/prefetch/paths.h"

/* A request being made: the context of its handler. */
struct making {
    struct job *job;
    const struct job_item *item;
    const struct prefetch_url *url;
    struct task *task;
    struct engine_storage *storage; /* NULL: the body is dropped */
    void *writer;
    struct part10 *head;       /* of DICOM, where the storage's paths want attributes of it */
    struct kit_digest *digest; /* NULL unless bodies are compared */
    uint64_t bytes;
    bool begun;        /* a body of the answer is taken, or judged away */
    bool refused;      /* the storage gave no place at all */
    int storing;       /* negative: why the storage takes no more */
    char problem[256]; /* what is wrong with an answer that says it is fine */
    char content_type[128], variant[24];
    struct trolley_meta meta;
    struct fields fields;
};

int job_url(const struct prefetch_exporter *exporter, const struct prefetch_request *request,
            struct kit_buffer *out)
{
    const char *at = exporter->urls[request->url].text, *open;
    const char *const texts[] = {request->study, request->series, request->instance};
    int r = 0;

    while (r == 0 && (open = strchr(at, '['))) {
        const bool place = open[1] >= '0' && open[1] <= '3' && open[2] == ']';

        r = kit_buffer_append(out, at, (size_t)(open - at) + !place);
        if (r == 0 && place)
            r = open[1] == '3'
                    ? kit_buffer_printf(out, "%u", request->frame)
                    : kit_buffer_text(out, texts[open[1] - '0'] ? texts[open[1] - '0'] : "");
        at = open + (place ? 3 : 1);
    }
    return r < 0 ? r : kit_buffer_text(out, at);
}

static void making_count_cache(struct making *making, const struct trolley_http_response *response)
{
    struct prefetch_result *result = &making->job->result;
    const struct {
        const char *word;
        uint64_t *count;
    } words[] = {{"HIT", &result->cache_hit},      {"STALE", &result->cache_hit},
                 {"UPDATING", &result->cache_hit}, {"REVALIDATED", &result->cache_hit},
                 {"MISS", &result->cache_miss},    {"EXPIRED", &result->cache_miss},
                 {"BYPASS", &result->cache_bypass}};
    const char *told = fields_of(response, "X-Cache-Status");
    size_t i;

    if (!told) return;
    pthread_mutex_lock(&making->job->lock);
    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(told, words[i].word) == 0) ++*words[i].count;
    pthread_mutex_unlock(&making->job->lock);
}

/* A place for the body. */
static int making_store(struct making *making)
{
    const char *type = making->content_type;

    making->meta = (struct trolley_meta){.size = sizeof making->meta,
                                         .frame = making->item->frame,
                                         .content_type = *type ? type : "application/octet-stream",
                                         .variant = making->variant};
    if (*making->item->study) making->meta.study = making->item->study;
    if (*making->item->series) making->meta.series = making->item->series;
    if (*making->item->instance) making->meta.instance = making->item->instance;
    prefetch_url_variant(making->item->url, making->variant);
    making->storing =
        store_open(&making->storage->store, &making->meta, making->task, &making->writer);
    if (making->storing < 0) making->writer = NULL;
    if (making->writer && making->storage->store.needs.count &&
        kit_media_type_is(making->content_type, "application/dicom"))
        making->storing = part10_new(&making->storage->store.needs, &making->head);
    making->refused = making->storing < 0 && making->storing != TROLLEY_ERR_INVALID_ARG;
    return making->storing;
}

static int32_t making_head(void *ctx, const struct trolley_http_response *response)
{
    struct making *making = ctx;

    making_count_cache(making, response);
    (void)snprintf(making->content_type, sizeof making->content_type, "%.*s",
                   (int)strcspn(response->content_type, "; \t"), response->content_type);
    if (response->status == 206)
        (void)snprintf(making->problem, sizeof making->problem, "only a part of it came (206)");
    if (response->status == 304)
        (void)snprintf(making->problem, sizeof making->problem, "304 without being asked");
    return 0; /* what other statuses mean, the session says */
}

/* The first bytes of a body are there, or it has none: is it what was asked for? */
static int making_begin(struct making *making, const void *data, uint64_t length)
{
    const char *image = accept_image(making->content_type, data, length);

    making->begun = true;
    if (image) (void)snprintf(making->content_type, sizeof making->content_type, "%s", image);
    if (*making->problem) return 0;
    if (!accept_judge(making->url, making->content_type, making->problem, sizeof making->problem))
        return 0;
    return making->storage ? making_store(making) : 0;
}

static int32_t making_body(void *ctx, const void *data, uint64_t length)
{
    struct making *making = ctx;
    const uint64_t most = making->job->exporter->max_bytes;

    if (!making->begun && making_begin(making, data, length) < 0) return making->storing;
    making->bytes += length;
    if (most && making->bytes > most) {
        (void)snprintf(making->problem, sizeof making->problem,
                       "larger than max_bytes (%llu bytes)", (unsigned long long)most);
        return TROLLEY_ERR_TOO_LARGE;
    }
    kit_digest_update(making->digest, data, length);
    if (!making->writer) return 0;
    if (making->head) (void)part10_feed(making->head, data, length);
    making->storing =
        making->storage->store.ops->write(making->writer, data, length, &making->task->abi);
    return making->storing;
}

/* The storage takes this one not; where it takes nothing more, there is no use in going on. */
static void making_storage_failed(struct making *making, const struct task_failure *failure)
{
    if (making->refused || failure->status == TROLLEY_ERR_NO_SPACE ||
        (failure->flags & TROLLEY_FAILURE_STOP_ALL))
        job_end(making->job, "%s: %s", making->storage->instance->component->title,
                *failure->message ? failure->message : trolley_status_name(failure->status));
}

static void making_lost(void *ctx, struct study *study, const struct trolley_outcome *outcome,
                        const struct task_failure *failure)
{
    struct job *job = (struct job *)(void *)study; /* who committed it */
    struct job_item item = {.frame = outcome->frame};
    const char *number = outcome->variant ? strchr(outcome->variant, '-') : NULL;

    (void)ctx;
    if (number) item.url = (uint32_t)strtoul(number + 1, NULL, 10);
    if (outcome->study) (void)snprintf(item.study, sizeof item.study, "%s", outcome->study);
    if (outcome->series) (void)snprintf(item.series, sizeof item.series, "%s", outcome->series);
    if (outcome->instance)
        (void)snprintf(item.instance, sizeof item.instance, "%s", outcome->instance);
    pthread_mutex_lock(&job->lock);
    if (job->result.succeeded) job->result.succeeded--;
    pthread_mutex_unlock(&job->lock);
    job_failed(job, &item, failure->message);
}

static int making_commit(struct making *making)
{
    struct trolley_outcome outcome = {.kind = TROLLEY_OUTCOME_STORED,
                                      .frame = making->meta.frame,
                                      .study = making->meta.study,
                                      .series = making->meta.series,
                                      .instance = making->meta.instance,
                                      .variant = making->meta.variant,
                                      .bytes = making->bytes};
    void *writer = making->writer;

    making->meta.size_hint = making->bytes;
    if (making->head && part10_finish(making->head) == PART10_DONE)
        making->meta.elements = part10_elements(making->head);
    making->writer = NULL; /* commit frees it, whatever it returns */
    task_reset(making->task);
    making->storing =
        store_commit(&making->storage->store, writer, (struct study *)(void *)making->job,
                     &making->meta, &outcome, making->task);
    return making->storing;
}

void job_sync(struct job *job, struct task *task)
{
    uint32_t i;

    for (i = 0; i < job->exporter->url_count; i++)
        if (job->storages[i]) {
            task_reset(task);
            (void)store_sync(&job->storages[i]->store, true, task, making_lost, NULL);
        }
}

/* Tells of a body that another frame or URL of the same instance had. */
static void making_compare(struct making *making)
{
    struct job *job = making->job;
    const struct job_item *item = making->item;
    unsigned char digest[KIT_DIGEST_SIZE];
    uint32_t url = 0, frame = 0;
    bool same;

    if (!making->digest || !*item->instance || !making->bytes) return;
    (void)kit_digest_end(making->digest, digest);
    pthread_mutex_lock(&job->lock);
    same = unique_note(job->unique, item, digest, &url, &frame);
    job->result.same += same;
    pthread_mutex_unlock(&job->lock);
    if (same)
        trolley_note(&making->task->abi, TROLLEY_LOG_WARNING, 0, NULL,
                     "instance %s: frame %u by %s%.0u and frame %u by %s%.0u are the same bytes: "
                     "does the server take note of frames and sizes?",
                     item->instance, frame, url ? "url." : "uri", url, item->frame,
                     item->url ? "url." : "uri", item->url);
}

static void making_succeed(struct making *making)
{
    struct job *job = making->job;

    making_compare(making);
    pthread_mutex_lock(&job->lock);
    job->result.succeeded++;
    job->result.bytes += making->bytes;
    pthread_mutex_unlock(&job->lock);
}

static void making_fail(struct making *making, const struct task_failure *failure)
{
    struct job *job = making->job;
    const bool gone =
        failure->status == TROLLEY_ERR_NOT_FOUND || failure->status == TROLLEY_ERR_GONE;

    pthread_mutex_lock(&job->lock);
    if (failure->status == TROLLEY_ERR_UNAVAILABLE &&
        failure->retry_after_ms > job->result.retry_after_ms)
        job->result.retry_after_ms = failure->retry_after_ms;
    if (gone && job->exporter->ignore_not_found) job->result.not_found++;
    pthread_mutex_unlock(&job->lock);
    if (gone && job->exporter->ignore_not_found) return;
    job_failed(job, making->item, failure->message);
    if (failure->flags & TROLLEY_FAILURE_STOP_ALL) job_end(job, "%s", failure->message);
}

/* What the answer, the storage and the session say, in the order in which it counts. */
static void making_conclude(struct making *making, int status)
{
    struct task_failure failure = {0};

    if (status == 0 && !making->begun) (void)making_begin(making, NULL, 0);
    if (making->storing < 0) task_failure_of(making->task, making->storing, &failure);
    if (!failure.status && *making->problem) {
        failure.status = TROLLEY_ERR_PROTOCOL;
        (void)snprintf(failure.message, sizeof failure.message, "%s%s%s%.0u: %s",
                       *making->item->instance ? making->item->instance : "",
                       *making->item->instance ? " by " : "", making->item->url ? "url." : "uri",
                       making->item->url, making->problem);
    }
    if (!failure.status && status < 0) task_failure_of(making->task, status, &failure);
    if (!failure.status && making->writer && making_commit(making) < 0)
        task_failure_of(making->task, making->storing, &failure);
    if (making->writer) making->storage->store.ops->abort(making->writer);
    making->writer = NULL;
    if (!failure.status)
        making_succeed(making);
    else if (failure.status == TROLLEY_ERR_CANCELLED)
        job_end(making->job, "cancelled");
    else
        making_fail(making, &failure);
    if (making->storing < 0) making_storage_failed(making, &failure);
}

static int making_prepare(struct making *making)
{
    if (making->job->unique) {
        making->digest = kit_digest_new();
        if (!making->digest) return TROLLEY_ERR_NOMEM;
    }
    return fields_fill(&making->fields, making->job->exporter, making->url, false);
}

void job_perform(struct job *job, const struct job_item *item, struct engine_door *door,
                 struct task *task)
{
    struct making making = {.job = job,
                            .item = item,
                            .url = &job->exporter->urls[item->url],
                            .task = task,
                            .storage = job->storages[item->url]};
    const struct trolley_http_handler handler = {&making, making_head, making_body};
    struct trolley_http_request request = {.size = sizeof request};
    const struct prefetch_request what = job_request(item);
    struct kit_buffer url = {0};
    int r = making_prepare(&making);

    if (r == 0) r = job_url(job->exporter, &what, &url);
    task_reset(task);
    if (r == 0) {
        request.url = url.data;
        request.headers = fields_span(&making.fields);
        r = job->engine->http->request(door->session, &request, &handler, &task->abi);
    }
    making_conclude(&making, r);
    if (making.storage) {
        task_reset(task);
        (void)store_sync(&making.storage->store, false, task, making_lost, NULL);
    }
    part10_free(making.head);
    kit_digest_free(making.digest);
    kit_buffer_free(&url);
    fields_clear(&making.fields);
}
