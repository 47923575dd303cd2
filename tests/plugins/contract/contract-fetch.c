/* contract-fetch.c: a downloader that fails as its options say, over files that it makes itself.
 * SPDX-License-Identifier: MIT */
#include "../trace.h"

static const struct trolley_option table[] = {
    TRACE_OPTION,
    {SOUND_OPTION(PATH, "file"), .flags = TROLLEY_OPTION_REQUIRED, .help = "folder of UID.dcm"},
    {SOUND_OPTION(CHOICE, "fail"), .default_text = "never",
     .choices = "never,transient,permanent,stop-all,ignore", .help = "how it fails"},
    {SOUND_OPTION(INT, "batch"), .default_text = "1", .min = 1, .max = 1000,
     .help = "references at a time"},
    {SOUND_OPTION(INT, "group"), .default_text = "0", .max = 2, .help = "group_level"},
};
static const struct trolley_span options = TROLLEY_SPAN(table);

enum { FAIL_NEVER, FAIL_TRANSIENT, FAIL_PERMANENT, FAIL_STOP_ALL, FAIL_IGNORE };

static int64_t integer(void *self, const char *key)
{
    const struct trolley_config *config = ((struct sound *)self)->config;

    return config->integer(config, key, 0);
}

static int32_t fail_one(const struct trolley_ref *ref, const struct trolley_dataset_sink *sink,
                        int64_t mode)
{
    static const uint32_t flags[] = {0, TROLLEY_FAILURE_TRANSIENT, TROLLEY_FAILURE_PERMANENT,
                                     TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL,
                                     TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_IGNORE};
    const struct trolley_failure failure = {.size = sizeof failure,
                                            .status = TROLLEY_ERR_REMOTE,
                                            .code = 500 + (int32_t)mode,
                                            .flags = flags[mode],
                                            .message = "the test says so"};

    return sink->failed(sink->ctx, ref, &failure);
}

static int32_t send_one(const struct sound *sound, const struct trolley_ref *ref,
                        const struct trolley_dataset_sink *sink)
{
    const struct trolley_meta meta = {
        .size = sizeof meta, .study = ref->study, .series = ref->series, .instance = ref->instance};
    const struct trolley_failure broken = {
        .size = sizeof broken, .status = TROLLEY_ERR_IO, .message = "refused"};
    char path[700], piece[4096];
    size_t length;
    FILE *stream;
    void *item;
    int32_t r;

    (void)snprintf(path, sizeof path, "%s/%s.dcm", sound->config->text(sound->config, "file"),
                   ref->instance);
    stream = fopen(path, "rbe");
    if (!stream) return fail_one(ref, sink, FAIL_PERMANENT);
    r = sink->begin(sink->ctx, &meta, &item);
    if (r == 0) {
        while (r == 0 && (length = fread(piece, 1, sizeof piece, stream)) > 0)
            r = sink->write(item, piece, length);
        (void)sink->end(item, r < 0 ? &broken : NULL);
    }
    (void)fclose(stream);
    return r;
}

static int32_t fetch(void *self, const struct trolley_span *refs,
                     const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct sound *sound = self;
    int64_t mode = integer(self, "fail");
    const struct trolley_ref *first = trolley_span_at(refs, 0);
    uint32_t i, series = 1;

    for (i = 1; i < refs->count; i++)
        series += strcmp(((const struct trolley_ref *)trolley_span_at(refs, i - 1))->series,
                         ((const struct trolley_ref *)trolley_span_at(refs, i))->series) != 0;
    trace(sound->config, "fetch %u refs level %u of %u series", refs->count, first->level, series);
    /* A transient failure happens once to each instance of the plugin. */
    if (mode == FAIL_TRANSIENT && sound->kept) mode = FAIL_NEVER;
    sound->kept = sound;
    for (i = 0; i < refs->count; i++) {
        const struct trolley_ref *ref = trolley_span_at(refs, i);

        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        if (mode != FAIL_NEVER)
            (void)fail_one(ref, sink, mode);
        else if (send_one(sound, ref, sink) == TROLLEY_ERR_CANCELLED)
            return TROLLEY_ERR_CANCELLED;
    }
    return 0;
}

static uint32_t batch(void *self)
{
    return (uint32_t)integer(self, "batch");
}

static uint32_t group_level(void *self)
{
    return (uint32_t)integer(self, "group");
}

static const struct trolley_downloader_ops ops = {
    .size = sizeof ops, .fetch = fetch, .batch = batch, .group_level = group_level};

static const struct trolley_component downloader = {
    .size = sizeof downloader,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "for the tests",
    .options = &options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .open = trace_open,
    .close = trace_close,
    .create = trace_create,
    .destroy = trace_destroy,
    .ops = &ops,
};
SOUND_ENTRY("contract-fetch", &downloader);
