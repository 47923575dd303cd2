/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <kit/fetch.h>
#include <kit/media_type.h>
#include <kit/uid.h>
#include <trolley/helpers.h>

static const char answer_dicom[] = "application/dicom";

/* ---- items ---- */

/* Begins an item of the answer. A refusal concerns this item alone: its bytes are dropped. */
static int answer_begin_item(struct answer *answer, const char *type, int64_t length)
{
    char transfer_syntax[KIT_UID_MAX + 1];
    struct trolley_meta meta = {
        .size = sizeof meta,
        .study = answer->ref->study,
        .series = answer->ref->series,
        .instance = answer->ref->instance,
        .content_type = answer_dicom,
        .size_hint = length > 0 ? (uint64_t)length : 0,
    };
    void *item = NULL;
    int32_t r;

    if (kit_media_type_param(type, "transfer-syntax", transfer_syntax, sizeof transfer_syntax) ==
            0 &&
        kit_uid_valid(transfer_syntax))
        meta.transfer_syntax = transfer_syntax;
    answer->items++;
    r = answer->sink->begin(answer->sink->ctx, &meta, &item);
    if (r == 0) answer->item = item;
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

/* ---- parts ---- */

static int answer_part_begin(void *ctx, const struct kit_multipart *multipart)
{
    struct answer *answer = ctx;
    const char *type = kit_multipart_header(multipart, "Content-Type");

    if (!type) type = answer->type;
    if (kit_media_type_is(type, answer_dicom))
        return answer_begin_item(answer, type, kit_multipart_length(multipart));
    trolley_note(answer->task, TROLLEY_LOG_WARNING, 0, answer->ref,
                 "part %llu of the answer is %.100s in place of %s and was dropped",
                 (unsigned long long)kit_multipart_parts(multipart), type, answer_dicom);
    return 0;
}

static int answer_part_data(void *ctx, const void *data, size_t length)
{
    struct answer *answer = ctx;

    return kit_fetch_write(answer->sink, &answer->item, data, length);
}

static int answer_part_end(void *ctx)
{
    struct answer *answer = ctx;

    return kit_fetch_end(answer->sink, &answer->item, NULL);
}

/* ---- head and body ---- */

static int answer_open_multipart(struct answer *answer, const char *type)
{
    struct kit_multipart_handler handler = {answer, answer_part_begin, answer_part_data,
                                            answer_part_end};
    char boundary[KIT_MULTIPART_BOUNDARY_MAX + 1];
    int r = kit_media_type_param(type, "boundary", boundary, sizeof boundary);

    if (r == 0) r = kit_multipart_new(boundary, &handler, &answer->multipart);
    if (r == TROLLEY_ERR_NOMEM) return r;
    if (r < 0)
        return trolley_fail(answer->task, TROLLEY_ERR_PROTOCOL,
                            "GET %s: no usable boundary in Content-Type %.200s", answer->url, type);
    if (kit_media_type_param(type, "type", answer->type, sizeof answer->type) < 0)
        (void)snprintf(answer->type, sizeof answer->type, "%s", answer_dicom);
    return 0;
}

static int32_t answer_head(void *ctx, const struct trolley_http_response *response)
{
    struct answer *answer = ctx;
    const char *type = response->content_type;

    answer->status = response->status;
    if (answer->status < 200 || answer->status > 299) return 0;
    if (answer->status == 206)
        trolley_note(answer->task, TROLLEY_LOG_WARNING, 206, answer->ref,
                     "the server says that it delivers only part of what was asked for (206)");
    if (kit_media_type_is(type, "multipart/")) return answer_open_multipart(answer, type);
    (void)snprintf(answer->type, sizeof answer->type, "%s", type);
    answer->single = kit_media_type_is(type, answer_dicom);
    answer->odd = !answer->single;
    if (answer->single && response->content_length > 0)
        answer->length = (uint64_t)response->content_length;
    return 0;
}

static int answer_multipart_body(struct answer *answer, const void *data, size_t length)
{
    int r = kit_multipart_push(answer->multipart, data, length);

    if (r == TROLLEY_ERR_PROTOCOL || r == TROLLEY_ERR_TOO_LARGE)
        return trolley_fail(
            answer->task, r, "GET %s: malformed multipart answer: the header of part %llu",
            answer->url, (unsigned long long)kit_multipart_parts(answer->multipart) + 1);
    return r;
}

static int32_t answer_body(void *ctx, const void *data, uint64_t length)
{
    struct answer *answer = ctx;
    int r = 0;

    if (answer->multipart) return answer_multipart_body(answer, data, (size_t)length);
    if (answer->odd) {
        if (!kit_excerpt_add(&answer->excerpt, data, (size_t)length)) return 0;
        return kit_excerpt_fail(&answer->excerpt, answer->task, answer->url, answer->type,
                                answer_dicom);
    }
    if (!answer->single) return 0;
    if (answer->items == 0) r = answer_begin_item(answer, answer->type, (int64_t)answer->length);
    return r < 0 ? r : kit_fetch_write(answer->sink, &answer->item, data, length);
}

void answer_init(struct answer *answer, const char *url, const struct trolley_ref *ref,
                 const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap)
{
    memset(answer, 0, sizeof *answer);
    answer->url = url;
    answer->ref = ref;
    answer->sink = sink;
    answer->tap = tap;
    answer->task = &tap->task;
}

struct trolley_http_handler answer_handler(struct answer *answer)
{
    struct trolley_http_handler handler = {answer, answer_head, answer_body};

    return handler;
}

/* ---- the end ---- */

static int answer_finish_multipart(struct answer *answer, int32_t status)
{
    /* Also after a cut connection: the last part's own length may prove it whole. */
    int r = kit_multipart_finish(answer->multipart);

    if (status < 0 || r == 0) return status;
    if (r != TROLLEY_ERR_TRUNCATED) return r;
    return trolley_fail(answer->task, r,
                        "GET %s: the answer ends after %llu parts without its closing delimiter",
                        answer->url, (unsigned long long)kit_multipart_parts(answer->multipart));
}

/* What is wrong with a complete request whose answer brought nothing. */
static int answer_nothing(struct answer *answer)
{
    if (answer->excerpt.length)
        return kit_excerpt_fail(&answer->excerpt, answer->task, answer->url, answer->type,
                                answer_dicom);
    return trolley_fail(answer->task, TROLLEY_ERR_NOT_FOUND,
                        "GET %s: the answer (%d) holds no instance", answer->url, answer->status);
}

/* The item that is still open was cut: in the words of what cut it, where there are any. */
static int answer_cut_item(struct answer *answer, int32_t status)
{
    const char *message = "the answer ended within this instance";

    if (status < 0 && answer->tap->failure.status == status) message = answer->tap->message;
    if (status != TROLLEY_ERR_CANCELLED) status = TROLLEY_ERR_TRUNCATED;
    return kit_fetch_break(answer->sink, &answer->item, status, message);
}

int32_t answer_finish(struct answer *answer, int32_t status)
{
    int stop;

    if (answer->multipart) status = answer_finish_multipart(answer, status);
    if (status == 0 && answer->single) status = kit_fetch_end(answer->sink, &answer->item, NULL);
    stop = answer->item ? answer_cut_item(answer, status) : 0;
    if (stop < 0) status = stop;
    if (status == 0 && answer->items == 0) status = answer_nothing(answer);
    kit_multipart_free(answer->multipart);
    answer->multipart = NULL;
    return status;
}
