/* SPDX-License-Identifier: MIT */
#include "core/config/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config/file.h"
#include "core/model/error.h"

const char *config_type_name(uint32_t type)
{
    static const char *const names[] = {
        "unknown", "text", "integer",  "yes or no", "duration",         "size",        "choice",
        "path",    "URL",  "AE title", "port",      "list, one a line", "section name"};

    return type < sizeof names / sizeof names[0] ? names[type] : names[0];
}

const char *config_word_at(const char *words, size_t i, size_t *ret_length)
{
    const char *comma;

    for (; words; words = comma ? comma + 1 : NULL) {
        words += strspn(words, " \t");
        comma = strchr(words, ',');
        if (i-- > 0) continue;
        *ret_length = comma ? (size_t)(comma - words) : strlen(words);
        while (*ret_length && (words[*ret_length - 1] == ' ' || words[*ret_length - 1] == '\t'))
            --*ret_length;
        return words;
    }
    return NULL;
}

static int value_bad(const char *text, const char *wanted, struct trolley_error *error)
{
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is not %s", text, wanted);
}

/* A whole number, nothing else, in `base`. */
static bool value_number(const char *text, int base, int64_t *ret_number)
{
    const char *digits = text + (*text == '-' || *text == '+');
    long long number;
    char *end;

    if (*digits < '0' || *digits > '9') return false;
    errno = 0;
    number = strtoll(text, &end, base);
    if (errno || *end) return false;
    *ret_number = number;
    return true;
}

static int value_bool(const char *text, int64_t *ret_number, struct trolley_error *error)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret_number = (int64_t)(i % 2);
            return 0;
        }
    return value_bad(text, "yes or no", error);
}

/* Bytes: "4096", "64KiB", "10MB". */
static bool value_size(const char *text, int64_t *ret_number)
{
    static const struct {
        const char *name;
        int64_t unit;
    } units[] = {{"", 1},
                 {"B", 1},
                 {"KB", INT64_C(1000)},
                 {"MB", INT64_C(1000000)},
                 {"GB", INT64_C(1000000000)},
                 {"TB", INT64_C(1000000000000)},
                 {"KiB", INT64_C(1) << 10},
                 {"MiB", INT64_C(1) << 20},
                 {"GiB", INT64_C(1) << 30},
                 {"TiB", INT64_C(1) << 40}};
    const char *unit;
    int64_t number;
    char *end;
    size_t i;

    if (*text < '0' || *text > '9') return false;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno) return false;
    unit = end + strspn(end, " ");
    for (i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcasecmp(unit, units[i].name) == 0)
            return !__builtin_mul_overflow(number, units[i].unit, ret_number);
    return false;
}

static int value_choice(const struct trolley_option *option, const char *text, int64_t *ret_number,
                        struct trolley_error *error)
{
    const char *word;
    size_t i, length;

    for (i = 0; (word = config_word_at(option->choices, i, &length)); i++)
        if (strlen(text) == length && strncasecmp(text, word, length) == 0) {
            *ret_number = (int64_t)i;
            return 0;
        }
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is not one of: %s", text,
                     option->choices);
}

static int value_range(const struct trolley_option *option, const char *text, int64_t number,
                       struct trolley_error *error)
{
    const char *unit = option->type == TROLLEY_OPTION_DURATION ? " milliseconds"
                       : option->type == TROLLEY_OPTION_SIZE   ? " bytes"
                                                               : "";
    int64_t min = option->min, max = option->max;

    if (min == 0 && max == 0) {
        if (option->type != TROLLEY_OPTION_PORT) return 0;
        min = 1;
        max = 65535;
    }
    if (number >= min && number <= max) return 0;
    if (option->flags & CONFIG_OPTION_OCTAL)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is not from 0%llo to 0%llo", text,
                         (unsigned long long)min, (unsigned long long)max);
    if (max == INT64_MAX)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is less than %lld%s", text,
                         (long long)min, unit);
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "`%s` is not from %lld to %lld%s", text,
                     (long long)min, (long long)max, unit);
}

/* A header field to be sent [RFC 9110 5.1]: a token, ':', a value. The value may be a credential
 * and is not repeated. */
static int value_header(const char *text, struct trolley_error *error)
{
    const char *colon = strchr(text, ':');
    const char *c;

    for (c = text; colon && c < colon; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"(),/;<=>?@[\\]{}", *c)) colon = NULL;
    if (colon && colon > text) return 0;
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "a header is written `Name: value`");
}

static int value_list_item(const struct trolley_option *option, const char *text,
                           struct trolley_error *error)
{
    if (option->flags & CONFIG_OPTION_HEADER) return value_header(text, error);
    if (!*text) return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "an item is empty");
    if ((option->flags & CONFIG_OPTION_SEARCH_PATH) && *text != '/')
        return value_bad(text, "an absolute path", error);
    return 0;
}

/* The URL that a template of URLs is written as, without the scheme that dcm4chee puts before it.
 */
static const char *value_template(const struct trolley_option *option, const char *text)
{
    return (option->flags & CONFIG_OPTION_TEMPLATE) && strncasecmp(text, "wado:", 5) == 0 ? text + 5
                                                                                          : text;
}

/* What counts besides the range. */
static int value_scan(const struct trolley_option *option, const char *text, int64_t *ret_number,
                      struct trolley_error *error)
{
    const int base = option->flags & CONFIG_OPTION_OCTAL ? 8 : 10;

    switch (option->type) {
    case TROLLEY_OPTION_INT:
    case TROLLEY_OPTION_PORT:
        if (value_number(text, base, ret_number)) return 0;
        return value_bad(text, base == 8 ? "an octal number" : "a number", error);
    case TROLLEY_OPTION_BOOL:
        return value_bool(text, ret_number, error);
    case TROLLEY_OPTION_DURATION:
        if (config_duration_parse(text, ret_number)) return 0;
        return value_bad(text, "a duration such as 250ms, 10s, 5m, 2h, 1d or PT1M", error);
    case TROLLEY_OPTION_SIZE:
        if (value_size(text, ret_number)) return 0;
        return value_bad(text, "a size such as 4096, 64KiB or 10MB", error);
    case TROLLEY_OPTION_CHOICE:
        return value_choice(option, text, ret_number, error);
    case TROLLEY_OPTION_URL:
        return config_url_check(value_template(option, text), error);
    case TROLLEY_OPTION_AE_TITLE:
        return config_ae_title_check(text, error);
    case TROLLEY_OPTION_LIST:
        return value_list_item(option, text, error);
    case TROLLEY_OPTION_PATH:
    case TROLLEY_OPTION_COMPONENT:
        return *text ? 0 : error_set(error, TROLLEY_ERR_INVALID_CONFIG, "is empty");
    case TROLLEY_OPTION_STRING:
        if (*text || !(option->flags & TROLLEY_OPTION_REQUIRED)) return 0;
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "required, and empty");
    default:
        return error_set(error, TROLLEY_ERR_INTERNAL, "its type %u is unknown", option->type);
    }
}

int option_parse(const struct trolley_option *option, const char *text, int64_t *ret_number,
                 struct trolley_error *error)
{
    int64_t number = 0;
    int r = value_scan(option, text, &number, error);

    if (r < 0) return r;
    switch (option->type) {
    case TROLLEY_OPTION_INT:
    case TROLLEY_OPTION_PORT:
    case TROLLEY_OPTION_DURATION:
    case TROLLEY_OPTION_SIZE:
        r = value_range(option, text, number, error);
        if (r < 0) return r;
        break;
    default:
        break;
    }
    *ret_number = number;
    return 0;
}

/* A URL without the slashes at its end; one with a query keeps its own. */
static char *value_url(const char *text)
{
    size_t length = strlen(text);

    if (!strchr(text, '?'))
        while (length && text[length - 1] == '/')
            length--;
    return strndup(text, length);
}

static char *value_trimmed(const char *text)
{
    size_t length;

    text += strspn(text, " ");
    length = strlen(text);
    while (length && text[length - 1] == ' ')
        length--;
    return strndup(text, length);
}

int config_value_normal(const struct trolley_option *option, const char *text,
                        const char *directory, char **ret_text, int64_t *ret_number,
                        struct trolley_error *error)
{
    const char *word;
    char *normal;
    int64_t number;
    size_t length;
    int r = option_parse(option, text, &number, error);

    if (r < 0) return r;
    switch (option->type) {
    case TROLLEY_OPTION_PATH:
        normal = config_path_join(directory, text);
        break;
    case TROLLEY_OPTION_URL:
        normal = option->flags & CONFIG_OPTION_TEMPLATE ? strdup(value_template(option, text))
                                                        : value_url(text);
        break;
    case TROLLEY_OPTION_AE_TITLE:
        normal = value_trimmed(text);
        break;
    case TROLLEY_OPTION_CHOICE:
        word = config_word_at(option->choices, (size_t)number, &length);
        normal = strndup(word, length);
        break;
    default:
        normal = strdup(text);
    }
    if (!normal) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    *ret_text = normal;
    *ret_number = number;
    return 0;
}
