/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <kit/uid.h>
#include <kit/url.h>
#include <stdlib.h>
#include <trolley/helpers.h>

/* ---- configuration ---- */

static int request_refuse(const struct trolley_config *config, struct trolley_task *task,
                          const char *key, const char *why)
{
    return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "[downloader %s] %s: %s", config->section,
                        key, why);
}

/* Keys that only rendered results know, and those that only instances know. */
static int request_check_kind(const struct request *request, const struct trolley_config *config,
                              struct trolley_task *task)
{
    static const char *const rendered[] = {
        "frame", "rows", "columns", "window_center", "window_width", "region", "image_quality"};
    size_t i;

    for (i = 0; !request->rendered && i < sizeof rendered / sizeof rendered[0]; i++)
        if (config->text(config, rendered[i]))
            return request_refuse(config, task, rendered[i],
                                  "only for content_type = image/jpeg or image/png");
    if (request->rendered && request->transfer_syntax)
        return request_refuse(config, task, "transfer_syntax",
                              "only for content_type = application/dicom");
    if (request->rendered && request->anonymize)
        return request_refuse(config, task, "anonymize",
                              "only for content_type = application/dicom");
    return 0;
}

/* A decimal number, as a DS is written. */
static bool request_is_number(const char *text, double *ret_number)
{
    char *end = NULL;

    if (!*text || text[strspn(text, "0123456789+-.eE")]) return false;
    *ret_number = strtod(text, &end);
    return *end == '\0';
}

/* Four numbers from 0 to 1: left, top, right, bottom [PS3.18 9.1.2.2.4]. */
static bool request_is_region(const char *text)
{
    double corner[4];
    int i;

    for (i = 0; i < 4; i++) {
        char *end = NULL;

        if (!strchr("0123456789.", *text) || !*text) return false;
        corner[i] = strtod(text, &end);
        if (*end != (i < 3 ? ',' : '\0') || corner[i] < 0 || corner[i] > 1) return false;
        text = end + 1;
    }
    return corner[0] < corner[2] && corner[1] < corner[3];
}

static int request_check_values(const struct request *request, const struct trolley_config *config,
                                struct trolley_task *task)
{
    double number;

    if (request->transfer_syntax && !kit_uid_valid(request->transfer_syntax))
        return request_refuse(config, task, "transfer_syntax", "no UID");
    if (!request->window_center != !request->window_width)
        return request_refuse(config, task,
                              request->window_center ? "window_center" : "window_width",
                              "window_center and window_width go together");
    if (request->window_center && !request_is_number(request->window_center, &number))
        return request_refuse(config, task, "window_center", "no number");
    if (request->window_width &&
        (!request_is_number(request->window_width, &number) || number <= 0))
        return request_refuse(config, task, "window_width", "no number above 0");
    if (request->region && !request_is_region(request->region))
        return request_refuse(config, task, "region",
                              "four numbers from 0 to 1 are due: left,top,right,bottom");
    return 0;
}

int request_configure(struct request *request, const struct trolley_config *config,
                      struct trolley_task *task)
{
    int r;

    request->url = config->text(config, "url");
    request->content_type = config->text(config, "content_type");
    if (!request->content_type) request->content_type = "application/dicom";
    request->rendered = strcmp(request->content_type, "application/dicom") != 0;
    request->transfer_syntax = config->text(config, "transfer_syntax");
    request->window_center = config->text(config, "window_center");
    request->window_width = config->text(config, "window_width");
    request->region = config->text(config, "region");
    request->frame = config->integer(config, "frame", 0);
    request->rows = config->integer(config, "rows", 0);
    request->columns = config->integer(config, "columns", 0);
    request->image_quality = config->integer(config, "image_quality", 0);
    request->anonymize = config->integer(config, "anonymize", 0) != 0;
    if (!request->url) return request_refuse(config, task, "url", "is needed");
    r = request_check_kind(request, config, task);
    return r < 0 ? r : request_check_values(request, config, task);
}

/* ---- the URL ---- */

static int request_add(struct kit_buffer *out, const char *name, const char *value)
{
    return value ? kit_url_query(out, name, value) : 0;
}

static int request_add_number(struct kit_buffer *out, const char *name, int64_t number)
{
    char text[24];

    if (number <= 0) return 0;
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    return kit_url_query(out, name, text);
}

static int request_add_options(const struct request *request, struct kit_buffer *out)
{
    int r = request_add(out, "transferSyntax", request->transfer_syntax);

    if (r == 0) r = request_add(out, "anonymize", request->anonymize ? "yes" : NULL);
    if (r == 0) r = request_add_number(out, "frameNumber", request->frame);
    if (r == 0) r = request_add_number(out, "rows", request->rows);
    if (r == 0) r = request_add_number(out, "columns", request->columns);
    if (r == 0) r = request_add(out, "region", request->region);
    if (r == 0) r = request_add(out, "windowCenter", request->window_center);
    if (r == 0) r = request_add(out, "windowWidth", request->window_width);
    if (r == 0) r = request_add_number(out, "imageQuality", request->image_quality);
    return r;
}

int request_url(const struct request *request, const struct trolley_ref *ref,
                struct kit_buffer *out)
{
    int r = kit_url_join(out, request->url, "");

    if (r == 0) r = kit_url_query(out, "requestType", "WADO");
    if (r == 0) r = kit_url_query(out, "studyUID", ref->study);
    if (r == 0) r = kit_url_query(out, "seriesUID", ref->series);
    if (r == 0) r = kit_url_query(out, "objectUID", ref->instance);
    if (r == 0) r = kit_url_query(out, "contentType", request->content_type);
    return r < 0 ? r : request_add_options(request, out);
}
