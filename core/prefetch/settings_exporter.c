/* settings_exporter.c: an exporter and its URLs. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/config/section.h"
#include "core/model/error.h"
#include "core/prefetch/paths.h"
#include "core/prefetch/settings_own.h"

#define EXPORTER_URLS 64 /* url.N of one exporter */

enum prefetch_grain prefetch_url_grain(const char *text)
{
    enum prefetch_grain grain = PREFETCH_GRAIN_ONE;
    const char *at = text;

    while ((at = strchr(at, '['))) {
        if (at[1] >= '0' && at[1] <= '3' && at[2] == ']' &&
            grain < (enum prefetch_grain)(PREFETCH_GRAIN_STUDY + (at[1] - '0')))
            grain = (enum prefetch_grain)(PREFETCH_GRAIN_STUDY + (at[1] - '0'));
        at++;
    }
    return grain;
}

/* Sets the key that a `property = KEY=VALUE` names, unless the section has it. */
static int exporter_property(struct settings *settings, struct section *section, const char *text)
{
    const char *equals = strchr(text, '=');
    const struct section_slot *slot;
    const struct section_value *there;
    enum section_source source;
    char *key;
    int r;

    if (!equals || equals == text)
        return settings_fault(settings, section, "property", "`%s` is not KEY=VALUE", text);
    key = strndup(text, (size_t)(equals - text));
    if (!key) return error_set(settings->error, TROLLEY_ERR_NOMEM, "out of memory");
    slot = section_match(section, key, &source);
    there = section_find_value(section, key, &slot);
    if (slot && slot->option.type == TROLLEY_OPTION_LIST)
        r = settings_fault(settings, section, "property", "write `%s` as a key of its own", key);
    else if (there && slot->source != SECTION_DEFAULT)
        r = settings_fault(settings, section, "property", "`%s` has a value already", key);
    else
        r = section_override(section, key, equals + 1, settings->error);
    free(key);
    return r;
}

static int exporter_properties(struct settings *settings, struct section *section)
{
    const char **texts;
    uint32_t i, count;
    int r = settings_list(settings, section, "property", &texts, &count);

    for (i = 0; r == 0 && i < count; i++)
        r = exporter_property(settings, section, texts[i]);
    return r;
}

/* The N of `prefix` N: from 1, plain decimal; 0 when it is none. */
static uint32_t exporter_number(const char *name)
{
    char *end;
    unsigned long number;

    if (*name < '1' || *name > '9') return 0;
    number = strtoul(name, &end, 10);
    return *end || number > EXPORTER_URLS ? 0 : (uint32_t)number;
}

/* Checks the numbers behind `prefix`: from 1 to `most`. */
static int exporter_numbers(struct settings *settings, struct section *section, const char *prefix,
                            uint32_t most)
{
    const struct trolley_config *config = section_config(section);
    const struct trolley_span names = config->keys(config, prefix);
    char key[CONFIG_KEY_MAX + 1];
    uint32_t i, number;
    const char *name;

    for (i = 0; (name = trolley_span_text(&names, i)); i++) {
        (void)snprintf(key, sizeof key, "%s%s", prefix, name);
        number = exporter_number(name);
        if (!number)
            return settings_fault(settings, section, key,
                                  "behind the full stop stands a number from 1 to %d",
                                  EXPORTER_URLS);
        if (number > most && strcmp(prefix, "url.") == 0)
            return settings_fault(settings, section, key,
                                  "the numbers have a gap: there are %u of them", names.count);
        if (number > most)
            return settings_fault(settings, section, key, "there is no url.%u", number);
    }
    return 0;
}

/* `name` for URL i: name.i, else `name`; NULL when neither is set or it is empty. */
static const char *exporter_text(const struct trolley_config *config, const char *name, uint32_t i)
{
    const char *text = NULL;
    char key[64];

    (void)snprintf(key, sizeof key, "%s.%u", name, i);
    if (i) text = config->text(config, key);
    if (!text) text = config->text(config, name);
    return text && *text ? text : NULL;
}

static const char *exporter_storage(const struct trolley_config *config, uint32_t i)
{
    const char *text = NULL;
    char key[64];

    (void)snprintf(key, sizeof key, "storageid.%u", i);
    if (i) text = config->text(config, key);
    return text ? text : exporter_text(config, "storage", i);
}

static int exporter_url(struct settings *settings, struct section *section, uint32_t i,
                        struct prefetch_url *url)
{
    const struct trolley_config *config = section_config(section);
    char key[64], other[64];

    (void)snprintf(key, sizeof key, "storageid.%u", i);
    (void)snprintf(other, sizeof other, "storage.%u", i);
    if (i && config->text(config, key) && config->text(config, other))
        return settings_fault(settings, section, key, "%s says so already", other);
    (void)snprintf(key, sizeof key, "url.%u", i);
    url->text = config->text(config, i ? key : "uri");
    url->grain = prefetch_url_grain(url->text);
    url->accept = exporter_text(config, "accept", i);
    url->accept_encoding = exporter_text(config, "accept_encoding", i);
    url->cache_control = exporter_text(config, "cache_control", i);
    url->storage = exporter_storage(config, i);
    return 0;
}

static int exporter_urls(struct settings *settings, struct section *section,
                         struct prefetch_exporter *exporter)
{
    static const char *const prefixes[] = {"url.",           "accept.",  "accept_encoding.",
                                           "cache_control.", "storage.", "storageid."};
    const struct trolley_config *config = section_config(section);
    const uint32_t more = config->keys(config, "url.").count;
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < sizeof prefixes / sizeof prefixes[0]; i++)
        r = exporter_numbers(settings, section, prefixes[i], more);
    if (r < 0) return r;
    exporter->url_count = more + 1;
    exporter->urls = settings_alloc(settings, exporter->url_count, sizeof *exporter->urls);
    if (!exporter->urls) return TROLLEY_ERR_NOMEM;
    for (i = 0; r == 0 && i < exporter->url_count; i++)
        r = exporter_url(settings, section, i, &exporter->urls[i]);
    return r;
}

static void exporter_read(struct settings *settings, const struct trolley_config *config,
                          struct prefetch_exporter *exporter)
{
    exporter->queue = settings_queue(settings, config->text(config, "queue"));
    exporter->searcher = config->text(config, "searcher");
    exporter->metadata = config->text(config, "metadata");
    exporter->ignore_not_found = config->integer(config, "ignore_not_found", 0) != 0;
    exporter->retry_all = config->integer(config, "retry_scope", 0) == 1;
    exporter->verify_unique = config->integer(config, "verify_unique", 0) == 1;
    exporter->parallel_requests = (uint32_t)config->integer(config, "parallel_requests", 1);
    exporter->max_bytes = (uint64_t)config->integer(config, "max_bytes", 0);
}

int settings_exporter(struct settings *settings, const struct config_section *written,
                      struct prefetch_exporter *exporter)
{
    struct section *section;
    uint32_t i;
    int r;

    exporter->id = written->name;
    r = settings_section(settings, "exporter", written, &section);
    if (r == 0) r = exporter_properties(settings, section);
    if (r < 0) return r;
    exporter->section = section;
    exporter_read(settings, section_config(section), exporter);
    r = exporter_urls(settings, section, exporter);
    if (r == 0) r = settings_schedule(settings, section, &exporter->schedule);
    for (i = 0; r == 0 && i < exporter->url_count; i++)
        if (exporter->urls[i].grain == PREFETCH_GRAIN_FRAME && !exporter->searcher)
            r = settings_fault(settings, section, "searcher",
                               "missing: how many frames there are ([3]) is asked of one");
    if (r == 0) r = prefetch_paths_check(settings->setup->file, exporter, settings->error);
    return r;
}
