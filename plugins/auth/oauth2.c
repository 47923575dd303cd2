/* oauth2: tokens of the client credentials grant [RFC 6749 4.4]. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <time.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "token.h"

/* A token is renewed so long before it expires, that a request just sent still finds it valid. */
#define OAUTH2_MARGIN_MS 30000

static const struct trolley_option oauth2_option_table[] = {
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_URL,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "token_url",
     .help = "Token endpoint",
     .metavar = "https://login.example/oauth2/token"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_REQUIRED,
     .key = "client_id",
     .help = "Who asks for tokens"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .flags = TROLLEY_OPTION_REQUIRED | TROLLEY_OPTION_SECRET,
     .key = "client_secret",
     .help = "Secret of client_id"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "scope",
     .help = "Scopes asked for, separated by spaces"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_STRING,
     .key = "audience",
     .help = "Audience asked for, where the endpoint wants one"},
    {.size = sizeof(struct trolley_option),
     .type = TROLLEY_OPTION_CHOICE,
     .key = "credentials",
     .default_text = "header",
     .choices = "header,body",
     .help = "How client_id and client_secret go to the endpoint: as basic authentication, or in "
             "the form"},
};
static const struct trolley_span oauth2_options = TROLLEY_SPAN(oauth2_option_table);

struct oauth2 {
    struct login login;
    struct token_client client;
    struct token token;
    int64_t renew_ms; /* when token is too old, by the monotonic clock; 0: never */
};

static void oauth2_destroy(void *self)
{
    struct oauth2 *oauth2 = self;

    if (!oauth2) return;
    login_wipe(oauth2->token.text);
    login_clear(&oauth2->login);
    free(oauth2);
}

static int32_t oauth2_create(const struct trolley_host *host, const struct trolley_config *config,
                             void *shared, struct trolley_task *task, void **self)
{
    struct oauth2 *oauth2 = calloc(1, sizeof *oauth2);

    (void)shared;
    if (!oauth2) return TROLLEY_ERR_NOMEM;
    login_init(&oauth2->login, "oauth2", host, config);
    oauth2->client = (struct token_client){
        .url = config->text(config, "token_url"),
        .id = config->text(config, "client_id"),
        .scope = config->text(config, "scope"),
        .audience = config->text(config, "audience"),
        .in_body = config->integer(config, "credentials", 0) == 1,
    };
    if (!oauth2->client.url || !oauth2->client.id) {
        oauth2_destroy(oauth2);
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "[session %s]: auth = oauth2 needs token_url and client_id",
                            config->section);
    }
    *self = oauth2;
    return TROLLEY_OK;
}

static int64_t oauth2_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int32_t oauth2_log_in(struct oauth2 *oauth2, const struct trolley_auth_http *http,
                             struct trolley_task *task)
{
    struct token token = {0};
    int64_t start = oauth2_now_ms();
    int32_t r = token_fetch(&oauth2->client, &oauth2->login, http, task, &token);
    int64_t margin = token.life_ms / 4 < OAUTH2_MARGIN_MS ? token.life_ms / 4 : OAUTH2_MARGIN_MS;

    if (r < 0) return r;
    login_wipe(oauth2->token.text);
    oauth2->token = token;
    oauth2->renew_ms = token.life_ms ? start + token.life_ms - margin : 0;
    return TROLLEY_OK;
}

static int32_t oauth2_prepare(void *self, struct trolley_auth_request *request,
                              const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct oauth2 *oauth2 = self;
    struct kit_buffer value = {0};
    int32_t r = 0;

    if (!oauth2->token.text || (oauth2->renew_ms && oauth2_now_ms() >= oauth2->renew_ms))
        r = oauth2_log_in(oauth2, http, task);
    if (r == 0) r = kit_buffer_printf(&value, "Bearer %s", oauth2->token.text);
    if (r == 0) {
        r = request->set_header(request, "Authorization", value.data);
        if (r == TROLLEY_ERR_INVALID_ARG)
            r = login_fail(&oauth2->login, TROLLEY_ERR_PROTOCOL, task,
                           "the token is more than one line");
    }
    login_buffer_wipe(&value);
    return r;
}

/* The token was taken back before it expired, or its life was not told. */
static int32_t oauth2_challenge(void *self, const struct trolley_auth_response *response,
                                const struct trolley_auth_http *http, struct trolley_task *task)
{
    if (response->status != 401) return TROLLEY_ERR_UNSUPPORTED;
    return oauth2_log_in(self, http, task);
}

static const struct trolley_auth_ops oauth2_ops = {
    .size = sizeof oauth2_ops, .prepare = oauth2_prepare, .challenge = oauth2_challenge};

static const struct trolley_component oauth2_component = {
    .size = sizeof oauth2_component,
    .kind = TROLLEY_KIND_AUTH,
    .summary = "OAuth 2.0, client credentials",
    .options = &oauth2_options,
    .create = oauth2_create,
    .destroy = oauth2_destroy,
    .ops = &oauth2_ops,
};

static const struct trolley_component *const oauth2_components[] = {&oauth2_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "oauth2",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Sends tokens of an OAuth 2.0 token endpoint",
        .components = oauth2_components,
    };

    return &plugin;
}
