/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <trolley/helpers.h>

#include "association.h"

static int read_ms(const struct trolley_config *config, const char *key, int fallback)
{
    int64_t ms = config->integer(config, key, fallback);

    return ms > 0 && ms <= 3600000 ? (int)ms : fallback;
}

int dimse_settings_read(const struct trolley_host *host, const struct trolley_config *config,
                        struct trolley_task *task, struct dimse_settings *ret_settings)
{
    const char *calling = config->text(config, "calling_ae");
    const char *called = config->text(config, "called_ae");
    struct dimse_settings settings = {
        .host_services = host,
        .config = config,
        .host = config->text(config, "host"),
        .calling_ae = calling ? calling : "TROLLEY",
        .called_ae = called ? called : "ANY-SCP",
        .user = config->text(config, "user"),
        .ca_file = config->text(config, "ca_file"),
        .client_cert = config->text(config, "client_cert"),
        .client_key = config->text(config, "client_key"),
        .connect_ms = read_ms(config, "connect_timeout", 10000),
        .acse_ms = read_ms(config, "acse_timeout", 30000),
        .dimse_ms = read_ms(config, "dimse_timeout", 60000),
        .max_pdu = (uint32_t)config->integer(config, "max_pdu", 131072),
        .port = (uint16_t)config->integer(config, "port", 104),
        .tls = config->integer(config, "tls", 0) != 0,
        .verify = config->integer(config, "verify", 1) != 0,
    };

    if (!settings.host || !*settings.host)
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "host is missing");
    if (!settings.tls && (settings.ca_file || settings.client_cert || settings.client_key))
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "ca_file, client_cert and client_key need tls = yes");
    if (!association_ready())
        return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED,
                            "DCMTK finds no data dictionary; set DCMDICTPATH to its dicom.dic");
    *ret_settings = settings;
    return 0;
}
