/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kit/text.h>
#include <kit/uid.h>

#include "core/model/date.h"
#include "core/model/error.h"
#include "core/model/query_builder.h"

static bool query_vr_is(const struct trolley_query_key *key, const char *vrs)
{
    const char *at;

    for (at = vrs; *at; at += 2)
        if (strncmp(key->vr, at, 2) == 0) return true;
    return false;
}

/* Texts that are one value whatever stands in them [PS3.5 6.2]; parameters are, too. */
static bool query_one_value(const struct trolley_query_key *key)
{
    return key->tag == 0 || query_vr_is(key, "LTSTUTUR");
}

/* Messages name the key and never the value, which may tell about a patient. */
static int query_check_text(const struct trolley_query_key *key, const char *text,
                            struct trolley_error *error)
{
    const char *label = query_key_label(key), *at;
    size_t length = strnlen(text, QUERY_MAX_VALUE + 1);

    if (length > QUERY_MAX_VALUE)
        return error_set(error, TROLLEY_ERR_TOO_LARGE, "%s: the value is longer than %zu KiB",
                         label, QUERY_MAX_VALUE >> 10);
    if (!kit_text_utf8_valid(text, length))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: the value is not UTF-8", label);
    for (at = text; *at; at++)
        if (((unsigned char)*at < 0x20 && !query_vr_is(key, "LTSTUT")) || *at == 0x7f)
            return error_set(error, TROLLEY_ERR_INVALID_ARG,
                             "%s: the value has a control character", label);
    if (*text && query_vr_is(key, "SQ"))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s is a sequence: name an attribute in it (%s.KEYWORD)", label, label);
    return 0;
}

/* The room for `count` values and `bytes` of their texts, NULs included. */
static char **query_value_block(size_t count, size_t bytes, char **ret_text)
{
    char **values = calloc(1, count * sizeof *values + bytes);

    if (values) *ret_text = (char *)(values + count);
    return values;
}

static void query_value_hang(struct trolley_query_key *key, char **values, size_t count)
{
    free((void *)key->values.items);
    key->values = (struct trolley_span){values, (uint32_t)count, sizeof *values};
}

int query_value_single(struct trolley_query_key *key, const char *text)
{
    size_t size = strlen(text) + 1;
    char *room, **values = query_value_block(1, size, &room);

    if (!values) return TROLLEY_ERR_NOMEM;
    values[0] = room;
    memcpy(room, text, size);
    query_value_hang(key, values, 1);
    return 0;
}

int query_value_date(const char *name, const char *text, char out[9], struct trolley_error *error)
{
    char from[9], to[9];
    int r = date_parse_range(text, time(NULL), from, to, error);

    if (r < 0) {
        error_prefix(error, "%s", name);
        return r;
    }
    if (strcmp(from, to) != 0)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: one date is wanted, not a range",
                         name);
    memcpy(out, to, sizeof to);
    return 0;
}

/* A date or range as DICOM writes it: "A", "A-B", "A-", "-B" [PS3.4 C.2.2.2.5]. `room` has space
 * for 18 bytes. */
static int query_value_dates(const struct trolley_query_key *key, const char *text, char *room,
                             struct trolley_error *error)
{
    char from[9], to[9];
    int r;

    if (strpbrk(text, "*?"))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s: dates have no wildcards; give a range (A-B)", query_key_label(key));
    r = date_parse_range(text, time(NULL), from, to, error);
    if (r < 0)
        error_prefix(error, "%s", query_key_label(key));
    else if (strcmp(from, to) == 0)
        (void)snprintf(room, 18, "%s", from);
    else
        (void)snprintf(room, 18, "%s-%s", from, to);
    return r;
}

/* Copies one value into room and moves room past it. */
static int query_value_take(const struct trolley_query_key *key, const char *text, size_t length,
                            char **room, struct trolley_error *error)
{
    char *value = *room, date[18];

    memcpy(value, text, length);
    value[length] = '\0';
    if (query_vr_is(key, "UI") && length > 0 && !kit_uid_valid(value))
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s: not a UID (digits and dots, at most %d characters, no wildcards)",
                         query_key_label(key), KIT_UID_MAX);
    if (query_vr_is(key, "DA") && length > 0) {
        int r = query_value_dates(key, value, date, error);

        if (r < 0) return r;
        length = strlen(date);
        memcpy(value, date, length + 1);
    }
    *room += length + 1;
    return 0;
}

/* Blanks around the values of a list are nobody's. */
static void query_value_trim(const char **text, size_t *length)
{
    while (*length > 0 && **text == ' ') {
        *text += 1;
        *length -= 1;
    }
    while (*length > 0 && (*text)[*length - 1] == ' ')
        *length -= 1;
}

static size_t query_value_count(const char *text, const char *separators)
{
    size_t count = 1;

    for (; *text; text++)
        count += strchr(separators, *text) != NULL;
    return count;
}

int query_value_parse(struct trolley_query_key *key, const char *text, struct trolley_error *error)
{
    const bool lists = query_vr_is(key, "UICS");
    const char *separators = query_one_value(key) ? "" : lists ? "\\," : "\\";
    size_t count, i;
    char **values, *room;
    int r = query_check_text(key, text, error);

    if (r < 0) return r;
    count = query_value_count(text, separators);
    /* A date that is typed as a word or a range may come out longer: 17 characters and NUL. */
    values = query_value_block(count, strlen(text) + 18 * count + 1, &room);
    if (!values) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    for (i = 0; r == 0 && i < count; i++) {
        size_t whole = strcspn(text, separators), length = whole;
        const char *part = text;

        if (lists || query_vr_is(key, "DA")) query_value_trim(&part, &length);
        if (length == 0 && count > 1)
            r = error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: an empty value among several",
                          query_key_label(key));
        values[i] = room;
        if (r == 0) r = query_value_take(key, part, length, &room, error);
        text += whole + 1;
    }
    if (r == 0)
        query_value_hang(key, values, count);
    else
        free(values);
    return r;
}
