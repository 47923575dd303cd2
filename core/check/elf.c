/* elf.c: which symbols a shared object exports. SPDX-License-Identifier: MIT */
#include "core/check/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mapped file. */
struct elf {
    const unsigned char *data;
    size_t size;
};

/* `count` things of `each` bytes at `offset`; NULL when they do not lie within the file. */
static const void *elf_at(const struct elf *elf, uint64_t offset, uint64_t count, size_t each)
{
    if (offset > elf->size || count > (elf->size - offset) / each) return NULL;
    return elf->data + offset;
}

/* What linkers of old export in every object. */
static bool elf_of_linker(const char *name)
{
    static const char *const names[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool elf_exported(const ElfW(Sym) * symbol)
{
    const unsigned bind = ELF64_ST_BIND(symbol->st_info);
    const unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);

    return symbol->st_shndx != SHN_UNDEF && bind != STB_LOCAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

static int elf_table(const struct elf *elf, const ElfW(Shdr) * table, const ElfW(Shdr) * texts,
                     void (*each)(void *ctx, const char *name), void *ctx)
{
    const uint64_t count = table->sh_size / sizeof(ElfW(Sym));
    const ElfW(Sym) *symbols = elf_at(elf, table->sh_offset, count, sizeof *symbols);
    const char *names = elf_at(elf, texts->sh_offset, texts->sh_size, 1);
    uint64_t i;

    if (!symbols || !names || !texts->sh_size || names[texts->sh_size - 1]) return -1;
    for (i = 0; i < count; i++) {
        if (!elf_exported(&symbols[i])) continue;
        if (symbols[i].st_name >= texts->sh_size) return -1;
        if (!elf_of_linker(names + symbols[i].st_name)) each(ctx, names + symbols[i].st_name);
    }
    return 0;
}

static int elf_read(const struct elf *elf, void (*each)(void *ctx, const char *name), void *ctx)
{
    const ElfW(Ehdr) *head = elf_at(elf, 0, 1, sizeof *head);
    const ElfW(Shdr) * sections;
    uint16_t i;

    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return -1;
    sections = elf_at(elf, head->e_shoff, head->e_shnum, sizeof *sections);
    if (!sections || head->e_shentsize != sizeof *sections) return -1;
    for (i = 0; i < head->e_shnum; i++) {
        if (sections[i].sh_type != SHT_DYNSYM) continue;
        if (sections[i].sh_link >= head->e_shnum) return -1;
        return elf_table(elf, &sections[i], &sections[sections[i].sh_link], each, ctx);
    }
    return -1;
}

int elf_exports(const char *path, void (*each)(void *ctx, const char *name), void *ctx)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct elf elf;
    struct stat st;
    void *data;
    int r;

    if (fd < 0) return -1;
    if (fstat(fd, &st) < 0 || st.st_size <= 0) {
        close(fd);
        return -1;
    }
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED) return -1;
    elf = (struct elf){data, (size_t)st.st_size};
    r = elf_read(&elf, each, ctx);
    (void)munmap(data, elf.size);
    return r;
}
