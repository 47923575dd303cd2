/* service.h: a DICOMweb service asked for studies, series and instances [PS3.18 10.4]; what wado-rs
 * and wado-rs-metadata have in common. SPDX-License-Identifier: MIT */
#ifndef WADO_RS_SERVICE_H
#define WADO_RS_SERVICE_H

#include <kit/fetch.h>

struct service;

/* Fetches one reference, whose URL this is, as kit_fetch_ref_fn does. */
typedef int32_t (*service_retrieve_fn)(struct service *service, const char *url,
                                       const struct trolley_ref *ref,
                                       const struct trolley_dataset_sink *sink,
                                       struct kit_failure_tap *tap, int32_t *ret_code);

/* One thread's instance. Begins the struct of each downloader: `self` of its operations. */
struct service {
    const struct trolley_http_service *http;
    struct trolley_http_session *session;
    const char *url;
    const char *resource; /* behind the object's own path: "", "/metadata" */
    service_retrieve_fn retrieve;
    uint32_t preferred; /* enum trolley_level */
};

#define SERVICE_LEVELS                                                                  \
    (TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) | \
     TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE))

/* Rows of the option tables that are the same. */
#define SERVICE_OPTION_URL                                                     \
    {                                                                          \
        .size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_URL,     \
        .flags = TROLLEY_OPTION_REQUIRED, .key = "url",                        \
        .help = "Base of the DICOMweb service, to which /studies/... is added" \
    }
#define SERVICE_OPTION_REQUEST                                                                   \
    {                                                                                            \
        .size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_CHOICE, .key = "request",  \
        .default_text = "auto", .choices = "auto,study,series,instance",                         \
        .help = "What one request asks for; auto asks for series, so that several come at once", \
    }

/* Reads url and request and opens the session. `service` is zero-initialised but for resource and
 * retrieve. [load] */
int32_t service_open(struct service *service, const struct trolley_host *host,
                     const struct trolley_config *config, struct trolley_task *task);
void service_close(struct service *service);

/* GET with this Accept value. */
int32_t service_get(const struct service *service, const char *url, const char *accept,
                    uint32_t flags, const struct trolley_http_handler *handler,
                    struct trolley_task *task);

/* Operations of a downloader; `self` begins with a struct service. */
int32_t service_fetch(void *self, const struct trolley_span *refs,
                      const struct trolley_dataset_sink *sink, struct trolley_task *task);
uint32_t service_preferred_level(void *self);
uint32_t service_batch(void *self);
/* GET of the base URL. */
int32_t service_ping(void *self, struct trolley_task *task);

#endif
