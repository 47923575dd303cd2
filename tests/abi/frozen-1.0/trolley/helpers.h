/*
 * trolley/helpers.h: small inline helpers for plugins. Nothing here crosses the border.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_HELPERS_H
#define TROLLEY_HELPERS_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "query.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A span over a C array, as an initialiser:
 *     static const struct trolley_span options = TROLLEY_SPAN(table); */
#define TROLLEY_SPAN(array)                                                                   \
    {                                                                                         \
        (array), (uint32_t)(sizeof(array) / sizeof((array)[0])), (uint32_t)sizeof((array)[0]) \
    }

/* Item i of a span; NULL past its end. The caller casts to the item's type. */
static inline const void *trolley_span_at(const struct trolley_span *span, uint32_t i)
{
    if (!span || i >= span->count) return NULL;
    return (const char *)span->items + (size_t)i * span->stride;
}

/* Text i of a span of const char *; NULL past its end. */
static inline const char *trolley_span_text(const struct trolley_span *span, uint32_t i)
{
    const char *const *item = (const char *const *)trolley_span_at(span, i);
    return item ? *item : NULL;
}

/*
 * Reads an open struct: copies min(its size, own_size) bytes to `own` and zeroes the rest. Returns
 * 0, or TROLLEY_ERR_INVALID_ARG when `theirs` is NULL or smaller than `least`, the struct's size in
 * contract 1.0.
 */
static inline int32_t trolley_read_open(void *own, size_t own_size, const void *theirs,
                                        size_t least)
{
    uint32_t size;
    if (!theirs) return TROLLEY_ERR_INVALID_ARG;
    memcpy(&size, theirs, sizeof size);
    if (size < least) return TROLLEY_ERR_INVALID_ARG;
    memset(own, 0, own_size);
    memcpy(own, theirs, size < own_size ? size : own_size);
    return TROLLEY_OK;
}

/* The query's key of that name; NULL when it is not set. */
static inline const struct trolley_query_key *
trolley_query_find_key(const struct trolley_query *query, const char *name)
{
    uint32_t i;
    for (i = 0; i < query->keys.count; i++) {
        const struct trolley_query_key *key =
            (const struct trolley_query_key *)trolley_span_at(&query->keys, i);
        if (strcmp(key->name, name) == 0) return key;
    }
    return NULL;
}

/* The first value of the query's key of that name; NULL when it is not set. */
static inline const char *trolley_query_text(const struct trolley_query *query, const char *name)
{
    const struct trolley_query_key *key = trolley_query_find_key(query, name);
    return key ? trolley_span_text(&key->values, 0) : NULL;
}

/* Which failures asking again may cure, when the protocol itself says nothing. */
static inline uint32_t trolley_status_flags(int32_t status)
{
    switch (status) {
    case TROLLEY_ERR_NETWORK:
    case TROLLEY_ERR_TIMEOUT:
    case TROLLEY_ERR_TRUNCATED:
    case TROLLEY_ERR_REMOTE:
    case TROLLEY_ERR_UNAVAILABLE:
        return TROLLEY_FAILURE_TRANSIENT;
    case TROLLEY_ERR_NO_SPACE:
    case TROLLEY_ERR_AUTH:
        return TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL;
    default:
        return TROLLEY_FAILURE_PERMANENT;
    }
}

/*
 * Says why an operation fails, printf-like, and returns `status`:
 *     return trolley_fail(task, TROLLEY_ERR_IO, "%s: %s", path, strerror(errno));
 * The message ends after 1023 bytes. A NULL task is allowed.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline int32_t
trolley_fail(struct trolley_task *task, int32_t status, const char *format, ...)
{
    char message[1024];
    struct trolley_failure failure;
    va_list args;

    if (!task || !task->fail) return status;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memset(&failure, 0, sizeof failure);
    failure.size = (uint32_t)sizeof failure;
    failure.status = status;
    failure.flags = trolley_status_flags(status);
    failure.message = message;
    task->fail(task, &failure);
    return status;
}

/* A remark for report and verdict, printf-like; as task->note, with at most 1023 bytes. A NULL task
 * is allowed. */
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
static inline void
trolley_note(struct trolley_task *task, uint32_t severity, int32_t code,
             const struct trolley_ref *ref, const char *format, ...)
{
    char message[1024];
    va_list args;

    if (!task || !task->note) return;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    task->note(task, severity, code, ref, message);
}

#ifdef __cplusplus
}
#endif
#endif
