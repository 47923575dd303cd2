/* contract-find.c: a searcher that tells how its options reached it, and a wrapper around another.
 * SPDX-License-Identifier: MIT */
#include "../trace.h"

static const struct trolley_option table[] = {
    TRACE_OPTION,
    {SOUND_OPTION(STRING, "string"), .aliases = "text", .default_text = "plain", .help = "a text"},
    {SOUND_OPTION(INT, "int"), .default_text = "-3", .min = -5, .max = 5, .help = "a number"},
    {SOUND_OPTION(BOOL, "bool"), .default_text = "no", .help = "yes or no"},
    {SOUND_OPTION(DURATION, "duration"), .default_text = "10s", .help = "a time"},
    {SOUND_OPTION(SIZE, "size"), .default_text = "4KiB", .help = "bytes"},
    {SOUND_OPTION(CHOICE, "choice"), .default_text = "red", .choices = "red,green,blue",
     .help = "a colour"},
    {SOUND_OPTION(PATH, "path"), .help = "a file"},
    {SOUND_OPTION(URL, "url"), .help = "a URL"},
    {SOUND_OPTION(AE_TITLE, "ae_title"), .help = "an AE title"},
    {SOUND_OPTION(PORT, "port"), .default_text = "104", .help = "a port"},
    {SOUND_OPTION(LIST, "list"), .help = "texts, one a line"},
    {SOUND_OPTION(STRING, "secret"), .flags = TROLLEY_OPTION_SECRET, .help = "a secret"},
    {SOUND_OPTION(STRING, "param."), .flags = TROLLEY_OPTION_PREFIX, .help = "free keys"},
    {SOUND_OPTION(COMPONENT, "other"), .choices = "searcher", .help = "a searcher to ask instead"},
    {SOUND_OPTION(STRING, "add"), .help = "keyword of a key added to the query for the other"},
    {SOUND_OPTION(BOOL, "dead"), .default_text = "no", .help = "ping fails"},
    {SOUND_OPTION(BOOL, "studies_only"), .default_text = "no", .help = "fewer levels and types"},
};
static const struct trolley_span options = TROLLEY_SPAN(table);

static const struct trolley_query_param param_table[] = {
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_TEXT,
     .key = "mood",
     .help = "any text"},
    {.size = sizeof(struct trolley_query_param),
     .type = TROLLEY_PARAM_BOOL,
     .key = "eager",
     .help = "yes or no"},
};
static const struct trolley_span params = TROLLEY_SPAN(param_table);
static const struct trolley_query_type type_table[] = {
    {.size = sizeof(struct trolley_query_type), .name = "query"},
    {.size = sizeof(struct trolley_query_type),
     .name = "moody",
     .base = "extended",
     .params = &params},
    {.size = sizeof(struct trolley_query_type),
     .flags = TROLLEY_QUERY_ANY_ATTRIBUTE,
     .name = "open",
     .base = "moody"},
};
static const struct trolley_span types = TROLLEY_SPAN(type_table);
static const struct trolley_span few_types = {type_table, 1, sizeof type_table[0]};

struct finder {
    struct sound sound; /* first: the parts of trace.h see it so */
    struct trolley_peer *other;
};

static int32_t create(const struct trolley_host *host, const struct trolley_config *config,
                      void *shared, struct trolley_task *task, void **self)
{
    struct finder *made = calloc(1, sizeof *made);
    int32_t r = 0;

    (void)shared;
    if (!made) return TROLLEY_ERR_NOMEM;
    made->sound.host = host;
    made->sound.config = config;
    trace(config, "create");
    if (config->text(config, "other")) r = config->peer(config, "other", task, &made->other);
    if (r < 0) {
        free(made);
        return r;
    }
    *self = made;
    return 0;
}

static int32_t take_secret(void *ctx, const char *text, uint64_t length)
{
    (void)snprintf(ctx, 64, "%.*s", (int)length, text);
    return 0;
}

/* "key=value" of every option, in the trace. */
static void tell_options(const struct finder *finder, struct trolley_task *task)
{
    static const char *const texts[] = {"string", "path", "url", "ae_title"};
    static const char *const numbers[] = {"int", "bool", "duration", "size", "choice", "port"};
    const struct trolley_config *config = finder->sound.config;
    const struct trolley_span list = config->list(config, "list");
    const struct trolley_span keys = config->keys(config, "param.");
    char secret[64] = "";
    const struct trolley_secret_sink sink = {secret, take_secret};
    uint32_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = config->text(config, texts[i]);

        trace(config, "%s=%s", texts[i], text ? text : "(none)");
    }
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        trace(config, "%s=%lld", numbers[i], (long long)config->integer(config, numbers[i], -1));
    for (i = 0; i < list.count; i++)
        trace(config, "list[%u]=%s", i, trolley_span_text(&list, i));
    for (i = 0; i < keys.count; i++) {
        char key[100];

        (void)snprintf(key, sizeof key, "param.%s", trolley_span_text(&keys, i));
        trace(config, "%s=%s", key, config->text(config, key));
    }
    (void)config->secret(config, "secret", 0, &sink, task);
    trace(config, "secret=%s", secret);
}

/* The query with one more key, as a plugin builds one: a plain struct. */
static int32_t find_other(const struct finder *finder, const struct trolley_query *query,
                          const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct trolley_config *config = finder->sound.config;
    const struct trolley_dictionary_service *dictionary =
        finder->sound.host->get_service(finder->sound.host, TROLLEY_DICTIONARY_SERVICE);
    const char *add = config->text(config, "add"), *value = "CT";
    struct trolley_query_key keys[9] = {{0}};
    struct trolley_query copy = *query;
    uint32_t i;

    for (i = 0; i < query->keys.count && i < 8; i++)
        keys[i] = *(const struct trolley_query_key *)trolley_span_at(&query->keys, i);
    if (add) {
        keys[i].size = sizeof keys[i];
        keys[i].tag = dictionary->tag(add);
        keys[i].name = add;
        if (keys[i].tag) memcpy(keys[i].vr, dictionary->vr(keys[i].tag), 2);
        keys[i++].values = (struct trolley_span){&value, 1, sizeof value};
    }
    copy.keys = (struct trolley_span){keys, i, sizeof keys[0]};
    return finder->other->find(finder->other, &copy, sink, task);
}

static int32_t find(void *self, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task)
{
    const struct finder *finder = self;
    uint32_t i;

    trace(finder->sound.config, "find %s level %u", query->type, query->level);
    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key = trolley_span_at(&query->keys, i);

        trace(finder->sound.config, "key %s=%s", key->name, trolley_span_text(&key->values, 0));
    }
    if (finder->other) return find_other(finder, query, sink, task);
    tell_options(finder, task);
    trolley_note(task, TROLLEY_LOG_WARNING, 7, NULL, "a remark of the searcher");
    return sound_find(self, query, sink, task);
}

static int32_t check(void *self, const struct trolley_query *query, struct trolley_task *task)
{
    (void)self;
    if (!trolley_query_find_key(query, "mood")) return 0;
    if (strcmp(trolley_query_text(query, "mood"), "bad") != 0) return 0;
    return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED_PARAM, "mood: not in a bad one");
}

static const struct trolley_span *query_types(void *self)
{
    const struct trolley_config *config = ((struct sound *)self)->config;

    return config->integer(config, "studies_only", 0) ? &few_types : &types;
}

static uint32_t levels(void *self)
{
    return query_types(self) == &few_types ? TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY)
                                           : SOUND_ALL_LEVELS;
}

static int32_t ping(void *self, struct trolley_task *task)
{
    const struct trolley_config *config = ((struct sound *)self)->config;

    if (!config->integer(config, "dead", 0)) return 0;
    return trolley_fail(task, TROLLEY_ERR_NETWORK, "it is dead");
}

static const void *get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface interface = {.size = sizeof interface, .ping = ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &interface : NULL;
}

static const struct trolley_searcher_ops ops = {
    .size = sizeof ops, .find = find, .check = check, .query_types = query_types, .levels = levels};
SOUND_SEARCHER("contract-find", &options, &types, create, trace_destroy, &ops, get_interface);
