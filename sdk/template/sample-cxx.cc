// sample-cxx.cc: sample.c in C++17. No exception may leave a function that the host calls.
// SPDX-License-Identifier: MIT
#include <kit/match.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include <array>
#include <new>
#include <string>

namespace
{

constexpr uint32_t tag_patient_id = 0x00100020;
constexpr uint32_t tag_study_uid = 0x0020000d;

// The host masks, checks and documents options by this table.
const trolley_option option_table[] = {
    {sizeof(trolley_option), TROLLEY_OPTION_STRING, TROLLEY_OPTION_REQUIRED, 0, "study", nullptr,
     nullptr, nullptr, 0, 0, "Study Instance UID of the study", "UID"},
    {sizeof(trolley_option), TROLLEY_OPTION_STRING, 0, 0, "patient", nullptr, "SAMPLE", nullptr, 0,
     0, "Patient ID of the study", nullptr},
};
const trolley_span options = TROLLEY_SPAN(option_table);

// What may be asked for; the host refuses all else before find is called.
const trolley_query_param param_table[] = {
    {sizeof(trolley_query_param), TROLLEY_PARAM_ATTRIBUTE, 0, 0, "PatientID", "the patient"},
    {sizeof(trolley_query_param), TROLLEY_PARAM_ATTRIBUTE, 0, 0, "StudyInstanceUID", "the study"},
};
const trolley_span params = TROLLEY_SPAN(param_table);
const trolley_query_type type_table[] = {
    {sizeof(trolley_query_type), 0, "sample-cxx", nullptr, &params, "patient and study"},
};
const trolley_span query_types = TROLLEY_SPAN(type_table);

struct Attribute {
    uint32_t tag;
    std::string value;
};

class Sample
{
  public:
    explicit Sample(const trolley_config *config)
        : attributes{{{tag_study_uid, config->text(config, "study")},
                      {tag_patient_id, config->text(config, "patient")}}}
    {
    }

    int32_t find(const trolley_query *query, const trolley_record_sink *sink) const
    {
        std::array<const char *, 2> texts{};
        std::array<trolley_element, 2> elements{};

        for (size_t i = 0; i < elements.size(); i++) {
            texts[i] = attributes[i].value.c_str();
            elements[i].size = sizeof(trolley_element);
            elements[i].tag = attributes[i].tag;
            elements[i].values = {&texts[i], 1, sizeof texts[i]};
            if (!matches(query, elements[i])) return TROLLEY_OK;
        }
        const trolley_record record = {
            sizeof record, TROLLEY_LEVEL_STUDY, {elements.data(), 2, sizeof elements[0]}};
        return sink->record(sink->ctx, &record);
    }

  private:
    static bool matches(const trolley_query *query, const trolley_element &element)
    {
        for (uint32_t i = 0; i < query->keys.count; i++) {
            auto key = static_cast<const trolley_query_key *>(trolley_span_at(&query->keys, i));
            if (key->tag == element.tag && !kit_match(key->vr, &key->values, &element.values))
                return false;
        }
        return true;
    }

    std::array<Attribute, 2> attributes;
};

int32_t sample_create(const trolley_host *, const trolley_config *config, void *,
                      trolley_task *task, void **self)
try {
    *self = new Sample(config);
    return TROLLEY_OK;
} catch (const std::bad_alloc &) {
    return trolley_fail(task, TROLLEY_ERR_NOMEM, "sample-cxx: out of memory");
}

void sample_destroy(void *self)
{
    delete static_cast<Sample *>(self);
}

int32_t sample_find(void *self, const trolley_query *query, const trolley_record_sink *sink,
                    trolley_task *task)
{
    if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
    return static_cast<const Sample *>(self)->find(query, sink);
}

const trolley_searcher_ops ops = {sizeof ops, 0, sample_find, nullptr, nullptr, nullptr};

const trolley_component searcher = {sizeof searcher,
                                    TROLLEY_KIND_SEARCHER,
                                    "knows the one study of its section",
                                    0,
                                    &options,
                                    &query_types,
                                    TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY),
                                    0,
                                    nullptr /* open */,
                                    nullptr /* close */,
                                    sample_create,
                                    sample_destroy,
                                    &ops,
                                    nullptr};
const trolley_component *const components[] = {&searcher, nullptr};

const trolley_plugin plugin = {sizeof plugin, TROLLEY_ABI_MINOR,
                               "sample-cxx",  "1.0",
                               "MIT",         "a searcher that knows one study, in C++",
                               components};

} // namespace

const trolley_plugin *trolley_plugin_v1(void)
{
    return &plugin;
}
