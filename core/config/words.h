/* words.h: a command line's words without a shell. SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_WORDS_H
#define CORE_CONFIG_WORDS_H

#include "core/config/config.h"

/*
 * Splits `text` at white space. '...' takes text as it is, "..." too but for \" and \\, and outside
 * quotes \ takes the next character. Nothing is expanded.
 * @param ret_words  NULL-terminated, one word at least; free with config_words_free.
 * Errors: INVALID_CONFIG (open quote, no word), NOMEM. Messages do not repeat the text.
 */
int config_words_split(const char *text, char ***ret_words, struct trolley_error *error);
void config_words_free(char **words);

#endif
