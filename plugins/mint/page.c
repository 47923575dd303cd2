/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <kit/excerpt.h>
#include <kit/media_type.h>
#include <stdbool.h>
#include <stdio.h>
#include <trolley/helpers.h>

#define PAGE_LOOK 32 /* bytes that show what an answer is */

static const char page_type[] = "application/xml";

struct page {
    const char *url;
    struct answer *answer;
    struct trolley_task *task;
    struct kit_excerpt excerpt;
    char type[128];
    char look[PAGE_LOOK]; /* the first bytes */
    size_t looked;
    bool odd;  /* of another type */
    bool seen; /* the first bytes have been looked at */
};

/* The reference server's searches come without a type; their text shows what they are. */
static bool page_is_odd(const char *type)
{
    char bare[128];

    if (!*type || kit_media_type_is(type, page_type) || kit_media_type_is(type, "text/xml") ||
        kit_media_type_is(type, "text/plain"))
        return false;
    (void)snprintf(bare, sizeof bare, "%.*s", (int)strcspn(type, "; \t"), type);
    return !(strlen(bare) > 4 && strcmp(bare + strlen(bare) - 4, "+xml") == 0);
}

static int32_t page_head(void *ctx, const struct trolley_http_response *response)
{
    struct page *page = ctx;

    (void)snprintf(page->type, sizeof page->type, "%s", response->content_type);
    page->odd = page_is_odd(response->content_type);
    return 0;
}

static int page_refuse(const struct page *page)
{
    return kit_excerpt_fail(&page->excerpt, page->task, page->url, page->type, "MINT's XML");
}

static int page_push(struct page *page, const void *data, size_t length)
{
    int r = answer_push(page->answer, data, length);
    const char *problem = r < 0 ? answer_problem(page->answer) : NULL;

    if (!problem) return r;
    return trolley_fail(page->task, r, "GET %.*s: malformed answer: %s",
                        (int)strcspn(page->url, "?"), page->url, problem);
}

/* An HTML page under a type of XML is told by its first bytes. */
static int page_look(struct page *page)
{
    struct kit_excerpt begin = {.length = 0};

    page->seen = true;
    (void)kit_excerpt_add(&begin, page->look, page->looked);
    page->odd = kit_excerpt_is_html(&begin);
    if (page->odd) {
        (void)kit_excerpt_add(&page->excerpt, page->look, page->looked);
        return 0;
    }
    return page_push(page, page->look, page->looked);
}

static int32_t page_body(void *ctx, const void *data, uint64_t length)
{
    struct page *page = ctx;
    const char *bytes = data;
    size_t n = PAGE_LOOK - page->looked;
    int r;

    if (n > length) n = (size_t)length;
    if (!page->odd && !page->seen) {
        memcpy(page->look + page->looked, bytes, n);
        page->looked += n;
        bytes += n;
        length -= n;
        if (page->looked < PAGE_LOOK) return 0;
        r = page_look(page);
        if (r < 0) return r;
    }
    if (!page->odd) return page_push(page, bytes, (size_t)length);
    return kit_excerpt_add(&page->excerpt, bytes, (size_t)length) ? page_refuse(page) : 0;
}

/* What a complete answer still may be wrong in. */
static int page_finish(struct page *page)
{
    int r = 0;

    if (!page->odd && !page->seen) r = page_look(page);
    if (r == 0 && page->odd) return page_refuse(page);
    if (r == 0) r = answer_finish(page->answer);
    if (r < 0 && answer_problem(page->answer))
        return trolley_fail(page->task, r, "GET %.*s: malformed answer: %s",
                            (int)strcspn(page->url, "?"), page->url, answer_problem(page->answer));
    return r;
}

int page_get(const struct page_source *source, const char *url, struct answer *answer,
             struct trolley_task *task)
{
    static const struct trolley_http_header headers[] = {{"Accept", page_type}};
    struct page page = {.url = url, .answer = answer, .task = task};
    const struct trolley_http_handler handler = {&page, page_head, page_body};
    const struct trolley_http_request request = {
        .size = sizeof request,
        .flags = TROLLEY_HTTP_DOCUMENT,
        .url = url,
        .headers = TROLLEY_SPAN(headers),
    };
    int r = source->http->request(source->session, &request, &handler, task);

    return r == 0 ? page_finish(&page) : r;
}
