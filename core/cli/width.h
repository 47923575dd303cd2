/*
 * width.h: how many columns text takes on a terminal, whatever the locale says.
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_WIDTH_H
#define CLI_WIDTH_H

#include <stddef.h>
#include <stdint.h>

struct width_range {
    uint32_t first, last;
};
extern const struct width_range width_zero[], width_wide[];
extern const size_t width_zero_count, width_wide_count;

/* Columns of one character: 0 (combining, format), 1, or 2 (wide). */
unsigned width_of(uint32_t code);

/* The length in bytes of the character at `text` (not empty), and its columns. What is no UTF-8 is
 * one byte and one column. */
size_t width_character(const char *text, size_t *ret_columns);

/* Columns that `text` takes: wide characters two, combining ones none. */
size_t width_text(const char *text);

#endif
