/* elf.h: which symbols a shared object exports. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_ELF_H
#define CORE_CHECK_ELF_H

#include <stdbool.h>
#include <stdint.h>

/* Calls each(ctx, name) for every symbol that the dynamic symbol table of `path` offers to others,
 * those that linkers put into every object left out. -1 when it is no shared object of this machine
 * or damaged. */
int elf_exports(const char *path, void (*each)(void *ctx, const char *name), void *ctx);

#endif
