/* bearer: a token that somebody else hands out [RFC 6750]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "login.h"

static const struct trolley_option bearer_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_REQUIRED | TROLLEY_OPTION_SECRET,
     .key = "token",
     .help = "Token sent with each request; a file or command is read again when it is refused"},
};
static const struct trolley_span bearer_options = TROLLEY_SPAN(bearer_option_table);

struct bearer {
    struct login login;
    char *token; /* NULL before the first use */
};

static void bearer_destroy(void *self)
{
    struct bearer *bearer = self;

    if (!bearer) return;
    login_wipe(bearer->token);
    login_clear(&bearer->login);
    free(bearer);
}

static int32_t bearer_create(const struct trolley_host *host, const struct trolley_config *config,
                             void *shared, struct trolley_task *task, void **self)
{
    struct bearer *bearer = calloc(1, sizeof *bearer);

    (void)shared, (void)task;
    if (!bearer) return TROLLEY_ERR_NOMEM;
    login_init(&bearer->login, "bearer", host, config);
    *self = bearer;
    return TROLLEY_OK;
}

static int32_t bearer_prepare(void *self, struct trolley_auth_request *request,
                              const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct bearer *bearer = self;
    struct kit_buffer value = {0};
    int32_t r = 0;

    (void)http;
    if (!bearer->token) r = login_secret(&bearer->login, "token", task, &bearer->token);
    if (r < 0) return r;
    r = kit_buffer_printf(&value, "Bearer %s", bearer->token);
    if (r == 0) r = request->set_header(request, "Authorization", value.data);
    if (r == TROLLEY_ERR_INVALID_ARG)
        r = login_fail(&bearer->login, TROLLEY_ERR_INVALID_CONFIG, task,
                       "token is more than one line");
    login_buffer_wipe(&value);
    return r;
}

/* Is there another token by now? The refused one is not sent again. */
static int32_t bearer_challenge(void *self, const struct trolley_auth_response *response,
                                const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct bearer *bearer = self;
    char *fresh = NULL;
    int32_t r;

    (void)http;
    if (response->status != 401) return TROLLEY_ERR_UNSUPPORTED;
    r = login_note_refusal(&bearer->login, bearer->token ? bearer->token : "");
    if (r == 0) r = login_secret(&bearer->login, "token", task, &fresh);
    if (r < 0) return r;
    login_wipe(bearer->token);
    bearer->token = fresh;
    return TROLLEY_OK;
}

static const struct trolley_auth_ops bearer_ops = {
    .size = sizeof bearer_ops, .prepare = bearer_prepare, .challenge = bearer_challenge};

static const struct trolley_component bearer_component = {
    .size = sizeof bearer_component,
    .kind = TROLLEY_KIND_AUTH,
    .summary = "A token in the Authorization header",
    .options = &bearer_options,
    .create = bearer_create,
    .destroy = bearer_destroy,
    .ops = &bearer_ops,
};

static const struct trolley_component *const bearer_components[] = {&bearer_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "bearer",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Sends a token with each request",
        .components = bearer_components,
    };

    return &plugin;
}
