/* fetch.h: references into requests. SPDX-License-Identifier: MIT */
#ifndef RAD69_FETCH_H
#define RAD69_FETCH_H

#include <stdbool.h>
#include <trolley/downloader.h>
#include <trolley/http.h>

#include "request.h"
#include "verdict.h"

/* Most instance references a fetch, as the host bounds it. */
#define RAD69_BATCH 1000

/* One thread's instance. */
struct rad69 {
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
    struct request_settings settings;
    struct verdict_ignore ignore;
    bool request_per_series;
    char **words; /* owns the texts of settings.syntaxes and ignore.codes */
};

/* The operation `fetch` of a downloader. */
int32_t rad69_fetch(void *self, const struct trolley_span *refs,
                    const struct trolley_dataset_sink *sink, struct trolley_task *task);

/* GET of the endpoint: any answer will do but a refused log-in or a gateway's failure. */
int32_t rad69_ping(void *self, struct trolley_task *task);

#endif
