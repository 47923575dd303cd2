/* config_fixture.h: a folder for one test program, INI files in it, and the last warning.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
/* Before cmocka, whose macro `fail` would be seen in it. */
#include <trolley/helpers.h>

#include <cmocka.h>

#include "core/config/config.h"

/* Group setup and teardown. */
int fixture_open(void **state);
int fixture_close(void **state);

const char *fixture_directory(void);

/* Writes folder/name with that mode; returns its path, valid until the next call. */
const char *fixture_write(const char *name, const void *data, size_t length, mode_t mode);

/* As above, "test.ini" with 0600 from text, read; must succeed. */
struct config_file *fixture_read(const char *text);

/* As above, must fail; returns the message behind the path ("3: ..."), valid until the next call.
 */
const char *fixture_refuse(const char *text);

/* The first section of `text` resolved against `tables`; must succeed. The file is kept until
 * fixture_drop. */
struct section *fixture_resolve(const char *text, const struct trolley_span *const *tables);

/* As above, must fail; returns the message behind the path. */
const char *fixture_resolve_refuse(const char *text, const struct trolley_span *const *tables);
void fixture_drop(struct section *section);

/* Warnings logged since the last call, joined by newlines. */
const char *fixture_warnings(void);

#endif
