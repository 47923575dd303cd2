/* sample.c: the smallest plugin that is whole: a searcher that knows one study, named by its INI
 * section. SPDX-License-Identifier: MIT */
#include <kit/match.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#define TAG_PATIENT_ID UINT32_C(0x00100020)
#define TAG_STUDY_UID UINT32_C(0x0020000d)

/* An element with one value: `text` names a variable that holds it. */
#define ELEMENT(its_tag, text)                                                \
    {                                                                         \
        .size = sizeof(struct trolley_element), .tag = (its_tag), .values = { \
            &(text),                                                          \
            1,                                                                \
            sizeof(text)                                                      \
        }                                                                     \
    }

/* The host masks, checks and documents options by this table. */
static const struct trolley_option option_table[] = {
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_STRING,
        .flags = TROLLEY_OPTION_REQUIRED,
        .key = "study",
        .help = "Study Instance UID of the study",
        .metavar = "UID",
    },
    {
        .size = sizeof(struct trolley_option),
        .type = TROLLEY_OPTION_STRING,
        .key = "patient",
        .default_text = "SAMPLE",
        .help = "Patient ID of the study",
    },
};
static const struct trolley_span options = TROLLEY_SPAN(option_table);

/* What may be asked for; the host refuses all else before find is called. */
static const struct trolley_query_param param_table[] = {
    {
        .size = sizeof(struct trolley_query_param),
        .type = TROLLEY_PARAM_ATTRIBUTE,
        .key = "PatientID",
        .help = "the patient",
    },
    {
        .size = sizeof(struct trolley_query_param),
        .type = TROLLEY_PARAM_ATTRIBUTE,
        .key = "StudyInstanceUID",
        .help = "the study",
    },
};
static const struct trolley_span params = TROLLEY_SPAN(param_table);
static const struct trolley_query_type type_table[] = {
    {
        .size = sizeof(struct trolley_query_type),
        .name = "sample",
        .params = &params,
        .summary = "patient and study",
    },
};
static const struct trolley_span query_types = TROLLEY_SPAN(type_table);

/* One instance a thread; the section's options outlive it, so that they are all it needs. */
static int32_t sample_create(const struct trolley_host *host, const struct trolley_config *config,
                             void *shared, struct trolley_task *task, void **self)
{
    (void)host;
    (void)shared;
    (void)task;
    *self = (void *)(uintptr_t)config;
    return TROLLEY_OK;
}

static void sample_destroy(void *self)
{
    (void)self;
}

static bool sample_matches(const struct trolley_query *query,
                           const struct trolley_element *elements, uint32_t count)
{
    uint32_t i, k;

    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        for (k = 0; k < count; k++)
            if (elements[k].tag == key->tag &&
                !kit_match(key->vr, &key->values, &elements[k].values))
                return false;
    }
    return true;
}

static int32_t sample_find(void *self, const struct trolley_query *query,
                           const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct trolley_config *config = self;
    const char *study = config->text(config, "study"), *patient = config->text(config, "patient");
    const struct trolley_element elements[] = {
        ELEMENT(TAG_STUDY_UID, study),
        ELEMENT(TAG_PATIENT_ID, patient),
    };
    const struct trolley_record record = {sizeof record, TROLLEY_LEVEL_STUDY,
                                          TROLLEY_SPAN(elements)};

    if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
    return sample_matches(query, elements, 2) ? sink->record(sink->ctx, &record) : TROLLEY_OK;
}

static const struct trolley_searcher_ops ops = {.size = sizeof ops, .find = sample_find};

static const struct trolley_component searcher = {
    .size = sizeof searcher,
    .kind = TROLLEY_KIND_SEARCHER,
    .summary = "knows the one study of its section",
    .options = &options,
    .query_types = &query_types,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
    .create = sample_create,
    .destroy = sample_destroy,
    .ops = &ops,
};
static const struct trolley_component *const components[] = {&searcher, NULL};

static const struct trolley_plugin plugin = {
    .size = sizeof plugin,
    .abi_minor = TROLLEY_ABI_MINOR,
    .name = "sample",
    .version = "1.0",
    .license = "MIT",
    .summary = "a searcher that knows one study",
    .components = components,
};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
