/* contract-store.c: a storage whose names need an attribute: ROOT/PatientID-INSTANCE.dcm.
 * SPDX-License-Identifier: MIT */
#include "../sound_storage.h"

static const struct trolley_span *needs(void *self)
{
    static const uint32_t tags[] = {0x00100020};
    static const struct trolley_span span = TROLLEY_SPAN(tags);

    (void)self;
    return &span;
}

static const char *patient_id(const struct trolley_meta *meta)
{
    uint32_t i;

    for (i = 0; i < meta->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&meta->elements, i);

        if (element->tag == 0x00100020) return trolley_span_text(&element->values, 0);
    }
    return NULL;
}

static int32_t commit(void *writer, const struct trolley_meta *meta,
                      const struct trolley_where_sink *where, struct trolley_task *task)
{
    const char *id = patient_id(meta);
    struct trolley_meta named = *meta;
    char name[200];

    (void)snprintf(name, sizeof name, "%s-%s", id ? id : "nobody", meta->instance);
    named.instance = name;
    return sound_commit(writer, &named, where, task);
}

static int32_t exists(void *self, const struct trolley_meta *meta,
                      const struct trolley_where_sink *where, struct trolley_task *task)
{
    (void)self, (void)meta, (void)where, (void)task;
    return TROLLEY_ERR_NOT_FOUND;
}

static const struct trolley_storage_ops ops = {
    .size = sizeof ops,
    .needs = needs,
    .open = sound_open,
    .write = sound_write,
    .commit = commit,
    .abort = sound_abort,
    .exists = exists,
};
static const struct trolley_component storage = {
    .size = sizeof storage,
    .kind = TROLLEY_KIND_STORAGE,
    .summary = "for the tests",
    .options = &sound_path,
    .create = sound_create,
    .destroy = sound_destroy,
    .ops = &ops,
};
SOUND_ENTRY("contract-store", &storage);
