/* schema.h: what the files with the host's option tables share. SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_SCHEMA_H
#define CORE_CONFIG_SCHEMA_H

#include "core/config/config.h"

#define OPTION(option_type, name, text, about)                                                  \
    .size = sizeof(struct trolley_option), .type = TROLLEY_OPTION_##option_type, .key = (name), \
    .default_text = (text), .help = (about)

/* A kind of section and its keys. */
struct schema_kind {
    const char *kind;
    struct trolley_span options;
};

/* Those of core/prefetch. */
extern const struct schema_kind schema_prefetch_kinds[];
extern const size_t schema_prefetch_count;

#endif
