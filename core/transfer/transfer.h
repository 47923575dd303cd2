/*
 * transfer.h: the border between the host and its HTTP module (transfer.so in moduledir). The
 * module links libcurl, so the host opens it only when the first session is asked for. Host and
 * module ship together: this is no part of the plugin contract. SPDX-License-Identifier: MIT
 */
#ifndef CORE_TRANSFER_TRANSFER_H
#define CORE_TRANSFER_TRANSFER_H

#include <stdbool.h>
#include <trolley/auth.h>
#include <trolley/http.h>

/* A [session NAME], or the plain one of sections that name none. Borrowed; lives as long as the
 * process' setup. */
struct transfer_session_info {
    const char *name; /* "" for the plain one */
    const void *key;  /* identity: doors with one key share cookies, TLS and log-in */
    const struct trolley_config
        *config; /* its keys, defaults applied (core/config: host options "session") */
    const struct trolley_auth_ops
        *auth; /* an auth plugin's, NULL when the session's own schemes serve */
    void *auth_self;
    bool log_phi; /* [settings] log_phi: parameter values may be logged */
};

/* What the module asks of the host. */
struct transfer_host {
    /* [load] The session of a component's section. Errors: INVALID_CONFIG (no such session, auth
     * unknown). */
    int32_t (*session_info)(const struct trolley_host *host, const struct trolley_config *config,
                            struct transfer_session_info *ret_info, struct trolley_task *task);
    /* [load] URL i of those that the component's section names, NULL past the last. Only their
     * origins get what the session has. May be NULL: every URL does. */
    const char *(*home)(const struct trolley_config *config, uint32_t i);
};

/* The module's only symbol. [load] */
const struct trolley_http_service *trolley_transfer_module(const struct transfer_host *host);

#endif
