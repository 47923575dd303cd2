/*
 * completion.h: what may follow on a command line, from the same tables that read it.
 *
 * The scripts for the shells are thin: they ask `trolley completion words -- WORD ...` at each
 * press of the key, the last word being the one to complete. The answer's first line says what
 * follows: "words", "nospace" (words behind which more comes), "file" or "directory" (the shell
 * knows those). Then one candidate a line, as a whole word, a tab, and what it means.
 *
 * What an option's value may be, its entry says: its choices; FILE and DIR as argument; KEYWORD,...
 * for attributes; NAME for a list named as the option. Of a command, its synopsis: KEY=VALUE, FILE,
 * [NAME] of a plugin, words with | between. SPDX-License-Identifier: MIT
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <kit/buffer.h>

#include "core/cli/cli.h"

/*
 * Appends the answer for these words, the program's name left out; `count` 0 is one empty word.
 * The INI file in use is read for names of its sections; a plugin is opened for its query types
 * alone. What is wrong on the line just brings no candidates. NOMEM, TOO_LARGE.
 */
int completion_answer(struct cli *cli, const char *const *words, size_t count,
                      struct kit_buffer *out);

/* The script for "bash", "zsh" or "fish"; NULL for others. Static text. */
const char *completion_script(const char *shell);

#endif
