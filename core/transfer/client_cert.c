/*
 * Servers that miss a client's certificate, or do not like the one they got: some break off with a
 * TLS alert, others finish the handshake and say so over HTTP, mostly with status 400.
 * SPDX-License-Identifier: MIT
 */
#include <string.h>
#include <strings.h>

#include "core/transfer/session.h"

/* nginx's own statuses, for where its configuration lets them out. */
#define STATUS_CERT_ERROR 495
#define STATUS_CERT_MISSING 496

bool transfer_client_cert_refused(const struct transfer_exchange *x)
{
    static const char *const phrases[] = {
        "required SSL certificate", /* nginx: "No required SSL certificate was sent" */
        "SSL certificate error",    /* nginx: the certificate is expired, or a stranger's */
        "client certificate",       /* IIS 403.7 and others */
    };
    int32_t code = x->response.status;

    if (strncasecmp(x->job->url, "https:", 6) != 0) return false;
    if (code == STATUS_CERT_ERROR || code == STATUS_CERT_MISSING) return true;
    if ((code != 400 && code != 403) || !x->kept.data) return false;
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (strcasestr(x->kept.data, phrases[i])) return true;
    return false;
}

/* Alerts that speak of a certificate [RFC 8446 6.2] speak of the receiver's own, in OpenSSL's
 * words. A server before TLS 1.3 that misses one may say "handshake failure" only, which says too
 * little. */
bool transfer_client_cert_alerted(const char *problem)
{
    static const char *const alerts[] = {
        "alert certificate required", "alert bad certificate",     "alert unsupported certificate",
        "alert certificate revoked",  "alert certificate expired", "alert certificate unknown",
        "alert unknown ca",           "alert access denied",       "alert no certificate",
    };

    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
        if (strcasestr(problem, alerts[i])) return true;
    return false;
}
