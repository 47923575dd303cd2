/* plugin_text.h: a plugin's descriptor as text and as JSON. SPDX-License-Identifier: MIT */
#ifndef CLI_PLUGIN_TEXT_H
#define CLI_PLUGIN_TEXT_H

#include <kit/buffer.h>
#include <kit/json.h>

#include "core/trolley.h"

/* Appends text of a descriptor as it may be shown; NULL is empty. The buffer has data then. */
int plugin_escape(struct kit_buffer *out, const char *text);

/* Appends "searcher, downloader". */
int plugin_kinds(struct kit_buffer *out, const struct trolley_plugin *plugin);

/* Appends everything that a user may want to know of a loaded plugin. */
int plugin_text(struct kit_buffer *out, const struct trolley_plugin_info *info);

/* Writes the same as an object; errors are in json->status. */
void plugin_json(struct kit_json *json, const struct trolley_plugin_info *info);

/* Names of an option's type, a component's kind, and a level. Static texts. */
const char *plugin_type_name(uint32_t type);
const char *plugin_kind_name(uint32_t kind);
const char *plugin_param_name(uint32_t type);
const char *plugin_level_name(uint32_t level);

#endif
