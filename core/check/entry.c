/* entry.c: checks of the file, its entry and its descriptor. SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/check/check.h"
#include "core/check/elf.h"
#include "core/check/process.h"
#include "core/config/config.h"
#include "core/plugin/loader.h"
#include "core/plugin/task.h"
#include "core/plugin/trust.h"
#include "kit/text.h"

#define ENTRY_LIMIT_MS 100

void check_file(struct check *check)
{
    struct trolley_error error;

    check_doing(check, "looking at the file");
    if (trust_path(check->path, &error) < 0) check_fail(check, "%s", error.message);
}

/* Counts symbols and keeps the first that does not belong there. */
struct symbols {
    bool entry;
    unsigned others;
    char first[128];
};

static void entry_symbol(void *ctx, const char *name)
{
    struct symbols *symbols = ctx;

    if (strcmp(name, "trolley_plugin_v1") == 0)
        symbols->entry = true;
    else if (symbols->others++ == 0)
        (void)snprintf(symbols->first, sizeof symbols->first, "%s", name);
}

void check_one_symbol(struct check *check)
{
    struct symbols symbols = {0};

    check_doing(check, "reading its symbols");
    if (elf_exports(check->path, entry_symbol, &symbols) < 0)
        check_fail(check, "not a shared object of this machine, or damaged");
    else if (!symbols.entry)
        check_fail(check, "does not export trolley_plugin_v1");
    else if (symbols.others)
        check_fail(check,
                   "exports %u symbols besides trolley_plugin_v1, %s first (make them static, or "
                   "link with -export-symbols-regex or a version script)",
                   symbols.others, symbols.first);
}

void check_binds_now(struct check *check)
{
    check_doing(check, "opening it with RTLD_NOW and RTLD_LOCAL");
    if (!dlopen(check->path, RTLD_NOW | RTLD_LOCAL)) {
        const char *why = dlerror();

        check_fail(check, "%s", why ? why : "it does not open");
    }
}

void check_entry_quick(struct check *check)
{
    int64_t start, took;
    void *handle = dlopen(check->path, RTLD_NOW | RTLD_LOCAL);
    const void *(*entry)(void) =
        handle ? (const void *(*)(void))dlsym(handle, "trolley_plugin_v1") : NULL;

    if (!entry) {
        check_skip(check, "no symbol trolley_plugin_v1");
        return;
    }
    check_doing(check, "calling trolley_plugin_v1");
    start = task_clock_ms();
    (void)entry();
    took = task_clock_ms() - start;
    if (took > ENTRY_LIMIT_MS)
        check_fail(check,
                   "trolley_plugin_v1 took %lld ms (it returns static data and does nothing)",
                   (long long)took);
}

/* All bytes and texts of the descriptor that its reader sees, as one number. */
static uint64_t entry_digest(const struct trolley_plugin *plugin)
{
    const struct trolley_component *const *component;
    uint64_t digest = process_digest(0, plugin, plugin->size);

    digest = process_digest(digest, plugin->name, plugin->name ? strlen(plugin->name) : 0);
    for (component = plugin->components; component && *component; component++) {
        const struct trolley_span *options = (*component)->options;

        digest = process_digest(digest, *component, (*component)->size);
        if (options)
            digest =
                process_digest(digest, options->items, (size_t)options->count * options->stride);
    }
    return digest;
}

void check_entry_pure(struct check *check)
{
    struct process_state before, after;
    const struct trolley_plugin *first;
    uint64_t digest;

    process_look(&before);
    if (!check_load(check)) return;
    first = check->plugin;
    digest = entry_digest(first);
    if (!check_load(check)) return;
    if (check->plugin != first || entry_digest(check->plugin) != digest) {
        check_fail(check, "trolley_plugin_v1 does not return the same static data each time");
        return;
    }
    process_look(&after);
    if (after.threads > before.threads)
        check_fail(check, "opening it or trolley_plugin_v1 starts %u threads (start them in open)",
                   after.threads - before.threads);
    else if (after.files > before.files)
        check_fail(check, "opening it or trolley_plugin_v1 leaves %u files or sockets open",
                   after.files - before.files);
}

static bool entry_line(const char *text)
{
    return text && *text && !strpbrk(text, "\r\n") && kit_text_utf8_valid(text, strlen(text));
}

void check_descriptor(struct check *check)
{
    const struct trolley_component *const *component;
    const struct trolley_plugin *plugin;
    struct trolley_error error;

    if (!check_load(check)) return;
    plugin = check->plugin;
    check_doing(check, "reading the descriptor");
    if (descriptor_check_shape(check->path, check->name, plugin, &error) < 0) {
        check_fail(check, "%s", error.message);
        return;
    }
    if (!entry_line(plugin->version) || !entry_line(plugin->license) ||
        !entry_line(plugin->summary))
        check_fail(check, "version, license and summary must be one line of text each");
    for (component = plugin->components; *component; component++) {
        check->note->kinds |= CHECK_KIND((*component)->kind);
        if (!entry_line((*component)->summary))
            check_fail(check, "its %s needs a summary of one line", kind_name((*component)->kind));
        if ((*component)->flags & ~TROLLEY_COMPONENT_HTTP)
            check_fail(check, "its %s has flags that do not exist (0x%llx)",
                       kind_name((*component)->kind), (unsigned long long)(*component)->flags);
    }
}

void check_options(struct check *check)
{
    struct trolley_error error;

    if (!check_load(check)) return;
    check_doing(check, "reading the options");
    if (option_table_check(kind_name(check->kind), check->component.options, &error) < 0)
        check_fail(check, "%s", error.message);
}

/* The parameters of one type, looked at one by one. */
struct params {
    struct check *check;
    const char *type;
    const char *seen[256];
    unsigned count;
};

static void entry_param(void *ctx, const struct trolley_query_param *param)
{
    struct params *params = ctx;
    unsigned i;

    if (!param->key || !*param->key) {
        check_fail(params->check, "query type %s: a parameter without a key", params->type);
        return;
    }
    if (param->type < TROLLEY_PARAM_ATTRIBUTE || param->type > TROLLEY_PARAM_TEXT)
        check_fail(params->check, "query type %s: %s has a type that does not exist (%u)",
                   params->type, param->key, param->type);
    if (param->type == TROLLEY_PARAM_ATTRIBUTE && !trolley_tag(param->key))
        check_fail(params->check, "query type %s: %s is no keyword of DICOM's dictionary",
                   params->type, param->key);
    if (param->type != TROLLEY_PARAM_ATTRIBUTE && trolley_tag(param->key))
        check_fail(params->check, "query type %s: %s is an attribute, not a parameter",
                   params->type, param->key);
    for (i = 0; i < params->count; i++)
        if (strcmp(params->seen[i], param->key) == 0)
            check_fail(params->check, "query type %s: %s is there twice", params->type, param->key);
    if (params->count < 256) params->seen[params->count++] = param->key;
}

static bool entry_known_type(const struct trolley_span *types, const char *name, uint32_t besides)
{
    uint32_t i;

    for (i = 0; i < types->count; i++) {
        const struct trolley_query_type *type = trolley_span_at(types, i);

        if (i != besides && type->name && strcmp(type->name, name) == 0) return true;
    }
    return false;
}

void check_query_types(struct check *check)
{
    const struct trolley_span *types;
    uint32_t i;

    if (!check_load(check)) return;
    types = check->component.query_types;
    check_doing(check, "reading the query types");
    for (i = 0; i < types->count && !check_over(check); i++) {
        const struct trolley_query_type *type = trolley_span_at(types, i);
        struct params params = {.check = check, .type = type->name};

        if (!entry_line(type->name)) {
            check_fail(check, "query type %u has no name", i + 1);
            return;
        }
        if (entry_known_type(types, type->name, i))
            check_fail(check, "query type %s is there twice", type->name);
        if (type->base && !entry_known_type(types, type->base, i) &&
            !trolley_query_type_builtin(type->base))
            check_fail(check, "query type %s: its base %s does not exist", type->name, type->base);
        (void)trolley_query_type_params(type, types, entry_param, &params);
        if (!params.count && !(type->flags & TROLLEY_QUERY_ANY_ATTRIBUTE))
            check_fail(check, "query type %s takes no key at all", type->name);
    }
}
