/*
 * check.h: the validator of plugins. Each check runs in a process of its own: what it finds, and
 * what it was about when it crashed or hung, stands in a page that it shares with its parent.
 * SPDX-License-Identifier: MIT
 */
#ifndef CORE_CHECK_CHECK_H
#define CORE_CHECK_CHECK_H

#include <stdbool.h>

#include "core/trolley.h"

/* The page shared with the parent. */
struct check_note {
    uint32_t outcome;   /* enum trolley_check_outcome; 0: the check has not come to its end */
    uint32_t kinds;     /* `descriptor` only: bits of enum trolley_kind that the plugin has */
    char doing[256];    /* what runs now */
    char message[1024]; /* what was found, or why the check was skipped */
};

/* One check as it runs. */
struct check {
    struct check_note *note;
    const char *path; /* absolute */
    const char *name; /* of the file, without .so */
    uint32_t kind;    /* component under examination; 0 for checks of the file */
    uint64_t seed;
    const char *root;                    /* an empty directory of its own, removed afterwards */
    const struct trolley_plugin *plugin; /* set by check_load */
    struct trolley_component component;  /* of `kind`, read with the host's sizes */
};

/* A row of the table of checks. */
struct check_row {
    const char *name, *about;
    const char *needs; /* the check that must have passed before; NULL for none */
    uint32_t kinds;    /* components it runs for, one process each; 0: once, for the file */
    void (*run)(struct check *check);
};
#define CHECK_KIND(kind) (UINT32_C(1) << (kind))

/* Row i of the table, NULL past its end. */
const struct check_row *check_row(uint32_t i);

/* What the check is about to do, for the case that it does not come back. */
__attribute__((format(printf, 2, 3))) void check_doing(struct check *check, const char *format,
                                                       ...);
/* The first finding counts. */
__attribute__((format(printf, 2, 3))) void check_fail(struct check *check, const char *format, ...);
__attribute__((format(printf, 2, 3))) void check_skip(struct check *check, const char *format, ...);
bool check_over(const struct check *check); /* failed or skipped */

/* Opens the plugin and calls its entry, without looking at the descriptor, and reads the component
 * of check->kind where that is set. False after a finding. */
bool check_load(struct check *check);

/* The checks, by the file they are in. */
void check_file(struct check *check);
void check_one_symbol(struct check *check);
void check_binds_now(struct check *check);
void check_entry_quick(struct check *check);
void check_entry_pure(struct check *check);
void check_descriptor(struct check *check);
void check_options(struct check *check);
void check_query_types(struct check *check);

void check_create_defaults(struct check *check);
void check_create_extremes(struct check *check);
void check_create_random(struct check *check);
void check_create_repeated(struct check *check);
void check_destroy_null(struct check *check);
void check_unknown_interface(struct check *check);
void check_bare_host(struct check *check);
void check_first_structs(struct check *check);

void check_clear_failure(struct check *check);
void check_cancelled_first(struct check *check);
void check_cancelled_waiting(struct check *check);
void check_failing_sink(struct check *check);
void check_items_ended(struct check *check);
void check_arguments_borrowed(struct check *check);
void check_wider_structs(struct check *check);

void check_storage_round_trip(struct check *check);
void check_storage_conflicts(struct check *check);

#endif
