/* libFuzzer: an INI file read, each section resolved and shown. SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

/* What the grammar promises about every entry. */
static void check_section(const struct config_section *section)
{
    size_t i;
    const char *c;

    require(config_host_options(section->kind) != NULL);
    require(strpbrk(section->name, "[]\",") == NULL);
    require((strcmp(section->kind, "settings") == 0) == (*section->name == '\0'));
    for (i = 0; i < section->count; i++) {
        const struct config_entry *entry = &section->entries[i];

        require(entry->line > section->line);
        require(*entry->key && strlen(entry->key) <= CONFIG_KEY_MAX);
        require(strpbrk(entry->key, "=:; \t\"") == NULL);
        for (c = entry->value; *c; c++)
            require((unsigned char)*c >= ' ' || *c == '\t');
    }
}

static void resolve_section(const struct config_file *file, const struct config_section *section)
{
    const struct trolley_span *tables[] = {config_host_options(section->kind),
                                           config_http_options(), NULL};
    struct trolley_error error = {0};
    struct section *resolved = NULL;
    struct kit_buffer text = {0};

    if (section_resolve(file, section, tables, &resolved, &error) == 0)
        require(section_show(resolved, &text) == 0 && text.length > 0);
    else
        require(error.status < 0 && strstr(error.message, "key `") != NULL);
    kit_buffer_free(&text);
    section_free(resolved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_section *section;
    struct config_file *file = NULL;
    struct trolley_error error = {0};
    char path[64];
    int fd = memfd_create("ini", MFD_CLOEXEC);

    require(fd >= 0 && fchmod(fd, 0600) == 0);
    require(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (config_file_read(path, &file, &error) == 0) {
        for (section = config_file_first(file); section; section = section->next) {
            check_section(section);
            resolve_section(file, section);
        }
        config_file_free(file);
    } else {
        require(error.status < 0 && strncmp(error.message, path, strlen(path)) == 0);
    }
    close(fd);
    return 0;
}
