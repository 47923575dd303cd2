/* sections.c: what an INI file has and may have, without opening a plugin. SPDX-License-Identifier:
 * MIT
 */
#include <string.h>

#include <kit/text.h>

#include "core/plugin/setup.h"

int trolley_setup_section(const struct trolley_setup *setup, uint32_t i, const char **ret_kind,
                          const char **ret_name)
{
    const struct config_section *section = setup->file ? config_file_first(setup->file) : NULL;

    for (; section && i > 0; i--)
        section = section->next;
    if (!section) return TROLLEY_ERR_NOT_FOUND;
    *ret_kind = section->kind;
    *ret_name = section->name;
    return 0;
}

const char *trolley_setup_key(const struct trolley_setup *setup, const char *kind, const char *name,
                              const char *key)
{
    const struct config_section *section =
        setup->file ? config_file_section(setup->file, kind, name) : NULL;
    size_t i;

    for (i = 0; section && i < section->count; i++)
        if (kit_text_key_equal(section->entries[i].key, key)) return section->entries[i].value;
    return NULL;
}

const char *trolley_section_kind(uint32_t i)
{
    return config_kind(NULL, i);
}

const struct trolley_span *trolley_section_options(const char *kind)
{
    return config_host_options(kind);
}

const struct trolley_span *trolley_http_options(void)
{
    return config_http_options();
}

void trolley_plugin_names(struct trolley_setup *setup, void (*each)(void *ctx, const char *name),
                          void *ctx)
{
    registry_names(&setup->registry, each, ctx);
}
