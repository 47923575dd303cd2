/* SPDX-License-Identifier: MIT */
#include "metadata.h"

#include <kit/buffer.h>
#include <kit/excerpt.h>
#include <kit/json_stream.h>
#include <kit/media_type.h>
#include <trolley/helpers.h>

#include "metadata_dcmtk.h"

#define TAG_STUDY_UID UINT32_C(0x0020000d)
#define TAG_SERIES_UID UINT32_C(0x0020000e)
#define TAG_INSTANCE_UID UINT32_C(0x00080018)
#define TAG_SOP_CLASS_UID UINT32_C(0x00080016)

static const char answer_type[] = "application/dicom+json";

/* Borrows all. */
struct answer {
    const struct metadata *metadata;
    const char *url;
    const struct trolley_ref *ref;
    const struct trolley_dataset_sink *sink;
    struct trolley_task *task;
    struct kit_json_stream *stream;
    struct kit_excerpt excerpt;
    char type[128];
    int32_t status;    /* HTTP status, 0 before the head came */
    bool odd;          /* no JSON */
    uint64_t objects;  /* that came */
    uint64_t left_out; /* attributes whose value the server holds elsewhere */
};

/* ---- one object ---- */

/* The object's text with its numbers as they came. */
static int answer_write_json(const struct answer *answer, void *item, const char *text)
{
    struct kit_buffer plain = {.cap = KIT_JSON_OBJECT_CAP};
    const char *mark;
    int r = 0;

    /* A marked number is a string: its quotes are left out with the mark. */
    for (; r == 0 && (mark = strchr(text, KIT_JSON_NUMBER_MARK)) != NULL;) {
        size_t length = strcspn(mark + 1, "\"");

        r = kit_buffer_append(&plain, text, (size_t)(mark - text) - 1);
        if (r == 0) r = kit_buffer_append(&plain, mark + 1, length);
        text = mark + 1 + length + 1;
    }
    if (r == 0) r = kit_buffer_text(&plain, text);
    if (r == 0) r = answer->sink->write(item, plain.data, plain.length);
    kit_buffer_free(&plain);
    return r;
}

struct answer_item {
    const struct answer *answer;
    void *item;
};

static int32_t answer_write_bytes(void *ctx, const void *data, uint64_t length)
{
    const struct answer_item *to = ctx;

    return to->answer->sink->write(to->item, data, length);
}

/* Writes the item's bytes. *ret_problem is set on PROTOCOL. */
static int answer_write(struct answer *answer, void *item, const char *text, size_t length,
                        const char **ret_problem)
{
    struct answer_item to = {answer, item};
    const struct metadata_sink sink = {&to, answer_write_bytes};
    struct metadata_result result = {0, NULL};
    int r;

    if (answer->metadata->json) return answer_write_json(answer, item, text);
    r = metadata_dcmtk_write(text, length, &sink, &result);
    answer->left_out += result.left_out;
    if (r == TROLLEY_ERR_PROTOCOL) *ret_problem = result.problem;
    return r;
}

static int answer_end(const struct answer *answer, void *item, int status, const char *problem)
{
    char message[200];
    struct trolley_failure failure = {
        .size = sizeof failure,
        .status = status,
        .flags = trolley_status_flags(status),
        .message = message,
    };
    int32_t r;

    (void)snprintf(message, sizeof message, "its metadata could not be taken: %s",
                   problem ? problem : "storing or memory failed");
    r = answer->sink->end(item, status < 0 ? &failure : NULL);
    return r == TROLLEY_ERR_CANCELLED || status == TROLLEY_ERR_CANCELLED ? TROLLEY_ERR_CANCELLED
                                                                         : 0;
}

static const char *answer_uid(const struct kit_dicom_json *object, uint32_t tag, const char *asked)
{
    const char *uid = kit_dicom_json_text(object, tag);

    return uid ? uid : asked;
}

/* A refusal or a malformed object concerns this one alone. */
static int answer_object(void *ctx, const char *text, size_t length)
{
    struct answer *answer = ctx;
    struct kit_dicom_json *object = NULL;
    const struct trolley_ref *ref = answer->ref;
    struct trolley_meta meta = answer->metadata->delivers;
    const char *problem = NULL;
    void *item = NULL;
    int r = kit_dicom_json_parse(text, length, answer->metadata->vr, &object, &problem);

    answer->objects++;
    if (r == TROLLEY_ERR_PROTOCOL) {
        trolley_note(answer->task, TROLLEY_LOG_WARNING, 0, ref, "object %llu of the metadata: %s",
                     (unsigned long long)answer->objects, problem);
        return 0;
    }
    if (r < 0) return r;
    meta.study = answer_uid(object, TAG_STUDY_UID, ref->study);
    meta.series = answer_uid(object, TAG_SERIES_UID, ref->series);
    meta.instance = answer_uid(object, TAG_INSTANCE_UID, ref->instance);
    meta.sop_class = kit_dicom_json_text(object, TAG_SOP_CLASS_UID);
    r = answer->sink->begin(answer->sink->ctx, &meta, &item);
    kit_dicom_json_free(object);
    if (r < 0) return r == TROLLEY_ERR_CANCELLED ? r : 0;
    r = answer_write(answer, item, text, length, &problem);
    return answer_end(answer, item, r, problem);
}

/* ---- the answer ---- */

static int32_t answer_head(void *ctx, const struct trolley_http_response *response)
{
    struct answer *answer = ctx;
    const char *type = response->content_type;

    answer->status = response->status;
    if (answer->status < 200 || answer->status > 299) return 0;
    if (answer->status == 206)
        trolley_note(answer->task, TROLLEY_LOG_WARNING, 206, answer->ref,
                     "the server says that it delivers only part of what was asked for (206)");
    (void)snprintf(answer->type, sizeof answer->type, "%s", type);
    /* Without a type the text itself must show that it is JSON. */
    answer->odd = *type && !kit_media_type_is(type, answer_type) &&
                  !kit_media_type_is(type, "application/json");
    return 0;
}

static int answer_fail(const struct answer *answer, int status)
{
    const char *problem = kit_json_stream_problem(answer->stream);

    if (!problem) return status;
    return trolley_fail(answer->task, status, "GET %s: malformed metadata: %s (object %llu)",
                        answer->url, problem, (unsigned long long)answer->objects + 1);
}

static int32_t answer_body(void *ctx, const void *data, uint64_t length)
{
    struct answer *answer = ctx;
    int r;

    if (answer->status > 299) return 0;
    if (answer->odd) {
        if (!kit_excerpt_add(&answer->excerpt, data, (size_t)length)) return 0;
        return kit_excerpt_fail(&answer->excerpt, answer->task, answer->url, answer->type,
                                answer_type);
    }
    r = kit_json_stream_push(answer->stream, data, (size_t)length);
    return r < 0 ? answer_fail(answer, r) : 0;
}

/* What a complete answer still may be wrong in. */
static int answer_finish(const struct answer *answer)
{
    int r;

    if (answer->odd)
        return kit_excerpt_fail(&answer->excerpt, answer->task, answer->url, answer->type,
                                answer_type);
    r = kit_json_stream_finish(answer->stream);
    if (r < 0) return answer_fail(answer, r);
    if (answer->objects) return 0;
    return trolley_fail(answer->task, TROLLEY_ERR_NOT_FOUND,
                        "GET %s: the answer (%d) holds no instance", answer->url, answer->status);
}

int32_t metadata_retrieve(struct service *service, const char *url, const struct trolley_ref *ref,
                          const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap,
                          int32_t *ret_code)
{
    struct answer answer = {
        .metadata = (struct metadata *)service,
        .url = url,
        .ref = ref,
        .sink = sink,
        .task = &tap->task,
    };
    const struct trolley_http_handler handler = {&answer, answer_head, answer_body};
    int32_t r = kit_json_stream_new(answer_object, &answer, &answer.stream);

    if (r < 0) return r;
    r = service_get(service, url, answer_type, 0, &handler, &tap->task);
    if (r == 0) r = answer_finish(&answer);
    kit_json_stream_free(answer.stream);
    if (answer.left_out)
        trolley_note(&tap->task, TROLLEY_LOG_INFO, 0, ref,
                     "%llu attributes of %llu instances are left out: the server offers them as "
                     "bulk data (BulkDataURI)",
                     (unsigned long long)answer.left_out, (unsigned long long)answer.objects);
    *ret_code = answer.status;
    return r;
}
