/* fetch.h: references into WADO-RS requests. SPDX-License-Identifier: MIT */
#ifndef WADO_RS_FETCH_H
#define WADO_RS_FETCH_H

#include <stdatomic.h>

#include "service.h"

/* What the instances of one section share. */
struct wado_shared {
    atomic_uint
        accept; /* the first Accept value, by its place in the order, that the server took */
};

/* One thread's instance. */
struct wado {
    struct service service;
    struct wado_shared *shared;
    const char *accept;
};

/* Asks for one reference, with one Accept value after the other until one is taken. */
int32_t wado_retrieve(struct service *service, const char *url, const struct trolley_ref *ref,
                      const struct trolley_dataset_sink *sink, struct kit_failure_tap *tap,
                      int32_t *ret_code);

#endif
