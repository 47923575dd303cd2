/* values.h: one option's value, from text. SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_VALUES_H
#define CORE_CONFIG_VALUES_H

#include "core/config/config.h"

/*
 * As option_parse, and the text as components read it: paths absolute (relative ones start from
 * `directory`), URLs without a trailing slash, choices as the table spells them, AE titles trimmed.
 * free() *ret_text. Errors: INVALID_CONFIG without a place, NOMEM.
 */
int config_value_normal(const struct trolley_option *option, const char *text,
                        const char *directory, char **ret_text, int64_t *ret_number,
                        struct trolley_error *error);

/* Checks and copies texts: http(s) URL with a host and no credentials; AE title [PS3.5 6.2]. */
int config_url_check(const char *text, struct trolley_error *error);
int config_ae_title_check(const char *text, struct trolley_error *error);

/* A time in milliseconds: "250ms", "10s", "5m", "2h", "1d", "0", or ISO 8601 PnDTnHnMn.fS. False
 * when malformed or beyond int64. */
bool config_duration_parse(const char *text, int64_t *ret_ms);

/* Item i of a list of words separated by commas: its start, *ret_length; NULL past the last. */
const char *config_word_at(const char *words, size_t i, size_t *ret_length);

/* The name of an option type as users read it: "duration". Static text. */
const char *config_type_name(uint32_t type);

#endif
