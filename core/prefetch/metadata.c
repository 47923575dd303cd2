/* SPDX-License-Identifier: MIT */
#include "core/prefetch/metadata.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/part10.h"
#include "kit/uid.h"

#define TAG_PHOTOMETRIC_INTERPRETATION 0x00280004
#define TAG_FRAMES 0x00280008

/* The context of a fetch. */
struct asking {
    pthread_mutex_t lock;
    void (*told)(void *ctx, const struct metadata_view *view);
    void *ctx;
};

/* One data set on its way. */
struct arriving {
    struct asking *asking;
    struct part10 *head;
};

static int32_t metadata_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    static const uint32_t tags[] = {TAG_PHOTOMETRIC_INTERPRETATION, TAG_FRAMES};
    const struct trolley_span wanted = TROLLEY_SPAN(tags);
    struct arriving *arriving = calloc(1, sizeof *arriving);

    (void)meta;
    if (!arriving || part10_new(&wanted, &arriving->head) < 0) {
        free(arriving);
        return TROLLEY_ERR_NOMEM;
    }
    arriving->asking = ctx;
    *item = arriving;
    return 0;
}

static int32_t metadata_write(void *item, const void *data, uint64_t length)
{
    struct arriving *arriving = item;

    (void)part10_feed(arriving->head, data, length);
    return 0;
}

static int32_t metadata_end(void *item, const struct trolley_failure *failure)
{
    struct arriving *arriving = item;
    struct part10 *head = arriving->head;
    const char *instance, *frames, *photometric;
    struct metadata_view view = {0};

    if (!failure && part10_finish(head) == PART10_DONE &&
        (instance = part10_text(head, 0x00080018)) && kit_uid_valid(instance)) {
        photometric = part10_text(head, TAG_PHOTOMETRIC_INTERPRETATION);
        frames = part10_text(head, TAG_FRAMES);
        view.instance = instance;
        view.image = photometric && *photometric;
        view.frames = frames ? (uint32_t)strtoul(frames, NULL, 10) : 0;
        pthread_mutex_lock(&arriving->asking->lock);
        arriving->asking->told(arriving->asking->ctx, &view);
        pthread_mutex_unlock(&arriving->asking->lock);
    }
    part10_free(head);
    free(arriving);
    return 0;
}

static int32_t metadata_failed(void *ctx, const struct trolley_ref *ref,
                               const struct trolley_failure *failure)
{
    (void)ctx;
    (void)ref;
    (void)failure;
    return 0;
}

static int32_t metadata_expect(void *ctx, const struct trolley_ref *ref, uint64_t instances)
{
    (void)ctx;
    (void)ref;
    (void)instances;
    return 0;
}

int metadata_ask(struct instance *downloader, const char *study, const char *series,
                 void (*told)(void *ctx, const struct metadata_view *view), void *ctx,
                 struct task *task)
{
    const struct trolley_ref ref = {
        .size = sizeof ref, .level = TROLLEY_LEVEL_SERIES, .study = study, .series = series};
    const struct trolley_span refs = {&ref, 1, sizeof ref};
    struct asking asking = {.told = told, .ctx = ctx};
    const struct trolley_dataset_sink sink = {&asking,      metadata_begin,  metadata_write,
                                              metadata_end, metadata_failed, metadata_expect};
    int r;

    if (!(downloader->component->plugin.levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES)))
        return TROLLEY_ERR_UNSUPPORTED;
    pthread_mutex_init(&asking.lock, NULL);
    task_reset(task);
    r = downloader->ops.downloader.fetch(downloader->self, &refs, &sink, &task->abi);
    pthread_mutex_destroy(&asking.lock);
    return r;
}
