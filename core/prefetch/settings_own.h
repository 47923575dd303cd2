/* settings_own.h: settings while they are read. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_SETTINGS_OWN_H
#define CORE_PREFETCH_SETTINGS_OWN_H

#include "core/model/arena.h"
#include "core/plugin/setup.h"
#include "core/prefetch/settings.h"

/* Settings with what they borrow from. `view` comes first, so that the public pointer is the
 * owner's. */
struct settings {
    struct prefetch_settings view;
    struct trolley_setup *setup;
    struct section **sections; /* resolved; freed with the settings */
    size_t section_count;
    struct arena arena; /* arrays */
    struct trolley_error *error;
};

/* Zeroed memory that lives as long as the settings; NULL when it is out, told as an error. */
void *settings_alloc(struct settings *settings, size_t count, size_t size);

/* Resolves a section, which then belongs to the settings. `section` NULL: its defaults. */
int settings_section(struct settings *settings, const char *kind,
                     const struct config_section *written, struct section **ret_section);

/* Says what is wrong with a key: "FILE:LINE: [kind name] key `key`: ...". INVALID_CONFIG. */
__attribute__((format(printf, 4, 5))) int settings_fault(struct settings *settings,
                                                         struct section *section, const char *key,
                                                         const char *format, ...);

/* The values of a list key: an array with *ret_count texts, NULL when there are none. */
int settings_list(struct settings *settings, struct section *section, const char *key,
                  const char ***ret_texts, uint32_t *ret_count);

/* The schedule that the key `schedule` of a section says; NULL without. */
int settings_schedule(struct settings *settings, struct section *section,
                      struct prefetch_schedule **ret_schedule);

/* Fills an exporter, whose queue is in the settings already. */
int settings_exporter(struct settings *settings, const struct config_section *written,
                      struct prefetch_exporter *exporter);

const struct prefetch_queue *settings_queue(const struct settings *settings, const char *name);

#endif
