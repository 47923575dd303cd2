/* schema.c: the keys that belong to the host. SPDX-License-Identifier: MIT */
#include <string.h>
#include <trolley/helpers.h>

#include "core/config/schema.h"

static const struct trolley_option schema_settings[] = {
    {OPTION(COMPONENT, "trolley", NULL, "the trolley used without --trolley"),
     .choices = "trolley"},
    {OPTION(LIST, "plugin_path", NULL,
            "folders with plugins, searched before the built-in one; absolute"),
     .flags = CONFIG_OPTION_SEARCH_PATH, .metavar = "/opt/site/trolley-plugins"},
    {OPTION(CHOICE, "log_level", "warning", "what is logged"),
     .choices = "error,warning,info,debug"},
    {OPTION(CHOICE, "log_format", "text", "how it is logged"), .choices = "text,json"},
    {OPTION(BOOL, "log_phi", "no", "log values of queries and URLs, which name patients")},
};

static const struct trolley_option schema_session[] = {
    {OPTION(STRING, "auth", "none",
            "none, basic, digest, negotiate, netrc, or an auth plugin's name")},
    {OPTION(STRING, "user", NULL, "who logs in")},
    {OPTION(STRING, "password", NULL, "the user's password"), .flags = TROLLEY_OPTION_SECRET},
    {OPTION(PATH, "ca_file", NULL, "certificates to trust in place of the system's, PEM"),
     .metavar = "/etc/ssl/hospital.pem"},
    {OPTION(PATH, "client_cert", NULL, "certificate shown to the server, PEM"),
     .metavar = "client.pem"},
    {OPTION(PATH, "client_key", NULL, "private key of client_cert, PEM"), .metavar = "client.key"},
    {OPTION(BOOL, "verify", "yes", "check the server's certificate and its name")},
    {OPTION(STRING, "proxy", NULL, "proxy's URL"), .metavar = "http://proxy.example:3128"},
    {OPTION(LIST, "header", NULL, "header field sent with each request, `Name: value`"),
     .flags = CONFIG_OPTION_HEADER, .metavar = "X-Api-Key: KEY"},
    {OPTION(DURATION, "connect_timeout", "10s", "longest wait for a connection"), .min = 1,
     .max = INT64_MAX},
    {OPTION(DURATION, "idle_timeout", "60s", "longest time without a byte; 0: none")},
    {OPTION(DURATION, "total_timeout", NULL, "longest time for one request; 0: none")},
    {OPTION(SIZE, "max_rate", NULL, "bytes a second; 0: no bound")},
    {OPTION(SIZE, "max_document", "256MiB", "largest JSON or XML answer, decoded"), .min = 1,
     .max = INT64_MAX},
    {OPTION(CHOICE, "http_version", "auto", "protocol version"), .choices = "auto,1.1,2",
     .flags = TROLLEY_OPTION_ADVANCED},
    {OPTION(STRING, "user_agent", NULL, "in place of trolley/VERSION"),
     .flags = TROLLEY_OPTION_ADVANCED},
};

#define SCHEMA_TYPE                                                                  \
    {                                                                                \
        OPTION(STRING, "type", NULL, "the plugin"), .flags = TROLLEY_OPTION_REQUIRED \
    }
#define SCHEMA_RETRIES                                                                         \
    {                                                                                          \
        OPTION(INT, "max_retries", "4", "how often a failed request is repeated"), .min = 0,   \
                                                                                   .max = 1000 \
    }
#define SCHEMA_DELAY                                                                    \
    {                                                                                   \
        OPTION(DURATION, "retry_delay", "500ms",                                        \
               "wait before the first repeat; doubled each time, Retry-After honoured") \
    }

static const struct trolley_option schema_searcher[] = {
    SCHEMA_TYPE,
    SCHEMA_RETRIES,
    SCHEMA_DELAY,
    {OPTION(BOOL, "refilter", "yes", "match what the server answers against the query again")},
};

static const struct trolley_option schema_downloader[] = {
    SCHEMA_TYPE,
    SCHEMA_RETRIES,
    SCHEMA_DELAY,
    {OPTION(INT, "max_parallel", "4", "requests at a time"), .min = 1, .max = 256},
    {OPTION(SIZE, "max_instance", NULL, "largest instance taken, in bytes; 0: no bound")},
};

static const struct trolley_option schema_storage[] = {
    SCHEMA_TYPE,
    {OPTION(SIZE, "min_free", "1GiB", "space on the disk that is left free")},
    {OPTION(CHOICE, "durability", "batch", "when files are forced to the disk"),
     .choices = "none,batch,each"},
    {OPTION(INT, "file_mode", "0640", "permissions of files, octal"), .flags = CONFIG_OPTION_OCTAL,
     .min = 0400, .max = 0777},
    {OPTION(INT, "dir_mode", "0750", "permissions of folders, octal"), .flags = CONFIG_OPTION_OCTAL,
     .min = 0700, .max = 0777},
};

static const struct trolley_option schema_trolley[] = {
    {OPTION(COMPONENT, "searcher", NULL, "finds studies, and says what a download must bring"),
     .choices = "searcher"},
    {OPTION(LIST, "downloader", NULL,
            "fetch instances; each gets what the ones before it could not deliver"),
     .choices = "downloader", .flags = CONFIG_OPTION_NAMES},
    {OPTION(COMPONENT, "storage", NULL, "keeps instances"), .choices = "storage"},
    {OPTION(COMPONENT, "expander", NULL,
            "the searcher that knows instances, where `searcher` does not"),
     .choices = "searcher"},
    {OPTION(CHOICE, "expected", "instances",
            "what a download is held against: the `instances` that the searcher names; or its "
            "`counts`, and names only where one is not met"),
     .choices = "instances,counts"},
};

static const struct trolley_option schema_http[] = {
    {OPTION(COMPONENT, "session", NULL, "HTTP: log-in, TLS, limits; a plain one when not given"),
     .choices = "session"},
};

static const struct schema_kind schema_kinds[] = {
    {"settings", TROLLEY_SPAN(schema_settings)}, {"session", TROLLEY_SPAN(schema_session)},
    {"searcher", TROLLEY_SPAN(schema_searcher)}, {"downloader", TROLLEY_SPAN(schema_downloader)},
    {"storage", TROLLEY_SPAN(schema_storage)},   {"trolley", TROLLEY_SPAN(schema_trolley)},
};

static const struct trolley_span schema_http_options = TROLLEY_SPAN(schema_http);

#define SCHEMA_OWN (sizeof schema_kinds / sizeof schema_kinds[0])

/* Kind i, the host's own first; NULL past the last. */
static const struct schema_kind *schema_kind(size_t i)
{
    if (i < SCHEMA_OWN) return &schema_kinds[i];
    return i - SCHEMA_OWN < schema_prefetch_count ? &schema_prefetch_kinds[i - SCHEMA_OWN] : NULL;
}

const char *config_kind(void *unused, size_t i)
{
    const struct schema_kind *kind = schema_kind(i);

    (void)unused;
    return kind ? kind->kind : NULL;
}

const struct trolley_span *config_host_options(const char *kind)
{
    const struct schema_kind *known;
    size_t i;

    for (i = 0; (known = schema_kind(i)); i++)
        if (strcmp(known->kind, kind) == 0) return &known->options;
    return NULL;
}

const struct trolley_span *config_http_options(void)
{
    return &schema_http_options;
}
