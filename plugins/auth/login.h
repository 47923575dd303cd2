/*
 * login.h: what the log-in plugins share: reading secrets, sending a log-in request, telling what
 * came of it. SPDX-License-Identifier: MIT
 */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include <kit/buffer.h>
#include <stdbool.h>
#include <trolley/auth.h>
#include <trolley/host.h>

/* A session's log-in. Text lent by `config` lives as long as the plugin's instance. */
struct login {
    const char *type; /* "vitrea" */
    const struct trolley_host *host;
    const struct trolley_config *config;
    char *refused; /* the secret that was refused last: servers lock out who tries it again */
};

void login_init(struct login *login, const char *type, const struct trolley_host *host,
                const struct trolley_config *config);
void login_clear(struct login *login);

/* Wipes and frees; NULL is a no-op. */
void login_wipe(char *text);

/*
 * Reads the secret `key`, anew from its file or command after a refusal.
 * @param ret_secret  "" when the key is not set; login_wipe() it
 * Errors, reported: AUTH (still the one that was refused), NOMEM, what config->secret says.
 */
int32_t login_secret(struct login *login, const char *key, struct trolley_task *task,
                     char **ret_secret);

/* Notes that the server refused `secret`. Errors: NOMEM. */
int32_t login_note_refusal(struct login *login, const char *secret);

/* The same, and reports `what`, printf-like. Returns AUTH, or NOMEM. */
__attribute__((format(printf, 4, 5))) int32_t login_refuse(struct login *login, const char *secret,
                                                           struct trolley_task *task,
                                                           const char *what, ...);

/* Reports anything else that went wrong; returns status. */
__attribute__((format(printf, 4, 5))) int32_t login_fail(const struct login *login, int32_t status,
                                                         struct trolley_task *task,
                                                         const char *what, ...);

/* One line for the log. */
void login_done(const struct login *login);

/* An answer, of whatever status; login_answer_free() it. */
struct login_answer {
    int32_t status;
    struct kit_buffer body; /* its first 64 KiB */
};

/* Sends a log-in request and takes its whole answer. Errors, reported: what http->send returns. */
int32_t login_send(const struct trolley_auth_http *http, const struct trolley_http_request *request,
                   struct login_answer *answer, struct trolley_task *task);
void login_answer_free(struct login_answer *answer);

/* What the status of a log-in's answer means: OK, AUTH, or another negative status. */
int32_t login_outcome(int32_t http_status);

/* Adds a percent-encoded name=value to an application/x-www-form-urlencoded text; a NULL value adds
 * nothing. Errors: NOMEM, TOO_LARGE. */
int login_form_add(struct kit_buffer *form, const char *name, const char *value);
/* Wipes and frees a buffer that had secrets in it. */
void login_buffer_wipe(struct kit_buffer *buffer);

/* Length of a URL without its query: what a message may show. */
int login_shown(const char *url);

#endif
