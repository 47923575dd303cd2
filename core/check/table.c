/* table.c: the table of checks, and what a check says. SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "core/plugin/loader.h"

#define EVERY                                                                  \
    (CHECK_KIND(TROLLEY_KIND_SEARCHER) | CHECK_KIND(TROLLEY_KIND_DOWNLOADER) | \
     CHECK_KIND(TROLLEY_KIND_STORAGE) | CHECK_KIND(TROLLEY_KIND_AUTH))
#define SEARCHER CHECK_KIND(TROLLEY_KIND_SEARCHER)
#define DOWNLOADER CHECK_KIND(TROLLEY_KIND_DOWNLOADER)
#define STORAGE CHECK_KIND(TROLLEY_KIND_STORAGE)
#define AUTH CHECK_KIND(TROLLEY_KIND_AUTH)

/* In the order they run: what a check needs stands before it. */
static const struct check_row check_table[] = {
    {"file", "a shared object in a place that code may be loaded from", NULL, 0, check_file},
    {"one-symbol", "exports trolley_plugin_v1 and nothing else", "file", 0, check_one_symbol},
    {"binds-now", "opens with RTLD_NOW and RTLD_LOCAL: no symbol is missing", "file", 0,
     check_binds_now},
    {"entry-quick", "the entry returns within 100 ms", "binds-now", 0, check_entry_quick},
    {"entry-pure", "the entry gives the same each time, starts no thread, opens no file",
     "binds-now", 0, check_entry_pure},
    {"descriptor", "sizes, names, kinds, levels, required operations", "binds-now", 0,
     check_descriptor},
    {"options", "keys well formed, none of the host's, defaults legal, ranges in order",
     "descriptor", EVERY, check_options},
    {"query-types", "names, bases and parameters exist, each once", "descriptor", SEARCHER,
     check_query_types},
    {"create-defaults", "opens and creates with its defaults", "options", EVERY,
     check_create_defaults},
    {"create-extremes", "opens and creates, or refuses, with each option at its extremes",
     "create-defaults", EVERY, check_create_extremes},
    {"create-random", "opens and creates, or refuses, with random legal text", "create-defaults",
     EVERY, check_create_random},
    {"create-repeated", "100 lives leave no memory, file or thread behind", "create-defaults",
     EVERY, check_create_repeated},
    {"destroy-null", "destroy takes NULL", "create-defaults", EVERY, check_destroy_null},
    {"unknown-interface", "an interface nobody knows is NULL", "create-defaults", EVERY,
     check_unknown_interface},
    {"bare-host", "a host without any service is refused or served, in words", "create-defaults",
     EVERY, check_bare_host},
    {"first-structs", "nothing behind the structs of contract 1.0 is read", "create-defaults",
     EVERY, check_first_structs},
    {"clear-failure", "a server that is not there is a failure with a reason", "create-defaults",
     SEARCHER | DOWNLOADER | AUTH, check_clear_failure},
    {"cancelled-first", "a task cancelled before it starts ends within a second", "create-defaults",
     EVERY, check_cancelled_first},
    {"cancelled-waiting", "a task cancelled while a server is silent ends within a second",
     "create-defaults", SEARCHER | DOWNLOADER, check_cancelled_waiting},
    {"failing-sink", "a sink's refusal is returned, and the sink left alone", "create-defaults",
     SEARCHER | DOWNLOADER, check_failing_sink},
    {"items-ended", "every begun item is ended once, and nothing comes behind the end",
     "create-defaults", DOWNLOADER, check_items_ended},
    {"arguments-borrowed", "nothing of a call's arguments is read after the call",
     "create-defaults", EVERY, check_arguments_borrowed},
    {"wider-structs", "structs and spans of a later contract are read by their sizes",
     "create-defaults", EVERY, check_wider_structs},
    {"storage-round-trip", "what was committed is there, what was aborted is not",
     "create-defaults", STORAGE, check_storage_round_trip},
    {"storage-conflicts", "same, other and replacing content end as the contract says",
     "storage-round-trip", STORAGE, check_storage_conflicts},
};

const struct check_row *check_row(uint32_t i)
{
    return i < sizeof check_table / sizeof check_table[0] ? &check_table[i] : NULL;
}

void check_doing(struct check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(check->note->doing, sizeof check->note->doing, format, args);
    va_end(args);
}

bool check_over(const struct check *check)
{
    return check->note->outcome != 0;
}

static void check_say(struct check *check, uint32_t outcome, const char *format, va_list args)
{
    if (check_over(check)) return;
    (void)vsnprintf(check->note->message, sizeof check->note->message, format, args);
    check->note->outcome = outcome;
}

void check_fail(struct check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    check_say(check, TROLLEY_CHECK_FAILED, format, args);
    va_end(args);
}

void check_skip(struct check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    check_say(check, TROLLEY_CHECK_SKIPPED, format, args);
    va_end(args);
}

bool check_load(struct check *check)
{
    void *handle, *symbol;

    check_doing(check, "opening the file");
    handle = dlopen(check->path, RTLD_NOW | RTLD_LOCAL);
    symbol = handle ? dlsym(handle, "trolley_plugin_v1") : NULL;
    if (!handle) check_fail(check, "it does not open");
    if (!symbol) check_skip(check, "no symbol trolley_plugin_v1");
    if (!symbol) return false;
    check_doing(check, "calling trolley_plugin_v1");
    check->plugin = ((const struct trolley_plugin *(*)(void))symbol)();
    if (!check->plugin) {
        check_fail(check, "trolley_plugin_v1 returns NULL");
        return false;
    }
    return !check->kind || descriptor_component(check->plugin, check->kind, &check->component);
}
