/* access.c: a resolved section as components read it. SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/config/file.h"
#include "core/config/section.h"

static const char *access_text(const struct trolley_config *config, const char *key)
{
    const struct section_slot *slot;
    const struct section_value *value = section_find_value(config->impl, key, &slot);

    if (!value || (slot->option.flags & TROLLEY_OPTION_SECRET) ||
        slot->option.type == TROLLEY_OPTION_LIST)
        return NULL;
    return value->text;
}

static int64_t access_integer(const struct trolley_config *config, const char *key,
                              int64_t fallback)
{
    const struct section_slot *slot;
    const struct section_value *value = section_find_value(config->impl, key, &slot);

    if (!value) return fallback;
    switch (slot->option.type) {
    case TROLLEY_OPTION_INT:
    case TROLLEY_OPTION_BOOL:
    case TROLLEY_OPTION_DURATION:
    case TROLLEY_OPTION_SIZE:
    case TROLLEY_OPTION_PORT:
    case TROLLEY_OPTION_CHOICE:
        return value->number;
    default:
        return fallback;
    }
}

/* A span over one text of each value. */
static struct trolley_span access_span(const struct section_slot *slot, size_t member)
{
    struct trolley_span span = {NULL, 0, (uint32_t)sizeof(struct section_value)};

    if (slot->count == 0) return span;
    span.items = (const char *)slot->values + member;
    span.count = (uint32_t)slot->count;
    return span;
}

static struct trolley_span access_list(const struct trolley_config *config, const char *key)
{
    const struct section_slot *slot = section_find(config->impl, key);
    const struct section_slot none = {0};

    if (!slot || slot->option.type != TROLLEY_OPTION_LIST) slot = &none;
    return access_span(slot, offsetof(struct section_value, text));
}

static struct trolley_span access_keys(const struct trolley_config *config, const char *prefix)
{
    const struct section_slot *slot = section_find(config->impl, prefix);
    const struct section_slot none = {0};

    if (!slot || !(slot->option.flags & TROLLEY_OPTION_PREFIX)) slot = &none;
    return access_span(slot, offsetof(struct section_value, name));
}

static int32_t access_peer(const struct trolley_config *config, const char *key,
                           struct trolley_task *task, struct trolley_peer **peer)
{
    (void)peer;
    return trolley_fail(task, TROLLEY_ERR_UNSUPPORTED,
                        "[%s] key `%s`: peers are given only to `create`", config->section, key);
}

const char *config_url(const struct trolley_config *config, uint32_t i)
{
    const struct section *section = config->impl;

    for (size_t n = 0; n < section->count; n++) {
        const struct section_slot *slot = &section->slots[n];

        if (slot->option.type != TROLLEY_OPTION_URL) continue;
        if (i < slot->count) return slot->values[i].text;
        i -= (uint32_t)slot->count;
    }
    return NULL;
}

void section_open_access(struct section *section)
{
    section->config = (struct trolley_config){
        .size = sizeof section->config,
        .impl = section,
        .section = section->name,
        .text = access_text,
        .integer = access_integer,
        .list = access_list,
        .keys = access_keys,
        .secret = section_secret,
        .peer = access_peer,
    };
}

struct trolley_config *section_config(struct section *section)
{
    return &section->config;
}

const char *section_where(struct section *section, const char *key)
{
    const struct config_file *file = section->file;
    enum section_source source;
    const struct section_slot *slot = section_match(section, key, &source);
    const struct section_slot *same;
    const struct section_value *value = section_find_value(section, key, &same);
    struct kit_buffer text = {0};
    int line = section->line;

    if (!value && slot && slot->count && !(slot->option.flags & TROLLEY_OPTION_PREFIX))
        value = &slot->values[0];
    if (value && value->line) line = value->line;
    if (!file) return "defaults";
    if (!line) return config_file_path(file);
    if (kit_buffer_printf(&text, "%s:%d", config_file_path(file), line) < 0)
        return config_file_path(file);
    free(section->where);
    section->where = kit_buffer_take(&text);
    return section->where ? section->where : config_file_path(file);
}
