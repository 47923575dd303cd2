/* words.c: the command line and the environment. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "command.h"

/* What a program may know of ours: nothing that a password could be in. */
static const char *const passed[] = {"PATH", "HOME",   "LANG", "LC_ALL",  "LC_CTYPE", "LC_MESSAGES",
                                     "TZ",   "TMPDIR", "USER", "LOGNAME", "SHELL"};

static const char *const words[] = {"variant", "contentType", NULL};

static int no_memory(const struct command_storage *storage, struct trolley_task *task)
{
    return trolley_fail(task, TROLLEY_ERR_NOMEM, "command \"%s\": out of memory", storage->section);
}

static int read_arguments(struct command_storage *storage, const struct trolley_host *host,
                          const struct trolley_config *config, struct trolley_task *task)
{
    const struct path_option option = {"command", storage->section, "argument", host, words, false};
    const struct trolley_span list = config->list(config, "argument");
    uint32_t i;
    int r = 0;

    if (list.count > WORDS_MAX)
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "[storage %s] argument: more than %d",
                            storage->section, WORDS_MAX);
    for (i = 0; r == 0 && i < list.count; i++) {
        r = path_option_parse(&option, trolley_span_text(&list, i), task, &storage->arguments[i]);
        if (r < 0) return r;
        storage->argument_count++;
        r = path_needs_add(&storage->needs, storage->arguments[i]);
    }
    if (r < 0) return no_memory(storage, task);
    storage->needs_span =
        (struct trolley_span){storage->needs.tags, storage->needs.count, sizeof(uint32_t)};
    return 0;
}

static bool has_variable(const struct command_storage *storage, const char *name, size_t length)
{
    char **at;

    for (at = storage->environment; *at; at++)
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') return true;
    return false;
}

/* Adds NAME=VALUE unless the name is there, or NAME with the value it has here (nothing when it has
 * none). */
static int add_variable(struct command_storage *storage, const char *name, size_t length,
                        const char *value, uint32_t *count)
{
    char *text;

    if (has_variable(storage, name, length)) return 0;
    text = strndup(name, length);
    if (text && !value) value = getenv(text);
    free(text);
    if (!text) return TROLLEY_ERR_NOMEM;
    if (!value) return 0;
    if (asprintf(&text, "%.*s=%s", (int)length, name, value) < 0) return TROLLEY_ERR_NOMEM;
    storage->environment[(*count)++] = text;
    return 0;
}

static int read_environment(struct command_storage *storage, const struct trolley_config *config,
                            struct trolley_task *task)
{
    const struct trolley_span list = config->list(config, "environment");
    const size_t own = sizeof passed / sizeof passed[0];
    uint32_t i, count = 0;
    int r = 0;

    storage->environment = calloc(own + list.count + 1, sizeof *storage->environment);
    if (!storage->environment) return no_memory(storage, task);
    for (i = 0; r == 0 && i < list.count; i++) {
        const char *text = trolley_span_text(&list, i);
        const size_t length = strcspn(text, "=");

        if (length == 0)
            return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                                "[storage %s] environment: \"%s\" is neither NAME nor NAME=VALUE",
                                storage->section, text);
        r = add_variable(storage, text, length, text[length] ? text + length + 1 : NULL, &count);
    }
    for (i = 0; r == 0 && i < own; i++)
        r = add_variable(storage, passed[i], strlen(passed[i]), NULL, &count);
    return r < 0 ? no_memory(storage, task) : 0;
}

int words_read(struct command_storage *storage, const struct trolley_host *host,
               const struct trolley_config *config, struct trolley_task *task)
{
    int r = read_arguments(storage, host, config, task);

    return r < 0 ? r : read_environment(storage, config, task);
}

void words_free(struct command_storage *storage)
{
    uint32_t i;

    for (i = 0; i < storage->argument_count; i++)
        kit_path_free(storage->arguments[i]);
    line_free(storage->environment);
    free(storage->needs.tags);
}

void line_free(char **line)
{
    size_t i;

    for (i = 0; line && line[i]; i++)
        free(line[i]);
    free(line);
}

int line_make(const struct command_storage *storage, const struct trolley_meta *meta,
              struct trolley_task *task, char ***ret_line)
{
    char **line = calloc((size_t)storage->argument_count + 2, sizeof *line);
    struct path_values values;
    uint32_t i;
    int r = TROLLEY_ERR_NOMEM;

    path_values_init(&values, meta, NULL);
    if (line) line[0] = strdup(storage->program);
    if (line && line[0]) r = 0;
    for (i = 0; r == 0 && i < storage->argument_count; i++) {
        struct kit_buffer word = {0};

        r = kit_path_text(storage->arguments[i], &values.values, &word);
        if (r == 0) line[i + 1] = kit_buffer_take(&word);
        if (r == 0 && !line[i + 1]) r = TROLLEY_ERR_NOMEM;
        kit_buffer_free(&word);
    }
    path_values_clear(&values);
    if (r == 0) {
        *ret_line = line;
        return 0;
    }
    line_free(line);
    return trolley_fail(task, r,
                        "command \"%s\": an argument is longer than 4096 bytes, or there "
                        "is no memory",
                        storage->section);
}
