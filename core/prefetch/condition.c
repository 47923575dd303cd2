/* condition.c: which objects a rule is about. SPDX-License-Identifier: MIT */
#include "core/prefetch/condition.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <kit/dicom_json.h>
#include <kit/json_stream.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/error.h"

#define CONDITION_MOST 64        /* expressions of one rule */
#define CONDITION_TEXT_MAX 4096  /* bytes of one expression */
#define CONDITION_DEPTH 8        /* attributes of a path */
#define CONDITION_POSITION 65535 /* most n of [n] */
/* What one match may cost: some milliseconds, and 4 MiB. */
#define CONDITION_MATCH_LIMIT 200000
#define CONDITION_DEPTH_LIMIT 10000
#define CONDITION_HEAP_LIMIT 4096 /* KiB */

struct condition_expression {
    char *text; /* as written, for messages */
    uint32_t tags[CONDITION_DEPTH], depth;
    uint32_t position; /* from 1; 0 any value */
    bool negated;
    pcre2_code *pattern; /* NULL: about presence */
};

struct prefetch_condition {
    pcre2_match_context *limits;
    uint32_t count;
    struct condition_expression expressions[];
};

void prefetch_condition_free(struct prefetch_condition *condition)
{
    uint32_t i;

    if (!condition) return;
    for (i = 0; i < condition->count; i++) {
        free(condition->expressions[i].text);
        pcre2_code_free(condition->expressions[i].pattern);
    }
    pcre2_match_context_free(condition->limits);
    free(condition);
}

/* What dcm4chee knows of a received object, and nobody knows of one that a query found. */
static bool condition_is_of_receiver(const char *name)
{
    static const char *const names[] = {"SendingApplicationEntityTitle", "SendingHostname",
                                        "ReceivingApplicationEntityTitle", "ReceivingHostname"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* Reads `attribute.attribute` in place. */
static int condition_path(char *path, struct condition_expression *expression,
                          struct trolley_error *error)
{
    char *dot;
    int r;

    if (condition_is_of_receiver(path))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s: trolley finds objects by queries and does not learn who sent them; "
                         "drop this condition, or watch with a query that tells them apart",
                         path);
    for (; path; path = dot) {
        dot = strchr(path, '.');
        if (dot) *dot++ = '\0';
        if (expression->depth == CONDITION_DEPTH)
            return error_set(error, TROLLEY_ERR_INVALID_ARG, "a path of more than %d attributes",
                             CONDITION_DEPTH);
        r = trolley_parse_attribute(path, &expression->tags[expression->depth], error);
        if (r < 0) return r;
        expression->depth++;
    }
    return 0;
}

/* Cuts `[n]` off the end of a name. */
static int condition_position(char *name, struct condition_expression *expression,
                              struct trolley_error *error)
{
    char *open = strchr(name, '['), *end;
    unsigned long position;

    if (!open) return 0;
    position = open[1] >= '0' && open[1] <= '9' ? strtoul(open + 1, &end, 10) : 0;
    if (position < 1 || position > CONDITION_POSITION || end[0] != ']' || end[1])
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "`%s`: the position of a value is written [n], from 1 to %d", open,
                         CONDITION_POSITION);
    *open = '\0';
    expression->position = (uint32_t)position;
    return 0;
}

/* Is it a code `(value, scheme, "meaning")` or a predicate of dcm4chee's, which no regular
 * expression means? */
static bool condition_is_special(const char *value)
{
    const char *quote = strchr(value, '"');

    if (strncmp(value, "\xc2\xa7", 2) == 0) return true;
    return *value == '(' && quote && strchr(value, ',') && strchr(value, ',') < quote &&
           strstr(quote + 1, "\")");
}

static int condition_pattern(const char *value, struct condition_expression *expression,
                             struct trolley_error *error)
{
    const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ANCHORED |
                             PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_UCHAR why[160];
    PCRE2_SIZE offset;
    int code;

    if (!*value) return 0;
    if (condition_is_special(value))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "`%s`: codes and predicates are not taken, write a regular expression for "
                         "one attribute (ProcedureCodeSequence.CodeValue=...)",
                         value);
    expression->pattern =
        pcre2_compile((PCRE2_SPTR)value, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
    if (expression->pattern) return 0;
    if (pcre2_get_error_message(code, why, sizeof why) < 0) *why = '\0';
    return error_set(error, TROLLEY_ERR_INVALID_ARG,
                     "`%s` is no regular expression: %s, at byte %zu", value, (const char *)why,
                     (size_t)offset);
}

/* Reads `name=value`, which `copy` holds. */
static int condition_read(char *copy, struct condition_expression *expression,
                          struct trolley_error *error)
{
    char *equals = strchr(copy, '=');
    int r;

    if (!equals || equals == copy)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "a condition is written ATTRIBUTE=EXPRESSION, or ATTRIBUTE!=EXPRESSION");
    *equals = '\0';
    if (equals[-1] == '!') {
        equals[-1] = '\0';
        expression->negated = true;
    }
    r = condition_position(copy, expression, error);
    if (r == 0) r = condition_path(copy, expression, error);
    if (r == 0) r = condition_pattern(equals + 1, expression, error);
    return r;
}

static int condition_add(const char *text, struct condition_expression *expression,
                         struct trolley_error *error)
{
    char *copy;
    int r;

    if (strlen(text) > CONDITION_TEXT_MAX)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "a condition is longer than %d bytes",
                         CONDITION_TEXT_MAX);
    expression->text = strdup(text);
    copy = strdup(text);
    if (!expression->text || !copy)
        r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    else
        r = condition_read(copy, expression, error);
    free(copy);
    if (r == TROLLEY_ERR_INVALID_ARG) error_prefix(error, "condition `%s`", text);
    return r;
}

int prefetch_condition_parse(const char *const *texts, uint32_t count,
                             struct prefetch_condition **ret_condition, struct trolley_error *error)
{
    struct prefetch_condition *condition;
    uint32_t i;
    int r = 0;

    if (count == 0) {
        *ret_condition = NULL;
        return 0;
    }
    if (count > CONDITION_MOST)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "more than %d conditions", CONDITION_MOST);
    condition = calloc(1, sizeof *condition + count * sizeof condition->expressions[0]);
    if (condition) condition->limits = pcre2_match_context_create(NULL);
    if (!condition || !condition->limits) {
        prefetch_condition_free(condition);
        return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    }
    (void)pcre2_set_match_limit(condition->limits, CONDITION_MATCH_LIMIT);
    (void)pcre2_set_depth_limit(condition->limits, CONDITION_DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(condition->limits, CONDITION_HEAP_LIMIT);
    condition->count = count;
    for (i = 0; r == 0 && i < count; i++)
        r = condition_add(texts[i], &condition->expressions[i], error);
    if (r < 0) {
        prefetch_condition_free(condition);
        return r;
    }
    *ret_condition = condition;
    return 0;
}

/* One expression under examination. */
struct condition_trial {
    const struct condition_expression *expression;
    pcre2_match_context *limits;
    pcre2_match_data *match;
    bool hit; /* a value matched; without a pattern: there is one */
};

/* What became of the text of a sequence: its items are at depth `depth`. */
struct condition_items {
    struct condition_trial *trial;
    uint32_t depth;
};

static int condition_value(struct condition_trial *trial, const char *value)
{
    const pcre2_code *pattern = trial->expression->pattern;
    int r;

    if (!pattern) {
        trial->hit |= value && *value;
        return 0;
    }
    if (!value) return 0;
    r = pcre2_match(pattern, (PCRE2_SPTR)value, strlen(value), 0, 0, trial->match, trial->limits);
    if (r >= 0) trial->hit = true;
    if (r >= 0 || r == PCRE2_ERROR_NOMATCH) return 0;
    return r == PCRE2_ERROR_NOMEMORY ? TROLLEY_ERR_NOMEM : TROLLEY_ERR_TOO_LARGE;
}

static int condition_element(struct condition_trial *trial, uint32_t depth,
                             const struct trolley_element *element);

static int condition_item(void *ctx, const char *text, size_t length)
{
    const struct condition_items *items = ctx;
    const struct condition_trial *trial = items->trial;
    struct kit_dicom_json *item = NULL;
    const struct trolley_element *element;
    const char *problem;
    int r;

    if (trial->hit) return 0;
    r = kit_dicom_json_parse(text, length, trolley_vr, &item, &problem);
    if (r < 0) return r;
    element = kit_dicom_json_find(item, trial->expression->tags[items->depth]);
    if (element) r = condition_element(items->trial, items->depth, element);
    kit_dicom_json_free(item);
    return r;
}

/* Looks into the items of a sequence. A text that cannot be read has none. */
static int condition_sequence(struct condition_trial *trial, uint32_t depth, const char *text)
{
    struct condition_items items = {trial, depth};
    struct kit_json_stream *stream;
    int r = kit_json_stream_new(condition_item, &items, &stream);

    if (r < 0) return r;
    r = kit_json_stream_push(stream, text, strlen(text));
    kit_json_stream_free(stream);
    return r == TROLLEY_ERR_PROTOCOL ? 0 : r;
}

/* `element` is what the path has at `depth`. */
static int condition_element(struct condition_trial *trial, uint32_t depth,
                             const struct trolley_element *element)
{
    const uint32_t position = trial->expression->position;
    const char *first = trolley_span_text(&element->values, 0);
    uint32_t i;
    int r = 0;

    if (depth + 1 < trial->expression->depth) {
        if (!(element->flags & TROLLEY_ELEMENT_JSON) || !first) return 0;
        return condition_sequence(trial, depth + 1, first);
    }
    if (position) return condition_value(trial, trolley_span_text(&element->values, position - 1));
    for (i = 0; r == 0 && !trial->hit && i < element->values.count; i++)
        r = condition_value(trial, trolley_span_text(&element->values, i));
    return r;
}

/* The attribute at the node or the nearest of its parents. */
static const struct trolley_element *condition_look_up(const struct trolley_node *node,
                                                       uint32_t tag)
{
    const struct trolley_element *element;
    uint32_t i;

    for (; node; node = trolley_node_parent(node))
        for (i = 0; (element = trolley_node_element(node, i)) && element->tag <= tag; i++)
            if (element->tag == tag) return element;
    return NULL;
}

static int condition_try(const struct prefetch_condition *condition,
                         const struct condition_expression *expression,
                         const struct trolley_node *node, struct trolley_error *error)
{
    struct condition_trial trial = {.expression = expression, .limits = condition->limits};
    const struct trolley_element *element = condition_look_up(node, expression->tags[0]);
    int r = 0;

    if (element && expression->pattern) {
        trial.match = pcre2_match_data_create(1, NULL);
        if (!trial.match) r = TROLLEY_ERR_NOMEM;
    }
    if (element && r == 0) r = condition_element(&trial, 0, element);
    pcre2_match_data_free(trial.match);
    if (r == TROLLEY_ERR_TOO_LARGE)
        return error_set(error, r, "condition `%s`: matching it takes too long, or too much memory",
                         expression->text);
    if (r < 0)
        return error_set(error, r, "condition `%s`: %s", expression->text, trolley_status_name(r));
    return trial.hit == (expression->pattern ? !expression->negated : expression->negated);
}

int prefetch_condition_holds(const struct prefetch_condition *condition,
                             const struct trolley_node *node, struct trolley_error *error)
{
    uint32_t i;
    int r = 1;

    for (i = 0; r == 1 && condition && i < condition->count; i++)
        r = condition_try(condition, &condition->expressions[i], node, error);
    return r;
}

uint32_t prefetch_condition_tags(const struct prefetch_condition *condition, uint32_t *tags,
                                 uint32_t room)
{
    uint32_t i;

    if (!condition) return 0;
    for (i = 0; i < condition->count && i < room; i++)
        tags[i] = condition->expressions[i].tags[0];
    return condition->count;
}
