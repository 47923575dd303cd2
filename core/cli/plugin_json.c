/* plugin_json.c: a plugin's descriptor as JSON. SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include <trolley/helpers.h>

#include "core/cli/plugin_text.h"

static void json_number(struct kit_json *json, const char *key, int64_t number)
{
    struct kit_buffer text = {0};

    if (kit_buffer_printf(&text, "%" PRId64, number) == 0)
        kit_json_raw(json, key, text.data);
    else
        json->status = TROLLEY_ERR_NOMEM;
    kit_buffer_free(&text);
}

static void json_option(struct kit_json *json, const struct trolley_option *option)
{
    kit_json_open(json, NULL, '{');
    kit_json_text(json, "key", option->key);
    kit_json_text(json, "aliases", option->aliases);
    kit_json_text(json, "type", plugin_type_name(option->type));
    kit_json_bool(json, "required", option->flags & TROLLEY_OPTION_REQUIRED);
    kit_json_bool(json, "secret", option->flags & TROLLEY_OPTION_SECRET);
    kit_json_bool(json, "deprecated", option->flags & TROLLEY_OPTION_DEPRECATED);
    kit_json_bool(json, "advanced", option->flags & TROLLEY_OPTION_ADVANCED);
    kit_json_bool(json, "prefix", option->flags & TROLLEY_OPTION_PREFIX);
    kit_json_text(json, "default", option->default_text);
    kit_json_text(json, "choices", option->choices);
    if (option->min || option->max) {
        json_number(json, "min", option->min);
        json_number(json, "max", option->max);
    }
    kit_json_text(json, "help", option->help);
    kit_json_text(json, "metavar", option->metavar);
    kit_json_close(json);
}

static void json_param(void *ctx, const struct trolley_query_param *param)
{
    struct kit_json *json = ctx;

    kit_json_open(json, NULL, '{');
    kit_json_text(json, "key", param->key);
    kit_json_text(json, "type", plugin_param_name(param->type));
    kit_json_text(json, "help", param->help);
    kit_json_close(json);
}

/* With the parameters of its bases. */
static void json_query_type(struct kit_json *json, const struct trolley_query_type *type,
                            const struct trolley_span *types)
{
    uint32_t flags = trolley_query_type_params(type, types, NULL, NULL);

    kit_json_open(json, NULL, '{');
    kit_json_text(json, "name", type->name);
    kit_json_text(json, "base", type->base);
    kit_json_bool(json, "any_attribute", flags & TROLLEY_QUERY_ANY_ATTRIBUTE);
    kit_json_text(json, "summary", type->summary);
    kit_json_open(json, "parameters", '[');
    (void)trolley_query_type_params(type, types, json_param, json);
    kit_json_close(json);
    kit_json_close(json);
}

static void json_component(struct kit_json *json, const struct trolley_component *component)
{
    uint32_t i;

    kit_json_open(json, NULL, '{');
    kit_json_text(json, "kind", plugin_kind_name(component->kind));
    kit_json_text(json, "summary", component->summary);
    kit_json_bool(json, "http", component->flags & TROLLEY_COMPONENT_HTTP);
    kit_json_open(json, "levels", '[');
    for (i = TROLLEY_LEVEL_STUDY; i <= TROLLEY_LEVEL_INSTANCE; i++)
        if (component->levels & TROLLEY_LEVEL_BIT(i))
            kit_json_text(json, NULL, plugin_level_name(i));
    kit_json_close(json);
    kit_json_open(json, "options", '[');
    for (i = 0; component->options && i < component->options->count; i++)
        json_option(json, trolley_span_at(component->options, i));
    kit_json_close(json);
    kit_json_open(json, "query_types", '[');
    for (i = 0; component->query_types && i < component->query_types->count; i++)
        json_query_type(json, trolley_span_at(component->query_types, i), component->query_types);
    kit_json_close(json);
    kit_json_close(json);
}

void plugin_json(struct kit_json *json, const struct trolley_plugin_info *info)
{
    const struct trolley_plugin *plugin = info->plugin;
    const struct trolley_component *const *component = plugin ? plugin->components : NULL;

    kit_json_open(json, NULL, '{');
    kit_json_text(json, "name", info->name);
    kit_json_text(json, "path", info->path);
    kit_json_text(json, "problem", info->problem);
    kit_json_text(json, "shadowed_by", info->shadowed_by);
    kit_json_text(json, "version", plugin ? plugin->version : NULL);
    kit_json_text(json, "license", plugin ? plugin->license : NULL);
    kit_json_text(json, "summary", plugin ? plugin->summary : NULL);
    kit_json_open(json, "components", '[');
    for (; component && *component; component++)
        json_component(json, *component);
    kit_json_close(json);
    kit_json_close(json);
}
