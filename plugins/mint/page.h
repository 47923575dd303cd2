/* page.h: one request and its answer as a stream of nodes. SPDX-License-Identifier: MIT */
#ifndef MINT_PAGE_H
#define MINT_PAGE_H

#include <trolley/http.h>

#include "answer.h"

/* A door to the server. */
struct page_source {
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
};

/*
 * Asks for `url` and reads the answer. Errors: those of the HTTP service; PROTOCOL for what is no
 * MINT, an HTML page quoted by its title; what the answer's handler returned.
 */
int page_get(const struct page_source *source, const char *url, struct answer *answer,
             struct trolley_task *task);

#endif
