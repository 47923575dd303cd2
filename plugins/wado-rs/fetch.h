/* fetch.h: references into requests. SPDX-License-Identifier: MIT */
#ifndef WADO_RS_FETCH_H
#define WADO_RS_FETCH_H

#include <stdatomic.h>
#include <trolley/downloader.h>
#include <trolley/http.h>

/* What the instances of one section share. */
struct wado_shared {
    atomic_uint
        accept; /* the first Accept value, by its place in the order, that the server took */
};

/* One thread's instance. */
struct wado {
    const struct trolley_host *host;
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
    struct wado_shared *shared;
    const char *url;
    const char *accept;
    uint32_t preferred; /* enum trolley_level */
};

/* The operation `fetch` of a downloader. */
int32_t wado_fetch(void *self, const struct trolley_span *refs,
                   const struct trolley_dataset_sink *sink, struct trolley_task *task);

/* GET of the base URL: any answer that is neither a refused log-in nor a server's failure. */
int32_t wado_ping(void *self, struct trolley_task *task);

#endif
