/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <kit/failure_tap.h>
#include <trolley/helpers.h>

#include "plugins/dataset/attribute.h"

/* One page on its way. */
struct pages_step {
    struct pages *pages;
    uint64_t fresh;
};

/* Limits at which servers stop without a word. */
static bool pages_is_usual_limit(uint64_t count)
{
    static const uint64_t limits[] = {100, 200, 500, 1000, 5000, 10000};
    size_t i;

    for (i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i] == count) return true;
    return false;
}

/*
 * Has this object come before? Told by its UID and those of all levels above it, its own or the
 * path's: archives hold instances of one UID in two studies. *ret_uid is whether it has a UID.
 */
static int pages_is_fresh(const struct pages *pages, struct kit_uid_set *seen,
                          const struct kit_dicom_json *object, bool *ret_fresh, bool *ret_uid)
{
    const struct request *request = pages->request;
    const char *const path[] = {NULL, request->study, request->series, NULL};
    struct kit_buffer key = {0};
    uint32_t level;
    int r = 0;

    for (level = TROLLEY_LEVEL_STUDY; r == 0 && level <= request->level; level++) {
        const char *uid = kit_dicom_json_text(object, attribute_uid(level));

        *ret_uid = uid != NULL;
        if (!uid) uid = path[level];
        r = kit_buffer_printf(&key, "%s/", uid ? uid : "");
    }
    *ret_fresh = true;
    if (r == 0 && *ret_uid) r = kit_uid_set_add(seen, key.data, ret_fresh);
    kit_buffer_free(&key);
    return r;
}

static int pages_object(void *ctx, struct kit_dicom_json *object, size_t length)
{
    struct pages_step *step = ctx;
    struct pages *pages = step->pages;
    bool matches = !pages->request->loose || request_matches(pages->request, object);
    bool fresh = false, uid = false;
    int r = pages_is_fresh(pages, matches ? pages->seen : &pages->dropped, object, &fresh, &uid);

    if (r < 0 || !fresh || !matches || pages->skip || pages->delivered >= pages->most) {
        if (r == 0 && fresh) step->fresh += uid;
        if (r == 0 && fresh && matches && pages->skip) pages->skip--;
        kit_dicom_json_free(object);
        return r;
    }
    /* One without a UID is handed on, to be counted as malformed, but is no progress. */
    step->fresh += uid;
    pages->delivered++;
    return pages->object(pages->ctx, object, length);
}

static int pages_get(struct pages_step *step, uint64_t limit, uint64_t offset,
                     struct page_result *ret_result)
{
    const struct pages *pages = step->pages;
    struct kit_buffer url = {0};
    int r = request_url(pages->request, limit, offset, &url);

    memset(ret_result, 0, sizeof *ret_result);
    if (r == 0) r = page_get(pages->source, url.data, pages_object, step, pages->task, ret_result);
    kit_buffer_free(&url);
    return r;
}

static void pages_note(const struct pages *pages, const char *text)
{
    struct kit_buffer what = {0};

    if (request_describe(pages->request, &what) == 0)
        trolley_note(pages->task, TROLLEY_LOG_WARNING, pages->code, NULL, "%s: %s (%llu came)",
                     what.data, text, (unsigned long long)pages->delivered);
    kit_buffer_free(&what);
}

/* Is another page due behind one that came? */
static bool pages_more(const struct pages *pages, const struct pages_step *step,
                       const struct page_result *result, uint64_t limit)
{
    if (result->objects == 0 || pages->delivered >= pages->most) return false;
    if (step->fresh == 0) {
        pages_note(pages, "a page brought nothing new: the server seems to ignore offset, and the "
                          "result may be incomplete");
        return false;
    }
    if (result->more || (limit && result->objects == limit)) return true;
    return limit == 0 && pages_is_usual_limit(result->objects);
}

/* All pages of the request as it stands. */
static int pages_ask(struct pages *pages, uint64_t *ret_total)
{
    uint64_t total = 0;
    bool more = true;
    int r = 0;

    while (r == 0 && more) {
        struct pages_step step = {pages, 0};
        struct page_result result;
        uint64_t left = pages->most - pages->delivered, limit = pages->page_size;

        if (pages->task->cancelled(pages->task)) return TROLLEY_ERR_CANCELLED;
        /* Of a loose request's answers some may not match: more than the wanted are needed. */
        if (!pages->request->loose && (left < limit || (limit == 0 && pages->most != UINT64_MAX)))
            limit = left;
        r = pages_get(&step, limit, pages->offset + total, &result);
        pages->code = result.code;
        total += result.objects;
        *ret_total = total;
        /* Behind the end some servers find no page. */
        if (r == TROLLEY_ERR_NOT_FOUND && total > 0) return 0;
        if (r >= 0 && pages->page_end) {
            int stop = pages->page_end(pages->ctx);
            if (stop) r = stop;
        }
        more = r == 0 && pages_more(pages, &step, &result, limit);
    }
    return r;
}

static int pages_ask_loosely(struct pages *pages)
{
    const struct request *strict = pages->request;
    struct request loose = *strict;
    struct trolley_task *task = pages->task;
    struct kit_failure_tap tap;
    uint64_t total = 0;
    int r;

    kit_failure_tap_init(&tap, task);
    loose.loose = true;
    pages->request = &loose;
    pages->task = &tap.task;
    pages->skip = pages->offset;
    pages->offset = 0;
    r = pages_ask(pages, &total);
    if (pages->delivered)
        pages_note(pages, "nothing was found for a value that must be percent-encoded, but with "
                          "wildcards in its place: the server does not decode what it is asked");
    kit_uid_set_free(&pages->dropped);
    pages->offset = pages->skip;
    pages->request = strict;
    pages->task = task;
    /* A server that takes no wildcards here has answered already: nothing. */
    if (total == 0 && (r == TROLLEY_ERR_INVALID_ARG || r == TROLLEY_ERR_UNSUPPORTED)) return 0;
    return r < 0 ? kit_failure_tap_pass(&tap, r) : r;
}

int pages_run(struct pages *pages)
{
    uint64_t total = 0;
    int r;

    pages->delivered = 0;
    r = pages_ask(pages, &total);
    if (r != 0 || total || !request_loosens(pages->request)) return r;
    return pages_ask_loosely(pages);
}
