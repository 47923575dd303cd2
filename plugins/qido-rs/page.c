/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <kit/excerpt.h>
#include <kit/json_stream.h>
#include <kit/media_type.h>
#include <strings.h>
#include <trolley/helpers.h>

static const char page_type[] = "application/dicom+json";

struct page {
    const struct page_source *source;
    const char *url;
    page_object_fn object;
    void *ctx;
    struct trolley_task *task;
    struct page_result *result;
    struct kit_json_stream *stream;
    const char *problem; /* of an object, NULL when the stream knows */
    struct kit_excerpt excerpt;
    char type[128];
    bool odd;    /* not JSON */
    int refusal; /* what the receiver returned */
};

/* Warning: 299 {service}: "There are {n} additional results that can be requested". Other warnings
 * of that number (fuzzymatching is not supported) do not speak of more. */
static bool page_warns_of_more(const struct trolley_http_response *response)
{
    uint32_t i;

    for (i = 0; i < response->headers.count; i++) {
        const struct trolley_http_header *header = trolley_span_at(&response->headers, i);

        if (strcasecmp(header->name, "Warning") == 0 && strncmp(header->value, "299", 3) == 0 &&
            strcasestr(header->value, "additional"))
            return true;
    }
    return false;
}

static int32_t page_head(void *ctx, const struct trolley_http_response *response)
{
    struct page *page = ctx;
    const char *type = response->content_type;

    page->result->code = response->status;
    page->result->more = response->status == 206 || page_warns_of_more(response);
    (void)snprintf(page->type, sizeof page->type, "%s", type);
    /* Without a type the text itself must show that it is JSON. */
    page->odd = *type && !kit_media_type_is(type, page_type) &&
                !kit_media_type_is(type, "application/json");
    return 0;
}

static int page_fail(const struct page *page, int status, const char *problem)
{
    return trolley_fail(page->task, status, "GET %.*s: malformed answer: %s (object %llu)",
                        (int)strcspn(page->url, "?"), page->url, problem,
                        (unsigned long long)page->result->objects + 1);
}

static int page_take(void *ctx, const char *text, size_t length)
{
    struct page *page = ctx;
    struct kit_dicom_json *object = NULL;
    int r = kit_dicom_json_parse(text, length, page->source->vr, &object, &page->problem);

    if (r < 0) return r;
    if (kit_dicom_json_elements(object).count == 0) {
        kit_dicom_json_free(object);
        return trolley_fail(page->task, TROLLEY_ERR_PROTOCOL,
                            "GET %.*s: the answer holds no DICOM attribute: %.160s",
                            (int)strcspn(page->url, "?"), page->url, text);
    }
    page->result->objects++;
    page->refusal = page->object(page->ctx, object, length);
    return page->refusal;
}

static int32_t page_body(void *ctx, const void *data, uint64_t length)
{
    struct page *page = ctx;
    int r;

    if (page->odd) {
        if (!kit_excerpt_add(&page->excerpt, data, (size_t)length)) return 0;
        return kit_excerpt_fail(&page->excerpt, page->task, page->url, page->type, page_type);
    }
    r = kit_json_stream_push(page->stream, data, (size_t)length);
    if (page->refusal > 0) return TROLLEY_ERR_CANCELLED;
    if (page->refusal < 0 || r >= 0 || r == TROLLEY_ERR_NOMEM) return r;
    if (!page->problem) page->problem = kit_json_stream_problem(page->stream);
    return page->problem ? page_fail(page, r, page->problem) : r;
}

/* What a complete answer still may be wrong in. */
static int page_finish(struct page *page)
{
    int r;

    if (page->excerpt.length)
        return kit_excerpt_fail(&page->excerpt, page->task, page->url, page->type, page_type);
    r = kit_json_stream_finish(page->stream);
    return r < 0 ? page_fail(page, r, kit_json_stream_problem(page->stream)) : 0;
}

int page_get(const struct page_source *source, const char *url, page_object_fn object, void *ctx,
             struct trolley_task *task, struct page_result *ret_result)
{
    static const struct trolley_http_header headers[] = {{"Accept", page_type}};
    struct page page = {source, url, object, ctx, task, ret_result, .refusal = 0};
    const struct trolley_http_handler handler = {&page, page_head, page_body};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .flags = TROLLEY_HTTP_DOCUMENT,
        .url = url,
        .headers = TROLLEY_SPAN(headers),
    };
    int r = kit_json_stream_new(page_take, &page, &page.stream);

    memset(ret_result, 0, sizeof *ret_result);
    if (r == 0) r = source->http->request(source->session, &request, &handler, task);
    if (page.refusal) r = page.refusal;
    if (r == 0) r = page_finish(&page);
    kit_json_stream_free(page.stream);
    return r;
}
