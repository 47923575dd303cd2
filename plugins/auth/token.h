/* token.h: asking an OAuth 2.0 token endpoint [RFC 6749 4.4]. SPDX-License-Identifier: MIT */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "login.h"

/* What the INI says; text is borrowed. */
struct token_client {
    const char *url, *id, *scope, *audience; /* scope, audience: NULL for none */
    bool in_body;                            /* credentials in the form, not in a header */
};

struct token {
    char *text;      /* NULL: none; login_wipe() it */
    int64_t life_ms; /* from now; 0 when the endpoint does not say */
};

/*
 * Asks for a token once. Errors, reported with the endpoint's own words: AUTH (refused; the secret
 * is noted), PROTOCOL (the answer is no token), NOMEM, what the status means, what http->send
 * returns.
 */
int32_t token_fetch(const struct token_client *client, struct login *login,
                    const struct trolley_auth_http *http, struct trolley_task *task,
                    struct token *ret_token);

#endif
