/* contract-auth.c: a log-in whose token is its secret, backwards. SPDX-License-Identifier: MIT */
#include "../sound.h"

static const struct trolley_option table[] = {
    {SOUND_OPTION(STRING, "phrase"), .flags = TROLLEY_OPTION_SECRET | TROLLEY_OPTION_REQUIRED,
     .help = "the secret"},
};
static const struct trolley_span options = TROLLEY_SPAN(table);

static int32_t turn(void *ctx, const char *text, uint64_t length)
{
    char *token = ctx;
    uint64_t i;

    for (i = 0; i < length && i < 63; i++)
        token[i] = text[length - 1 - i];
    token[i] = '\0';
    return 0;
}

static int32_t prepare(void *self, struct trolley_auth_request *request,
                       const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct sound *sound = self;
    char token[64] = "";
    const struct trolley_secret_sink sink = {token, turn};

    (void)http;
    if (!sound->kept) return 0; /* nobody has asked yet */
    (void)sound->config->secret(sound->config, "phrase", 0, &sink, task);
    return request->set_header(request, "X-Contract", token);
}

static int32_t challenge(void *self, const struct trolley_auth_response *response,
                         const struct trolley_auth_http *http, struct trolley_task *task)
{
    struct sound *sound = self;

    (void)http;
    if (response->status != 401) return TROLLEY_ERR_UNSUPPORTED;
    if (sound->kept) return trolley_fail(task, TROLLEY_ERR_AUTH, "the phrase is wrong");
    sound->kept = sound;
    return 0;
}

static const struct trolley_auth_ops ops = {
    .size = sizeof ops, .prepare = prepare, .challenge = challenge};
static const struct trolley_component auth = {
    .size = sizeof auth,
    .kind = TROLLEY_KIND_AUTH,
    .summary = "for the tests",
    .options = &options,
    .create = sound_create,
    .destroy = sound_destroy,
    .ops = &ops,
};
SOUND_ENTRY("contract-auth", &auth);
