/* SPDX-License-Identifier: MIT */
#include "core/cli/plugin_text.h"

#include <inttypes.h>
#include <string.h>

#include <kit/text.h>
#include <trolley/helpers.h>

static const char *name_of(const char *const *names, size_t count, uint32_t i)
{
    return names[i < count ? i : 0];
}

const char *plugin_type_name(uint32_t type)
{
    static const char *const names[] = {
        "unknown", "string", "int",      "bool", "duration", "size",      "choice",
        "path",    "url",    "ae-title", "port", "list",     "component",
    };

    return name_of(names, sizeof names / sizeof names[0], type);
}

const char *plugin_kind_name(uint32_t kind)
{
    static const char *const names[] = {"unknown", "searcher", "downloader", "storage", "auth"};

    return name_of(names, sizeof names / sizeof names[0], kind);
}

const char *plugin_param_name(uint32_t type)
{
    static const char *const names[] = {"unknown", "attribute", "date", "int", "bool", "text"};

    return name_of(names, sizeof names / sizeof names[0], type);
}

const char *plugin_level_name(uint32_t level)
{
    static const char *const names[] = {"unknown", "study", "series", "instance"};

    return name_of(names, sizeof names / sizeof names[0], level);
}

int plugin_escape(struct kit_buffer *out, const char *text)
{
    int r = kit_buffer_text(out, "");

    return r == 0 && text ? kit_text_escape(out, text, strlen(text)) : r;
}

int plugin_kinds(struct kit_buffer *out, const struct trolley_plugin *plugin)
{
    const struct trolley_component *const *component;
    int r = kit_buffer_text(out, "");

    for (component = plugin->components; r == 0 && component && *component; component++) {
        if (component != plugin->components) r = kit_buffer_text(out, ", ");
        if (r == 0) r = kit_buffer_text(out, plugin_kind_name((*component)->kind));
    }
    return r;
}

/* "; default 10" and the like; nothing when `text` is NULL. */
static int text_item(struct kit_buffer *out, const char *label, const char *text)
{
    int r;

    if (!text) return 0;
    r = kit_buffer_printf(out, ", %s ", label);
    return r < 0 ? r : plugin_escape(out, text);
}

static int text_option(struct kit_buffer *out, const struct trolley_option *option)
{
    int r = kit_buffer_text(out, "    ");

    if (r == 0) r = plugin_escape(out, option->key);
    if (r == 0 && option->flags & TROLLEY_OPTION_PREFIX) r = kit_buffer_text(out, "*");
    if (r == 0) r = kit_buffer_printf(out, "  (%s", plugin_type_name(option->type));
    if (r == 0 && option->flags & TROLLEY_OPTION_REQUIRED) r = kit_buffer_text(out, ", required");
    if (r == 0 && option->flags & TROLLEY_OPTION_SECRET) r = kit_buffer_text(out, ", secret");
    if (r == 0 && option->flags & TROLLEY_OPTION_DEPRECATED)
        r = kit_buffer_text(out, ", deprecated");
    if (r == 0) r = text_item(out, "default", option->default_text);
    if (r == 0 && (option->min || option->max))
        r = kit_buffer_printf(out, ", %" PRId64 " to %" PRId64, option->min, option->max);
    if (r == 0)
        r = text_item(out, option->type == TROLLEY_OPTION_COMPONENT ? "a" : "one of",
                      option->choices);
    if (r == 0) r = text_item(out, "also", option->aliases);
    if (r == 0) r = kit_buffer_text(out, ")\n        ");
    if (r == 0) r = plugin_escape(out, option->help);
    return r < 0 ? r : kit_buffer_text(out, "\n");
}

/* Where the parameters of a query type are written. */
struct text_params {
    struct kit_buffer *out;
    int status;
};

static void text_param(void *ctx, const struct trolley_query_param *param)
{
    struct text_params *params = ctx;
    int r = params->status;

    if (r == 0) r = kit_buffer_text(params->out, "        ");
    if (r == 0) r = plugin_escape(params->out, param->key);
    if (r == 0) r = kit_buffer_printf(params->out, "  (%s)  ", plugin_param_name(param->type));
    if (r == 0) r = plugin_escape(params->out, param->help);
    if (r == 0) r = kit_buffer_text(params->out, "\n");
    params->status = r;
}

static int text_query_type(struct kit_buffer *out, const struct trolley_query_type *type,
                           const struct trolley_span *types)
{
    const uint32_t flags = trolley_query_type_params(type, types, NULL, NULL);
    struct text_params params = {out, 0};
    int r = kit_buffer_text(out, "    ");

    if (r == 0) r = plugin_escape(out, type->name);
    if (r == 0 && type->base) r = kit_buffer_text(out, ": the parameters of ");
    if (r == 0 && type->base) r = plugin_escape(out, type->base);
    if (r == 0 && flags & TROLLEY_QUERY_ANY_ATTRIBUTE)
        r = kit_buffer_text(out, type->base ? ", any attribute" : ": any attribute");
    if (r == 0) r = kit_buffer_text(out, "\n");
    if (r == 0 && type->summary) {
        r = kit_buffer_text(out, "        ");
        if (r == 0) r = plugin_escape(out, type->summary);
        if (r == 0) r = kit_buffer_text(out, "\n");
    }
    if (r < 0) return r;
    (void)trolley_query_type_params(type, types, text_param, &params);
    return params.status;
}

static int text_levels(struct kit_buffer *out, uint32_t levels)
{
    uint32_t level;
    bool any = false;
    int r = 0;

    for (level = TROLLEY_LEVEL_STUDY; r == 0 && level <= TROLLEY_LEVEL_INSTANCE; level++) {
        if (!(levels & TROLLEY_LEVEL_BIT(level))) continue;
        r = kit_buffer_printf(out, "%s%s", any ? ", " : "  levels: ", plugin_level_name(level));
        any = true;
    }
    return r == 0 && any ? kit_buffer_text(out, "\n") : r;
}

static int text_component(struct kit_buffer *out, const struct trolley_component *component)
{
    uint32_t i;
    int r = kit_buffer_printf(out, "\n%s: ", plugin_kind_name(component->kind));

    if (r == 0) r = plugin_escape(out, component->summary);
    if (r == 0) r = kit_buffer_text(out, "\n");
    if (r == 0) r = text_levels(out, component->levels);
    if (r == 0 && component->query_types && component->query_types->count)
        r = kit_buffer_text(out, "  query types, in order of preference:\n");
    for (i = 0; r == 0 && component->query_types && i < component->query_types->count; i++)
        r = text_query_type(out, trolley_span_at(component->query_types, i),
                            component->query_types);
    if (r == 0 && component->options && component->options->count)
        r = kit_buffer_text(out, "  options:\n");
    for (i = 0; r == 0 && component->options && i < component->options->count; i++)
        r = text_option(out, trolley_span_at(component->options, i));
    return r;
}

int plugin_text(struct kit_buffer *out, const struct trolley_plugin_info *info)
{
    const struct trolley_plugin *plugin = info->plugin;
    const struct trolley_component *const *component;
    int r = plugin_escape(out, info->name);

    if (r == 0 && info->path) r = kit_buffer_text(out, "  ");
    if (r == 0 && info->path) r = plugin_escape(out, info->path);
    if (r == 0) r = kit_buffer_text(out, "\n");
    if (r < 0 || !plugin) return r;
    r = plugin_escape(out, plugin->summary);
    if (r == 0) r = kit_buffer_text(out, "\nversion ");
    if (r == 0) r = plugin_escape(out, plugin->version);
    if (r == 0) r = kit_buffer_text(out, ", license ");
    if (r == 0) r = plugin_escape(out, plugin->license);
    if (r == 0) r = kit_buffer_text(out, "\n");
    for (component = plugin->components; r == 0 && component && *component; component++)
        r = text_component(out, *component);
    return r;
}
