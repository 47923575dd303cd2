/* SPDX-License-Identifier: MIT */
#include "core/cli/completion.h"

#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

/* A line that is being typed. */
struct line {
    struct cli *cli;
    const char *word;   /* what is there already of the thing to complete */
    const char *before; /* what stands before it in the same word and stays */
    size_t before_length;
    const struct cli_command *command;
    const char *first;                  /* the first word behind the command */
    size_t word_count;                  /* words behind the command */
    bool words_only;                    /* behind "--" */
    const struct cli_option *pending;   /* its value is what is typed */
    unsigned given[OPTION_COUNT];       /* how often */
    const char *value_of[OPTION_COUNT]; /* the last value */
    const char *directive;
    struct kit_buffer *out;
    int status;
};

/* What is offered where a keyword may stand and nothing is typed yet. */
static const char *const line_usual[] = {
    "PatientID",         "PatientName",       "StudyDate",        "ModalitiesInStudy",
    "StudyDescription",  "AccessionNumber",   "StudyInstanceUID", "Modality",
    "SeriesDescription", "SeriesInstanceUID", "SOPInstanceUID",   "PatientBirthDate",
};

static void line_offer(struct line *line, const char *text, const char *behind, const char *meaning)
{
    int r = line->status;

    if (strncmp(text, line->word, strlen(line->word)) != 0) return;
    if (r == 0) r = kit_buffer_append(line->out, line->before, line->before_length);
    if (r == 0)
        r = kit_buffer_printf(line->out, "%s%s\t%s\n", text, behind, meaning ? meaning : "");
    line->status = r;
}

/* The words of a list with commas, or with " | ", of which only what stands before a blank counts.
 */
static void line_offer_list(struct line *line, const char *list, const char *marks)
{
    while (*list) {
        size_t skip = strspn(list, marks), length;
        char word[64];

        list += skip;
        length = strcspn(list, marks);
        if (length > 0 && length < sizeof word) {
            memcpy(word, list, length);
            word[length] = '\0';
            line_offer(line, word, "", NULL);
        }
        list += length;
        if (*list == ' ') list += strcspn(list, "|");
    }
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void line_offer_plugin(void *ctx, const char *name)
{
    line_offer(ctx, name, "", "plugin");
}

/* A path as the user types it: the shell has not seen to the ~ yet. */
static char *line_path(const char *path)
{
    const char *home = getenv("HOME");
    struct kit_buffer text = {0};

    if (strncmp(path, "~/", 2) != 0 || !home) return strdup(path);
    if (kit_buffer_printf(&text, "%s%s", home, path + 1) < 0) return NULL;
    return kit_buffer_take(&text);
}

/* The setup of the line's own --config; an empty one when there is none. */
static struct trolley_setup *line_setup(struct line *line)
{
    const char *config = line->value_of[OPTION_CONFIG];
    char *path = config ? line_path(config) : NULL;

    if (!line->cli->setup && (!config || path) &&
        trolley_setup_open(path, &line->cli->setup, NULL) < 0)
        (void)trolley_setup_empty(&line->cli->setup, NULL);
    free(path);
    return line->cli->setup;
}

static void line_offer_sections(struct line *line, const char *kind)
{
    const struct trolley_setup *setup = line_setup(line);
    const char *theirs, *name;
    uint32_t i;

    for (i = 0; setup && trolley_setup_section(setup, i, &theirs, &name) == 0; i++)
        if (strcmp(theirs, kind) == 0)
            line_offer(line, name, "", trolley_setup_key(setup, kind, name, "type"));
}

/* The name of the trolley that would be used; NULL when that is not clear. */
static const char *line_trolley(const struct line *line, const struct trolley_setup *setup)
{
    const char *given = line->value_of[OPTION_TROLLEY], *kind, *name, *only = NULL;
    uint32_t i;

    if (!given) given = trolley_setup_setting(setup, "trolley");
    for (i = 0; !given && trolley_setup_section(setup, i, &kind, &name) == 0; i++) {
        if (strcmp(kind, "trolley") != 0) continue;
        if (only) return NULL;
        only = name;
    }
    return given ? given : only;
}

/* The query types of the trolley's searcher, which only its plugin knows. */
static void line_offer_query_types(struct line *line)
{
    struct trolley_setup *setup = line_setup(line);
    const char *trolley = setup ? line_trolley(line, setup) : NULL;
    const char *name = trolley ? trolley_setup_key(setup, "trolley", trolley, "searcher") : NULL;
    const char *type = name ? trolley_setup_key(setup, "searcher", name, "type") : NULL;
    const struct trolley_component *const *component;
    struct trolley_plugin_info info;
    uint32_t i;

    if (!type || trolley_plugin_get(setup, type, &info, NULL) < 0) return;
    for (component = info.plugin->components; component && *component; component++) {
        const struct trolley_span *types = (*component)->query_types;

        for (i = 0; types && i < types->count; i++) {
            const struct trolley_query_type *each = trolley_span_at(types, i);

            line_offer(line, each->name, "", each->summary);
        }
    }
}

static void line_offer_checks(struct line *line)
{
    const char *name, *about = "";
    uint32_t i;

    for (i = 0; (name = trolley_plugin_check_name(i, &about)); i++)
        line_offer(line, name, "", about);
}

static void line_offer_keywords(struct line *line, const char *behind)
{
    const char *keyword;
    uint32_t i;

    for (i = 0; !*line->word && i < sizeof line_usual / sizeof line_usual[0]; i++)
        line_offer(line, line_usual[i], behind, NULL);
    for (i = 0; *line->word && (keyword = trolley_keyword_at(i)); i++)
        line_offer(line, keyword, behind, NULL);
}

/* ---- what may stand where ------------------------------------------------------------------- */

/* A list named as the option is: names of sections, query types, checks. */
static void line_offer_named(struct line *line, const struct cli_option *option)
{
    if (option == option_entry(OPTION_QUERY_TYPE))
        line_offer_query_types(line);
    else if (option == option_entry(OPTION_ONLY))
        line_offer_checks(line);
    else
        line_offer_sections(line, option->name);
}

static void line_value(struct line *line, const struct cli_option *option)
{
    const char *comma = strrchr(line->word, ',');

    if (option->choices) {
        line_offer_list(line, option->choices, ",");
    } else if (strcmp(option->argument, "FILE") == 0) {
        line->directive = "file";
    } else if (strcmp(option->argument, "DIR") == 0) {
        line->directive = "directory";
    } else if (strcmp(option->argument, "KEYWORD,...") == 0) {
        /* Keywords before the last comma stay. */
        if (comma) {
            line->before_length += (size_t)(comma + 1 - line->word);
            line->word = comma + 1;
        }
        line->directive = "nospace";
        line_offer_keywords(line, "");
    } else if (strcmp(option->argument, "NAME") == 0) {
        line_offer_named(line, option);
    }
}

static bool line_takes(const struct line *line, enum option_id id)
{
    const struct cli_option *option = option_entry(id);
    const uint32_t bit = line->command ? line->command->bit : COMMAND_ANY;

    if (line->given[id] && !option->repeatable) return false;
    return option->commands == COMMAND_ANY || (line->command && (option->commands & bit));
}

static void line_offer_options(struct line *line)
{
    unsigned id;

    for (id = 0; id < OPTION_COUNT; id++) {
        const struct cli_option *option = option_entry((enum option_id)id);
        char name[72] = "--";

        if (!line_takes(line, (enum option_id)id)) continue;
        (void)strncat(name, option->name, sizeof name - 3);
        line_offer(line, name, "", option->help);
    }
}

static void line_offer_commands(struct line *line)
{
    const struct cli_command *command;

    for (command = line->cli->commands; command->name; command++)
        line_offer(line, command->name, "", command->summary);
}

/* The words of a command, by what its synopsis says of them. */
static void line_command_word(struct line *line)
{
    const char *synopsis = line->command->synopsis;
    const char *types = strstr(synopsis, "[TYPE ...]");

    if (strncmp(synopsis, "[KEY=VALUE", 10) == 0) {
        if (strchr(line->word, '=')) return;
        line->directive = "nospace";
        line_offer_keywords(line, "=");
    } else if (strcmp(synopsis, "FILE") == 0) {
        if (line->word_count == 0) line->directive = "file";
    } else if (strcmp(synopsis, "[NAME]") == 0) {
        if (line->word_count == 0 && line_setup(line))
            trolley_plugin_names(line->cli->setup, line_offer_plugin, line);
    } else if (strchr(synopsis, '|') && line->word_count == 0) {
        line_offer_list(line, synopsis, " |");
    } else if (types && line->first && strcmp(line->first, "example") == 0 && line_setup(line)) {
        trolley_plugin_names(line->cli->setup, line_offer_plugin, line);
    }
}

/* ---- reading the line ----------------------------------------------------------------------- */

/* The option that a word "--name" or "--name=value" means; OPTION_COUNT for none. */
static enum option_id line_option(const char *word)
{
    size_t length = strcspn(word + 2, "=");
    unsigned id;

    for (id = 0; id < OPTION_COUNT; id++) {
        const char *name = option_entry((enum option_id)id)->name;

        if (strlen(name) == length && memcmp(name, word + 2, length) == 0) break;
    }
    return (enum option_id)id;
}

static void line_read_option(struct line *line, const char *word)
{
    const char *equals = strchr(word, '=');
    enum option_id id = line_option(word);

    if (id == OPTION_COUNT) return;
    line->given[id]++;
    if (!option_entry(id)->argument) return;
    if (equals)
        line->value_of[id] = equals + 1;
    else
        line->pending = option_entry(id);
}

/* Takes a word that is complete. */
static void line_read(struct line *line, const char *word)
{
    const struct cli_command *command = line->cli->commands;
    unsigned id;

    if (line->pending) {
        for (id = 0; option_entry((enum option_id)id) != line->pending; id++)
            ;
        line->value_of[id] = word;
        line->pending = NULL;
    } else if (!line->words_only && strcmp(word, "--") == 0) {
        line->words_only = true;
    } else if (!line->words_only && strncmp(word, "--", 2) == 0) {
        line_read_option(line, word);
    } else if (!line->words_only && word[0] == '-') {
        return;
    } else if (!line->command) {
        while (command->name && strcmp(command->name, word) != 0)
            command++;
        /* What follows an unknown command is unknown, too. */
        line->words_only = !command->name;
        line->command = command->name ? command : NULL;
    } else if (line->word_count++ == 0) {
        line->first = word;
    }
}

static void line_complete(struct line *line)
{
    const char *equals = strchr(line->word, '=');
    enum option_id id;

    if (line->pending) {
        line_value(line, line->pending);
    } else if (!line->words_only && strncmp(line->word, "--", 2) == 0 && equals) {
        id = line_option(line->word);
        line->before_length = (size_t)(equals + 1 - line->word);
        line->word = equals + 1;
        if (id < OPTION_COUNT && option_entry(id)->argument) line_value(line, option_entry(id));
    } else if (!line->words_only && line->word[0] == '-') {
        line_offer_options(line);
    } else if (line->command) {
        line_command_word(line);
    } else if (!line->words_only) {
        line_offer_commands(line);
    }
}

int completion_answer(struct cli *cli, const char *const *words, size_t count,
                      struct kit_buffer *out)
{
    struct kit_buffer candidates = {0};
    struct line line = {.cli = cli, .word = "", .directive = "words", .out = &candidates};
    size_t i;
    int r;

    for (i = 0; i + 1 < count; i++)
        line_read(&line, words[i]);
    if (count) line.word = words[count - 1];
    line.before = line.word;
    line_complete(&line);
    r = line.status;
    if (r == 0) r = kit_buffer_printf(out, "%s\n", line.directive);
    if (r == 0) r = kit_buffer_append(out, candidates.data, candidates.length);
    kit_buffer_free(&candidates);
    return r;
}
