/* settings.h: what every association of a section is made from. SPDX-License-Identifier: MIT */
#ifndef DIMSE_SETTINGS_H
#define DIMSE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <trolley/host.h>
#include <trolley/option.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dimse_settings {
    const struct trolley_host *host_services;
    const struct trolley_config *config; /* for the secret; texts below are borrowed from it */
    const char *host;
    const char *calling_ae, *called_ae;
    const char *user; /* user identity [PS3.7 D.3.3.7]; NULL for none */
    const char *ca_file, *client_cert, *client_key;
    int connect_ms, acse_ms, dimse_ms;
    uint32_t max_pdu; /* bytes this side takes in one P-DATA-TF */
    uint16_t port;
    bool patient_root, tls, verify;
};

/* The options that every component of this family has, as initialisers of its table. */
#define DIMSE_OPTION(type_, key_, default_, help_)                             \
    {                                                                          \
        .size = sizeof(struct trolley_option), .type = (type_), .key = (key_), \
        .default_text = (default_), .help = (help_)                            \
    }
#define DIMSE_OPTION_MORE(type_, key_, default_, help_, ...)                   \
    {                                                                          \
        .size = sizeof(struct trolley_option), .type = (type_), .key = (key_), \
        .default_text = (default_), .help = (help_), __VA_ARGS__               \
    }
#define DIMSE_COMMON_OPTIONS                                                                       \
    DIMSE_OPTION_MORE(TROLLEY_OPTION_STRING, "host", NULL, "Host name or address of the PACS",     \
                      .flags = TROLLEY_OPTION_REQUIRED),                                           \
        DIMSE_OPTION(TROLLEY_OPTION_PORT, "port", "104", "Its DICOM port"),                        \
        DIMSE_OPTION(TROLLEY_OPTION_AE_TITLE, "called_ae", "ANY-SCP", "Its AE title"),             \
        DIMSE_OPTION(TROLLEY_OPTION_AE_TITLE, "calling_ae", "TROLLEY", "Our AE title"),            \
        DIMSE_OPTION_MORE(TROLLEY_OPTION_DURATION, "connect_timeout", "10s",                       \
                          "Longest wait for the TCP connection", .min = 1, .max = 3600000),        \
        DIMSE_OPTION_MORE(TROLLEY_OPTION_DURATION, "acse_timeout", "30s",                          \
                          "Longest wait while associations are made and released", .min = 1,       \
                          .max = 3600000),                                                         \
        DIMSE_OPTION_MORE(TROLLEY_OPTION_DURATION, "dimse_timeout", "60s",                         \
                          "Longest silence within a running operation", .min = 1, .max = 3600000), \
        DIMSE_OPTION_MORE(TROLLEY_OPTION_SIZE, "max_pdu", "128KiB",                                \
                          "Largest PDU that the PACS may send", .flags = TROLLEY_OPTION_ADVANCED,  \
                          .min = 4096, .max = 131072),                                             \
        DIMSE_OPTION(TROLLEY_OPTION_STRING, "user", NULL, "User name sent as user identity"),      \
        DIMSE_OPTION_MORE(TROLLEY_OPTION_STRING, "password", NULL, "Password of user",             \
                          .flags = TROLLEY_OPTION_SECRET),                                         \
        DIMSE_OPTION(TROLLEY_OPTION_BOOL, "tls", "no", "Speak TLS"),                               \
        DIMSE_OPTION(TROLLEY_OPTION_PATH, "ca_file", NULL,                                         \
                     "PEM file of trusted certificates in place of the system's"),                 \
        DIMSE_OPTION(TROLLEY_OPTION_PATH, "client_cert", NULL,                                     \
                     "PEM file of the certificate that we show"),                                  \
        DIMSE_OPTION(TROLLEY_OPTION_PATH, "client_key", NULL,                                      \
                     "PEM file of its private key; default client_cert"),                          \
        DIMSE_OPTION(TROLLEY_OPTION_BOOL, "verify", "yes",                                         \
                     "Check the certificate of the PACS and its host name")

/*
 * Reads the common options of a section and makes DCMTK ready.
 * Errors: INVALID_CONFIG; UNSUPPORTED without DCMTK's data dictionary. [load]
 */
int dimse_settings_read(const struct trolley_host *host, const struct trolley_config *config,
                        struct trolley_task *task, struct dimse_settings *ret_settings);

#ifdef __cplusplus
}
#endif
#endif
