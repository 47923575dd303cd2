/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <kit/media_type.h>
#include <trolley/helpers.h>

/* Is an answer of this Content-Type what was asked for? Old servers send instances without a type
 * or with a general one: the host reads them and knows. Of images only the bytes can be believed:
 * Orthanc 1.10 calls its JPEG image/png. */
static bool answer_fits(const struct answer *answer, const char *type)
{
    const char *wanted = answer->delivers->content_type;

    if (kit_media_type_is(type, wanted)) return true;
    if (strcmp(wanted, "application/dicom") == 0)
        return !*type || kit_media_type_is(type, "application/octet-stream");
    return kit_media_type_is(type, "image/");
}

/* Do an image's first bytes tell the format that was asked for? */
static bool answer_head_fits(const struct answer *answer)
{
    const char *magic =
        strcmp(answer->delivers->content_type, "image/png") == 0 ? "\x89PNG" : "\xff\xd8\xff";

    return memcmp(answer->head, magic, strlen(magic)) == 0;
}

static int32_t answer_head(void *ctx, const struct trolley_http_response *response)
{
    struct answer *answer = ctx;

    answer->status = response->status;
    if (answer->status < 200 || answer->status > 299) return 0;
    (void)snprintf(answer->type, sizeof answer->type, "%s", response->content_type);
    answer->odd = !answer_fits(answer, response->content_type);
    if (response->content_length > 0) answer->length = (uint64_t)response->content_length;
    if (answer->status == 206)
        trolley_note(&answer->tap->task, TROLLEY_LOG_WARNING, 206, answer->ref,
                     "the server says that it delivers only part of what was asked for (206)");
    return 0;
}

/* A refusal concerns this item alone: its bytes are dropped. */
static int answer_begin(struct answer *answer)
{
    struct trolley_meta meta = *answer->delivers;
    void *item = NULL;
    int32_t r;

    meta.study = answer->ref->study;
    meta.series = answer->ref->series;
    meta.instance = answer->ref->instance;
    meta.size_hint = answer->length;
    answer->begun = true;
    r = answer->sink->begin(answer->sink->ctx, &meta, &item);
    if (r == 0) answer->item = item;
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

static int answer_end(struct answer *answer, int32_t status, const char *message)
{
    struct trolley_failure failure = {
        .size = sizeof failure,
        .status = status,
        .flags = trolley_status_flags(status),
        .message = message,
    };
    void *item = answer->item;
    int32_t r;

    if (!item) return 0;
    answer->item = NULL;
    r = answer->sink->end(item, status < 0 ? &failure : NULL);
    return r == TROLLEY_ERR_CANCELLED || status == TROLLEY_ERR_CANCELLED ? TROLLEY_ERR_CANCELLED
                                                                         : 0;
}

/* The answer is something else: its first line is quoted once it is there. */
static int32_t answer_odd(struct answer *answer, const void *data, uint64_t length)
{
    if (!kit_excerpt_add(&answer->excerpt, data, (size_t)length)) return 0;
    return kit_excerpt_fail(&answer->excerpt, &answer->tap->task, answer->url, answer->type,
                            answer->delivers->content_type);
}

static int32_t answer_write(struct answer *answer, const void *data, uint64_t length)
{
    int32_t r = 0;

    if (!answer->begun) r = answer_begin(answer);
    if (r < 0 || !answer->item) return r;
    r = answer->sink->write(answer->item, data, length);
    return r < 0 ? answer_end(answer, r, "the instance could not be taken") : 0;
}

/* The first bytes of an image, until they tell its format. */
static int32_t answer_take_head(struct answer *answer, const char *data, uint64_t length)
{
    size_t left = sizeof answer->head - answer->head_length;
    size_t taken = left < length ? left : (size_t)length;
    int32_t r;

    memcpy(answer->head + answer->head_length, data, taken);
    answer->head_length += taken;
    if (taken < left) return 0;
    answer->odd = !answer_head_fits(answer);
    if (answer->odd) {
        r = answer_odd(answer, answer->head, sizeof answer->head);
        return r < 0 ? r : answer_odd(answer, data + taken, length - taken);
    }
    r = answer_write(answer, answer->head, sizeof answer->head);
    return r < 0 || taken == length ? r : answer_write(answer, data + taken, length - taken);
}

static int32_t answer_body(void *ctx, const void *data, uint64_t length)
{
    struct answer *answer = ctx;

    if (answer->status < 200 || answer->status > 299) return 0;
    if (answer->odd) return answer_odd(answer, data, length);
    if (answer->delivers->variant && answer->head_length < sizeof answer->head)
        return answer_take_head(answer, data, length);
    return answer_write(answer, data, length);
}

struct trolley_http_handler answer_handler(struct answer *answer)
{
    struct trolley_http_handler handler = {answer, answer_head, answer_body};

    return handler;
}

/* What is wrong with a complete request whose answer brought nothing. */
static int32_t answer_nothing(struct answer *answer)
{
    if (answer->odd)
        return kit_excerpt_fail(&answer->excerpt, &answer->tap->task, answer->url, answer->type,
                                answer->delivers->content_type);
    return trolley_fail(&answer->tap->task, TROLLEY_ERR_NOT_FOUND,
                        "GET %.*s: the answer (%d) is empty", (int)strcspn(answer->url, "?"),
                        answer->url, answer->status);
}

int32_t answer_finish(struct answer *answer, int32_t status)
{
    const char *message = NULL;
    int stop;

    if (status < 0) {
        message = answer->tap->failure.status == status ? answer->tap->message
                                                        : "the answer ended within this instance";
        stop = answer_end(answer, status == TROLLEY_ERR_CANCELLED ? status : TROLLEY_ERR_TRUNCATED,
                          message);
    } else {
        stop = answer_end(answer, 0, NULL);
    }
    if (stop < 0) return stop;
    return status == 0 && !answer->begun ? answer_nothing(answer) : status;
}
