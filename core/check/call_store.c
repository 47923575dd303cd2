/* call_store.c: a storage's operations, called as a host would. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/check/call.h"
#include "core/check/sample.h"

#define STORE_NEEDS_MAX 64

static int32_t store_where(void *ctx, const struct trolley_stored *stored)
{
    struct call_stored *told = ctx;

    told->calls++;
    told->flags = stored->flags;
    told->bytes = stored->bytes;
    (void)snprintf(told->path, sizeof told->path, "%s", stored->path ? stored->path : "");
    return 0;
}

/* What the storage wants to know, from the sample. */
struct store_elements {
    struct trolley_element items[STORE_NEEDS_MAX];
    const char *values[STORE_NEEDS_MAX];
    uint32_t count;
};

static void store_elements(const struct subject *subject, struct pages *pages,
                           struct store_elements *elements)
{
    const struct trolley_storage_ops *ops = &subject->instance.ops.storage;
    const struct trolley_span *needs = ops->needs ? ops->needs(subject->instance.self) : NULL;
    uint32_t i;

    memset(elements, 0, sizeof *elements);
    for (i = 0; needs && i < needs->count && i < STORE_NEEDS_MAX; i++) {
        struct trolley_element *element = &elements->items[i];

        element->size = sizeof *element;
        element->tag = *(const uint32_t *)trolley_span_at(needs, i);
        memcpy(element->vr, trolley_vr(element->tag), 2);
        elements->values[i] = subject_text(subject, pages, sample_value(element->tag));
        element->values = (struct trolley_span){&elements->values[i], 1, sizeof(const char *)};
        elements->count++;
    }
}

/* The sample's meta in the subject's style. `elements` NULL: what is known before the bytes. */
static const struct trolley_meta *store_meta(const struct subject *subject, struct pages *pages,
                                             const char *instance, uint64_t size,
                                             const struct store_elements *elements)
{
    struct trolley_meta meta = {
        .size = sizeof meta,
        .study = subject_text(subject, pages, SAMPLE_STUDY),
        .series = subject_text(subject, pages, SAMPLE_SERIES),
        .instance = subject_text(subject, pages, instance),
        .sop_class = subject_text(subject, pages, SAMPLE_CLASS),
        .transfer_syntax = subject_text(subject, pages, SAMPLE_SYNTAX),
        .content_type = subject_text(subject, pages, "application/dicom"),
        .size_hint = size,
    };
    /* Plain arguments live in pages too: the struct is this function's own. */
    void *copy;

    if (elements && elements->count)
        meta.elements =
            (struct trolley_span){elements->items, elements->count, sizeof(struct trolley_element)};
    if (subject->style != SUBJECT_PLAIN)
        return subject_open_struct(subject, pages, &meta, sizeof meta);
    copy = pages_put(pages, &meta, sizeof meta);
    return copy;
}

/* One call's bytes, which are no longer there after the call in closed style. */
static int32_t store_write(struct subject *subject, void *writer, const char *data, size_t length)
{
    struct pages pages = subject_pages(subject);
    void *copy = pages_put(&pages, data, length);
    struct trolley_task *task = subject_task(subject, &pages);
    int32_t r = TROLLEY_ERR_NOMEM;

    check_doing(subject->check, "write");
    if (copy) r = subject->instance.ops.storage.write(writer, copy, length, task);
    subject_done(subject, &pages);
    return r;
}

static int32_t store_commit(struct subject *subject, void *writer, size_t length,
                            struct call_stored *ret_stored)
{
    const struct trolley_where_sink where = {ret_stored, store_where};
    struct store_elements elements;
    struct pages pages = subject_pages(subject);
    const struct trolley_meta *meta;
    int32_t r;

    store_elements(subject, &pages, &elements);
    meta = store_meta(subject, &pages, SAMPLE_INSTANCE, length, &elements);
    check_doing(subject->check, "commit");
    r = subject->instance.ops.storage.commit(writer, meta, &where, subject_task(subject, &pages));
    subject_done(subject, &pages);
    return r;
}

static int32_t store_sync(struct subject *subject)
{
    struct pages pages = subject_pages(subject);
    int32_t r;

    if (!subject->instance.ops.storage.sync) return 0;
    check_doing(subject->check, "sync");
    r = subject->instance.ops.storage.sync(subject->instance.self, subject_task(subject, &pages));
    subject_done(subject, &pages);
    return r;
}

static int32_t store_open(struct subject *subject, uint32_t flags, size_t length, void **ret_writer)
{
    struct pages pages = subject_pages(subject);
    const struct trolley_meta *meta = store_meta(subject, &pages, SAMPLE_INSTANCE, length, NULL);
    int32_t r;

    check_doing(subject->check, "open of a writer");
    r = subject->instance.ops.storage.open(subject->instance.self, meta, flags,
                                           subject_task(subject, &pages), ret_writer);
    subject_done(subject, &pages);
    return r;
}

int32_t call_store(struct subject *subject, const char *comments, uint32_t flags, bool abort,
                   struct call_stored *ret_stored)
{
    struct kit_buffer sample = {0};
    void *writer = NULL;
    size_t half;
    int32_t r = sample_part10(&sample, comments);

    memset(ret_stored, 0, sizeof *ret_stored);
    half = sample.length / 2;
    if (r == 0) r = store_open(subject, flags, sample.length, &writer);
    if (r < 0) goto out;
    r = store_write(subject, writer, sample.data, half);
    if (r == 0) r = store_write(subject, writer, sample.data + half, sample.length - half);
    if (r < 0 || abort) {
        check_doing(subject->check, "abort");
        subject->instance.ops.storage.abort(writer);
    } else {
        r = store_commit(subject, writer, sample.length, ret_stored);
        if (r == 0) r = store_sync(subject);
    }
out:
    kit_buffer_free(&sample);
    return r;
}

int32_t call_exists(struct subject *subject, const char *instance, struct call_stored *ret_stored)
{
    const struct trolley_where_sink where = {ret_stored, store_where};
    struct store_elements elements;
    struct pages pages = subject_pages(subject);
    const struct trolley_meta *meta;
    int32_t r;

    memset(ret_stored, 0, sizeof *ret_stored);
    store_elements(subject, &pages, &elements);
    meta = store_meta(subject, &pages, instance, 0, &elements);
    check_doing(subject->check, "exists");
    r = subject->instance.ops.storage.exists(subject->instance.self, meta, &where,
                                             subject_task(subject, &pages));
    subject_done(subject, &pages);
    /* Not to have it is an answer, not a failure to explain. */
    if (r == TROLLEY_ERR_NOT_FOUND)
        return trolley_fail(&subject->task.abi, r, "the storage does not have it");
    return r;
}
