/* table_check.c: is a component's option table sane? SPDX-License-Identifier: MIT */
#include <kit/text.h>
#include <string.h>
#include <strings.h>
#include <trolley/helpers.h>

#include "core/config/section.h"
#include "core/config/values.h"
#include "core/model/error.h"

/* One table under examination. */
struct check {
    const char *kind; /* NULL: the host's own, nothing is reserved */
    const struct trolley_span *options;
    struct trolley_error *error;
};

static int check_fault(const struct check *check, const struct trolley_option *option,
                       const char *what, const char *about)
{
    return error_set(check->error, TROLLEY_ERR_INVALID_ARG, "option `%s`: %s%s%s", option->key,
                     what, about ? " " : "", about ? about : "");
}

/* Option i, however large its writer's struct is. False when it is too small to be one. */
static bool check_read(const struct trolley_span *options, uint32_t i,
                       struct trolley_option *ret_option)
{
    return trolley_read_open(ret_option, sizeof *ret_option, trolley_span_at(options, i),
                             SECTION_OPTION_LEAST) == 0;
}

static bool check_letter(char c, bool any_case)
{
    return (c >= 'a' && c <= 'z') || (any_case && c >= 'A' && c <= 'Z');
}

/* A letter, then letters, digits and '_' (in aliases '-' too). */
static bool check_word(const char *word, size_t length, bool alias)
{
    size_t i;

    if (length == 0 || length > CONFIG_KEY_MAX || !check_letter(word[0], alias)) return false;
    for (i = 1; i < length; i++)
        if (!check_letter(word[i], alias) && !(word[i] >= '0' && word[i] <= '9') &&
            word[i] != '_' && !(alias && word[i] == '-'))
            return false;
    return true;
}

static int check_names(const struct check *check, const struct trolley_option *option)
{
    const bool prefix = option->flags & TROLLEY_OPTION_PREFIX;
    size_t i, length = strlen(option->key);
    const char *alias;

    if (prefix) {
        if (length < 2 || option->key[length - 1] != '.')
            return check_fault(check, option, "a prefix ends in a full stop", NULL);
        if (option->aliases) return check_fault(check, option, "a prefix has no aliases", NULL);
        length--;
    }
    if (!check_word(option->key, length, false))
        return check_fault(check, option, "a key is made of lower case letters, digits and `_`",
                           NULL);
    for (i = 0; (alias = config_word_at(option->aliases, i, &length)); i++)
        if (!check_word(alias, length, true))
            return check_fault(check, option, "malformed alias in", option->aliases);
    return 0;
}

static int check_flags(const struct check *check, const struct trolley_option *option)
{
    const uint32_t flags = option->flags;

    if (check->kind && (flags & CONFIG_OPTION_PRIVATE))
        return check_fault(check, option, "has flags that do not exist", NULL);
    if ((flags & TROLLEY_OPTION_SECRET) &&
        (option->type != TROLLEY_OPTION_STRING || option->default_text ||
         (flags & TROLLEY_OPTION_PREFIX)))
        return check_fault(check, option, "a secret is a STRING without default or prefix", NULL);
    if ((flags & TROLLEY_OPTION_PREFIX) &&
        ((flags & TROLLEY_OPTION_REQUIRED) || option->default_text ||
         option->type == TROLLEY_OPTION_LIST))
        return check_fault(check, option, "a prefix is no list, not required, without default",
                           NULL);
    if ((flags & TROLLEY_OPTION_REQUIRED) && option->default_text)
        return check_fault(check, option, "is required and has a default", NULL);
    if ((flags & TROLLEY_OPTION_ROOT_PATH) && (option->type != TROLLEY_OPTION_PATH ||
                                               !check->kind || strcmp(check->kind, "storage") != 0))
        return check_fault(check, option, "ROOT_PATH is for a PATH of a storage", NULL);
    return 0;
}

static bool check_ranged(uint32_t type)
{
    return type == TROLLEY_OPTION_INT || type == TROLLEY_OPTION_DURATION ||
           type == TROLLEY_OPTION_SIZE || type == TROLLEY_OPTION_PORT;
}

static int check_choices(const struct check *check, const struct trolley_option *option)
{
    const char *word, *other;
    size_t i, k, length, other_length;

    if (option->type == TROLLEY_OPTION_COMPONENT) {
        if (option->choices && config_host_options(option->choices)) return 0;
        return check_fault(check, option, "`choices` is no kind of section", NULL);
    }
    if (option->type != TROLLEY_OPTION_CHOICE) return 0;
    if (!option->choices) return check_fault(check, option, "a CHOICE needs `choices`", NULL);
    for (i = 0; (word = config_word_at(option->choices, i, &length)); i++) {
        if (length == 0) return check_fault(check, option, "an empty choice in", option->choices);
        for (k = 0; k < i; k++) {
            other = config_word_at(option->choices, k, &other_length);
            if (other_length == length && strncasecmp(other, word, length) == 0)
                return check_fault(check, option, "a choice twice in", option->choices);
        }
    }
    return 0;
}

static int check_values(const struct check *check, const struct trolley_option *option)
{
    struct trolley_error why = {0};
    int64_t number;

    if (option->type < TROLLEY_OPTION_STRING || option->type > TROLLEY_OPTION_COMPONENT)
        return check_fault(check, option, "has a type that does not exist", NULL);
    if (!check_ranged(option->type) && (option->min || option->max))
        return check_fault(check, option, "has a range, which its type does not take", NULL);
    if (option->min > option->max)
        return check_fault(check, option, "its min is above its max", NULL);
    if (option->type == TROLLEY_OPTION_PORT && (option->min < 0 || option->max > 65535))
        return check_fault(check, option, "a PORT is 0 to 65535", NULL);
    if (option->default_text && option_parse(option, option->default_text, &number, &why) < 0)
        return check_fault(check, option, "its default is refused:", why.message);
    if (!option->help || !*option->help || strpbrk(option->help, "\r\n"))
        return check_fault(check, option, "needs one line of help", NULL);
    return check_choices(check, option);
}

/* Name i of an option: its key, then its aliases; NULL past the last. */
static const char *check_name(const struct trolley_option *option, size_t i, size_t *ret_length)
{
    if (i > 0) return config_word_at(option->aliases, i - 1, ret_length);
    *ret_length = strlen(option->key);
    return option->key;
}

static bool check_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
    char x[CONFIG_KEY_MAX + 1], y[CONFIG_KEY_MAX + 1];

    if (a_length != b_length || a_length > CONFIG_KEY_MAX) return false;
    memcpy(x, a, a_length);
    memcpy(y, b, b_length);
    x[a_length] = y[b_length] = '\0';
    return kit_text_key_equal(x, y);
}

/* Whether `name` is what a secret's name and suffix make. */
static bool check_secret_form(const char *secret, size_t length, const char *name,
                              size_t name_length)
{
    static const enum section_source sources[] = {SECTION_ENV, SECTION_FILE, SECTION_COMMAND};
    const char *suffix;
    size_t i;

    for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        suffix = section_suffix(sources[i]);
        if (name_length == length + strlen(suffix) && check_equal(secret, length, name, length) &&
            check_equal(suffix, strlen(suffix), name + length, name_length - length))
            return true;
    }
    return false;
}

/* Whether two options answer to one key. */
static bool check_collide(const struct trolley_option *a, const struct trolley_option *b)
{
    const char *x, *y;
    size_t i, k, x_length, y_length;

    for (i = 0; (x = check_name(a, i, &x_length)); i++)
        for (k = 0; (y = check_name(b, k, &y_length)); k++) {
            if (check_equal(x, x_length, y, y_length)) return true;
            if ((a->flags & TROLLEY_OPTION_SECRET) && check_secret_form(x, x_length, y, y_length))
                return true;
            if ((b->flags & TROLLEY_OPTION_SECRET) && check_secret_form(y, y_length, x, x_length))
                return true;
        }
    return false;
}

/* Refuses an option that collides with one of the first `count` of another table. */
static int check_against(const struct check *check, const struct trolley_option *option,
                         const struct trolley_span *table, uint32_t count, const char *whose)
{
    struct trolley_option other;
    uint32_t i;

    for (i = 0; table && i < count; i++)
        if (check_read(table, i, &other) && check_collide(option, &other))
            return check_fault(check, option, whose, other.key);
    return 0;
}

static int check_reserved(const struct check *check, const struct trolley_option *option)
{
    static const char *const everywhere[] = {"searcher", "downloader"};
    const char *own = check->kind && strcmp(check->kind, "auth") == 0 ? "session" : check->kind;
    const struct trolley_span *table;
    const char *whose = "belongs to the host:";
    size_t i;
    int r;

    if (!own) return 0;
    if (strcmp(own, "session") == 0 || strcmp(own, "storage") == 0) {
        table = config_host_options(own);
        r = check_against(check, option, table, table->count, whose);
        if (r < 0) return r;
    }
    for (i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) {
        table = config_host_options(everywhere[i]);
        r = check_against(check, option, table, table->count, whose);
        if (r < 0) return r;
    }
    table = config_http_options();
    return check_against(check, option, table, table->count, whose);
}

static int check_option(const struct check *check, uint32_t i)
{
    struct trolley_option option;
    int r;

    if (!check_read(check->options, i, &option) || !option.key)
        return error_set(check->error, TROLLEY_ERR_INVALID_ARG,
                         "option %u: its size is too small or its key missing", i);
    r = check_names(check, &option);
    if (r == 0) r = check_flags(check, &option);
    if (r == 0) r = check_values(check, &option);
    if (r == 0) r = check_reserved(check, &option);
    if (r == 0)
        r = check_against(check, &option, check->options, i, "means the same key as option");
    return r;
}

int option_table_check(const char *kind, const struct trolley_span *options,
                       struct trolley_error *error)
{
    const struct check check = {kind, options, error};
    uint32_t i;
    int r = 0;

    if (!options) return 0;
    if (options->count && (!options->items || options->stride < SECTION_OPTION_LEAST))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "the options' span is malformed");
    for (i = 0; r == 0 && i < options->count; i++)
        r = check_option(&check, i);
    return r;
}
