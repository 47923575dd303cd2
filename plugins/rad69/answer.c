/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <kit/fetch.h>
#include <kit/media_type.h>
#include <kit/uid.h>
#include <string.h>
#include <strings.h>
#include <trolley/helpers.h>

#include "verdict.h"

static const char answer_dicom[] = "application/dicom";

/* ---- items ---- */

static int answer_write(void *ctx, const void *data, size_t length)
{
    struct answer *answer = ctx;

    return kit_fetch_write(answer->sink, &answer->item, data, length);
}

/*
 * Begins an item. `ref`: the instance that it should be, REFS_NONE when nothing says so; the host
 * reads the truth from the bytes. A refusal concerns this item alone: its bytes are dropped.
 */
static int answer_begin_item(struct answer *answer, uint32_t ref, bool encoded, const char *type,
                             int64_t length)
{
    char transfer_syntax[KIT_UID_MAX + 1];
    struct trolley_meta meta = {
        .size = sizeof meta,
        .study = answer->refs->items[0].study,
        .content_type = answer_dicom,
        .size_hint = length > 0 ? (uint64_t)length : 0,
    };
    int32_t r;

    if (answer->refs->count == 1) ref = 0;
    if (ref != REFS_NONE) {
        meta.study = answer->refs->items[ref].study;
        meta.series = answer->refs->items[ref].series;
        meta.instance = answer->refs->items[ref].instance;
    }
    if (kit_media_type_param(type, "transfer-syntax", transfer_syntax, sizeof transfer_syntax) ==
            0 &&
        kit_uid_valid(transfer_syntax))
        meta.transfer_syntax = transfer_syntax;
    answer->encoded = encoded;
    answer->base64 = (struct kit_base64){0};
    answer->items++;
    r = answer->sink->begin(answer->sink->ctx, &meta, &answer->item);
    if (r == 0) return 0;
    answer->item = NULL;
    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

/* Bytes or characters of the open item. */
static int answer_fill_item(struct answer *answer, const void *data, size_t length)
{
    int r;

    if (!answer->item) return 0;
    if (!answer->encoded) return answer_write(answer, data, length);
    r = kit_base64_push(&answer->base64, data, length, answer_write, answer);
    if (r != TROLLEY_ERR_PROTOCOL) return r;
    return kit_fetch_break(answer->sink, &answer->item, r, "the document is no base64 text");
}

static int answer_complete_item(struct answer *answer)
{
    int r = answer->item && answer->encoded ? kit_base64_finish(&answer->base64) : 0;

    if (r == TROLLEY_ERR_TRUNCATED)
        return kit_fetch_break(answer->sink, &answer->item, r,
                               "the base64 text of the document ends too early");
    return r < 0 ? r : kit_fetch_end(answer->sink, &answer->item, NULL);
}

/* ---- the message ---- */

static int answer_inline(void *ctx, uint32_t ref, const char *text, size_t length)
{
    struct answer *answer = ctx;
    int r = 0;

    if (!answer->inside) r = answer_begin_item(answer, ref, true, answer_dicom, 0);
    answer->inside = true;
    return r < 0 ? r : answer_fill_item(answer, text, length);
}

static int answer_inline_end(void *ctx)
{
    struct answer *answer = ctx;

    answer->inside = false;
    return answer_complete_item(answer);
}

/* The message has ended, or is not read any further: so has its inline document. */
static int answer_end_root(struct answer *answer)
{
    int r = root_finish(&answer->root);

    if (r < 0) return r;
    if (answer->root.broken)
        trolley_note(answer->task, TROLLEY_LOG_WARNING, 0, NULL,
                     "POST %.*s: the SOAP message of the answer cannot be read: %s",
                     (int)strcspn(answer->url, "?#"), answer->url, answer->root.problem);
    return kit_fetch_break(answer->sink, &answer->item, TROLLEY_ERR_PROTOCOL,
                           "the SOAP message ended within this document");
}

/* ---- parts ---- */

static bool answer_is_xml(const char *type)
{
    return kit_media_type_is(type, "application/xop+xml") ||
           kit_media_type_is(type, "application/soap+xml") ||
           kit_media_type_is(type, "application/xml") || kit_media_type_is(type, "text/xml");
}

/* No type, or one that DICOM files come with. */
static bool answer_is_instance(const char *type)
{
    return !*type || kit_media_type_is(type, answer_dicom) ||
           kit_media_type_is(type, "application/octet-stream") ||
           kit_media_type_is(type, "application/binary");
}

/* The root is the part that `start` names; else the first [RFC 2387 3.2]. Where neither holds, the
 * first part of XML. */
static bool answer_is_root(const struct answer *answer, const char *id, const char *type)
{
    struct cid cid;

    if (answer->root.begun) return false;
    if (*answer->start && cid_read(id, &cid) && cid_names(answer->start, &cid)) return true;
    if (answer_is_xml(type)) return true;
    return !*answer->start && answer->items == 0 && !answer_is_instance(type);
}

static bool answer_is_base64(const struct kit_multipart *multipart)
{
    const char *encoding = kit_multipart_header(multipart, "Content-Transfer-Encoding");

    return encoding && strcasecmp(encoding, "base64") == 0;
}

static int answer_part_begin(void *ctx, const struct kit_multipart *multipart)
{
    struct answer *answer = ctx;
    const char *type = kit_multipart_header(multipart, "Content-Type");
    const char *id = kit_multipart_header(multipart, "Content-ID");
    struct root_document *document;

    if (!type) type = "";
    if (!id) id = "";
    if (answer_is_root(answer, id, type)) {
        answer->part = PART_ROOT;
        answer->root.late = answer->items > 0;
        return 0;
    }
    document = root_find(&answer->root, id);
    if (!document && !answer_is_instance(type)) {
        answer->part = PART_DROPPED;
        trolley_note(answer->task, TROLLEY_LOG_WARNING, 0, NULL,
                     "part %llu of the answer is %.100s in place of %s and was dropped",
                     (unsigned long long)kit_multipart_parts(multipart), type, answer_dicom);
        return 0;
    }
    if (document) document->arrived = true;
    answer->part = PART_INSTANCE;
    return answer_begin_item(answer, document ? document->ref : REFS_NONE,
                             answer_is_base64(multipart), type, kit_multipart_length(multipart));
}

/* Bytes of the message. */
static int answer_read_root(struct answer *answer, const void *data, size_t length)
{
    (void)kit_excerpt_add(&answer->excerpt, data, length);
    return root_push(&answer->root, data, length);
}

static int answer_part_data(void *ctx, const void *data, size_t length)
{
    struct answer *answer = ctx;

    if (answer->part == PART_ROOT) return answer_read_root(answer, data, length);
    return answer->part == PART_INSTANCE ? answer_fill_item(answer, data, length) : 0;
}

static int answer_part_end(void *ctx)
{
    struct answer *answer = ctx;
    enum answer_part part = answer->part;

    answer->part = PART_NONE;
    if (part == PART_ROOT) return answer_end_root(answer);
    return part == PART_INSTANCE ? answer_complete_item(answer) : 0;
}

/* ---- head and body ---- */

/* The answer is not what was asked for: quotes its first line. */
static int answer_fail_odd(const struct answer *answer, const char *wanted)
{
    return trolley_fail(answer->task, TROLLEY_ERR_PROTOCOL,
                        "POST %.*s: the answer is %s in place of %s, it begins with \"%.*s\" "
                        "(check url)",
                        (int)strcspn(answer->url, "?#"), answer->url,
                        *answer->type ? answer->type : "of no media type", wanted,
                        kit_excerpt_line(&answer->excerpt), answer->excerpt.text);
}

static int answer_open_multipart(struct answer *answer, const char *type)
{
    struct kit_multipart_handler handler = {answer, answer_part_begin, answer_part_data,
                                            answer_part_end};
    char boundary[KIT_MULTIPART_BOUNDARY_MAX + 1];
    char start[CID_MAX];
    struct cid cid;
    int r = kit_media_type_param(type, "boundary", boundary, sizeof boundary);

    if (r == 0) r = kit_multipart_new(boundary, &handler, &answer->multipart);
    if (r == TROLLEY_ERR_NOMEM) return r;
    if (r < 0)
        return trolley_fail(answer->task, TROLLEY_ERR_PROTOCOL,
                            "POST %s: no usable boundary in Content-Type %.200s", answer->url,
                            type);
    if (kit_media_type_param(type, "start", start, sizeof start) == 0 && cid_read(start, &cid))
        memcpy(answer->start, cid.decoded, sizeof answer->start);
    answer->kind = ANSWER_MULTIPART;
    return 0;
}

static int32_t answer_head(void *ctx, const struct trolley_http_response *response)
{
    struct answer *answer = ctx;
    const char *type = response->content_type;

    answer->http = response->status;
    (void)snprintf(answer->type, sizeof answer->type, "%s", type);
    if (kit_media_type_is(type, "multipart/")) return answer_open_multipart(answer, type);
    answer->kind = answer_is_xml(type) ? ANSWER_SOAP : ANSWER_ODD;
    return 0;
}

static int answer_multipart_body(struct answer *answer, const void *data, size_t length)
{
    int r = kit_multipart_push(answer->multipart, data, length);

    if (r == TROLLEY_ERR_PROTOCOL || r == TROLLEY_ERR_TOO_LARGE)
        return trolley_fail(
            answer->task, r, "POST %s: malformed multipart answer: the header of part %llu",
            answer->url, (unsigned long long)kit_multipart_parts(answer->multipart) + 1);
    return r;
}

/* Something else than SOAP: with a good status it is an error as soon as its first line is there;
 * with a bad one the session tells its words. */
static int answer_odd_body(struct answer *answer, const void *data, size_t length)
{
    if (!kit_excerpt_add(&answer->excerpt, data, length) || answer->http >= 400) return 0;
    return answer_fail_odd(answer, "a SOAP message");
}

static int32_t answer_body(void *ctx, const void *data, uint64_t length)
{
    struct answer *answer = ctx;

    if (answer->kind == ANSWER_MULTIPART)
        return answer_multipart_body(answer, data, (size_t)length);
    if (answer->kind == ANSWER_SOAP) return answer_read_root(answer, data, (size_t)length);
    return answer_odd_body(answer, data, (size_t)length);
}

int answer_init(struct answer *answer, const char *url, const struct refs *refs,
                const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    const struct root_handler handler = {answer, answer_inline, answer_inline_end};

    memset(answer, 0, sizeof *answer);
    answer->url = url;
    answer->refs = refs;
    answer->sink = sink;
    answer->task = task;
    return root_init(&answer->root, refs, &handler);
}

void answer_clear(struct answer *answer)
{
    root_clear(&answer->root);
    kit_multipart_free(answer->multipart);
    memset(answer, 0, sizeof *answer);
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
                        "POST %s: the answer ends after %llu parts without its closing delimiter",
                        answer->url, (unsigned long long)kit_multipart_parts(answer->multipart));
}

/* What is wrong with a complete answer that brought nothing and says nothing. */
static int answer_nothing(struct answer *answer)
{
    if (answer->root.broken)
        return trolley_fail(answer->task, TROLLEY_ERR_PROTOCOL,
                            "POST %.*s: the SOAP message of the answer cannot be read: %s",
                            (int)strcspn(answer->url, "?#"), answer->url, answer->root.problem);
    return answer_fail_odd(answer, "a RetrieveDocumentSetResponse");
}

/* The item that is still open was cut: in the words of what cut it, where there are any. */
static int answer_cut_item(struct answer *answer, int32_t status, const struct kit_failure_tap *tap)
{
    const char *message = "the answer ended within this instance";

    if (status < 0 && tap->failure.status == status) message = tap->message;
    if (status != TROLLEY_ERR_CANCELLED) status = TROLLEY_ERR_TRUNCATED;
    return kit_fetch_break(answer->sink, &answer->item, status, message);
}

int32_t answer_finish(struct answer *answer, int32_t status, const struct kit_failure_tap *tap)
{
    int stop = 0;

    if (answer->kind == ANSWER_MULTIPART) status = answer_finish_multipart(answer, status);
    if (answer->kind == ANSWER_SOAP && (status == 0 || answer->http >= 400))
        stop = answer_end_root(answer);
    if (stop == 0 && answer->item) stop = answer_cut_item(answer, status, tap);
    if (stop < 0) return stop;
    if (status == 0 && answer->items == 0 && !verdict_says(&answer->root))
        return answer_nothing(answer);
    return status;
}
