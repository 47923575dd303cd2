/* default-out-of-range.c: an option whose default is above its maximum. SPDX-License-Identifier:
 * MIT */
#include "../sound.h"

static const struct trolley_option table[] = {
    {SOUND_OPTION(INT, "number"), .default_text = "1001", .max = 1000, .help = "any number"},
};
static const struct trolley_span options = TROLLEY_SPAN(table);

SOUND_SEARCHER("default-out-of-range", &options, &sound_types, sound_create, sound_destroy,
               &sound_searcher_ops, NULL);
