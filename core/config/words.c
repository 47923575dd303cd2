/* SPDX-License-Identifier: MIT */
#include "core/config/words.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"

static bool words_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Moves one word from *at to `out`, which has room for all that is left. False when a quote or a
 * final backslash is left open. */
static bool words_take(const char **at, char *out)
{
    const char *c = *at;
    char quote = 0;

    for (; *c && (quote || !words_blank(*c)); c++) {
        if (quote ? *c == quote : (*c == '\'' || *c == '"')) {
            quote = quote ? 0 : *c;
            continue;
        }
        if (*c == '\\' && (!quote || (quote == '"' && (c[1] == '"' || c[1] == '\\')))) {
            c++;
            if (!*c) return false;
        }
        *out++ = *c;
    }
    *out = '\0';
    *at = c;
    return quote == 0;
}

void config_words_free(char **words)
{
    size_t i;

    if (!words) return;
    for (i = 0; words[i]; i++) {
        explicit_bzero(words[i], strlen(words[i]));
        free(words[i]);
    }
    free(words);
}

/* Appends a copy of `word` to the NULL-terminated list. */
static int words_append(char ***words, size_t count, const char *word)
{
    char **more = reallocarray(*words, count + 2, sizeof *more);

    if (!more) return TROLLEY_ERR_NOMEM;
    *words = more;
    more[count + 1] = NULL;
    more[count] = strdup(word);
    return more[count] ? 0 : TROLLEY_ERR_NOMEM;
}

int config_words_split(const char *text, char ***ret_words, struct trolley_error *error)
{
    const size_t size = strlen(text) + 1;
    char *word = malloc(size);
    char **words = NULL;
    const char *fault = NULL;
    size_t count = 0;
    int r = word ? 0 : TROLLEY_ERR_NOMEM;

    while (r == 0 && !fault) {
        while (words_blank(*text))
            text++;
        if (!*text) break;
        if (!words_take(&text, word))
            fault = "a quote is not closed, or a backslash ends it";
        else
            r = words_append(&words, count++, word);
    }
    if (word) explicit_bzero(word, size);
    free(word);
    if (!fault && !words) fault = "is empty";
    if (!fault && r == 0 && !words[0][0]) fault = "names no program";
    if (r == 0 && !fault) {
        *ret_words = words;
        return 0;
    }
    config_words_free(words);
    if (r < 0) return error_set(error, r, "out of memory");
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s", fault);
}
