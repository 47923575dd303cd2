/* SPDX-License-Identifier: MIT */
#include "core/plugin/loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ltdl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/trust.h"

static pthread_mutex_t load_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void loader_lock(void)
{
    pthread_mutex_lock(&load_mutex);
}

void loader_unlock(void)
{
    pthread_mutex_unlock(&load_mutex);
}

/* Are all segments there? A file cut short would end the process with SIGBUS within dlopen. Files
 * for other machines are left to dlopen, which refuses them. */
static bool loader_is_whole(int fd, const Elf64_Ehdr *head, uint64_t size)
{
    Elf64_Phdr segment;
    unsigned i;

    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_phentsize != sizeof segment) return true;
    for (i = 0; i < head->e_phnum; i++) {
        const uint64_t at = head->e_phoff + i * sizeof segment;

        if (at > size || pread(fd, &segment, sizeof segment, (off_t)at) != sizeof segment)
            return false;
        if (segment.p_type == PT_LOAD &&
            (segment.p_filesz > size || segment.p_offset > size - segment.p_filesz))
            return false;
    }
    return true;
}

/* Looks at the file before the dynamic linker does, whose words for these cases are poor. */
static int loader_check_file(const char *path, struct trolley_error *error)
{
    Elf64_Ehdr head;
    struct stat st;
    ssize_t length;
    bool is_object, is_whole;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) return error_set(error, TROLLEY_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: not a regular file", path);
    }
    length = read(fd, &head, sizeof head);
    is_object = length == (ssize_t)sizeof head && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
                head.e_type == ET_DYN;
    is_whole = is_object && loader_is_whole(fd, &head, (uint64_t)st.st_size);
    close(fd);
    if (!is_object)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: not a shared object (link it with -shared, or remove it)", path);
    if (!is_whole)
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s: the file is cut short (build or install it again)", path);
    return 0;
}

/* Every symbol must resolve now: libltdl binds lazily, and a missing function would end the process
 * at its first call. Its errors say "file not found" for everything, too; the dynamic linker's own
 * words are better. The handle is kept: nothing is ever unloaded. */
static int loader_bind(const char *path, struct trolley_error *error)
{
    const char *why;

    if (dlopen(path, RTLD_NOW | RTLD_LOCAL)) return 0;
    why = dlerror();
    if (!why) why = "no reason given";
    if (strstr(why, "undefined symbol"))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s (link the plugin with the library that has it; -Wl,-z,defs finds this "
                         "when linking)",
                         why);
    if (strstr(why, "wrong ELF class") || strstr(why, "ELF header") ||
        strstr(why, "file too short"))
        return error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                         "%s (built for another machine, or damaged: build it for this one)", why);
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s", why);
}

static int loader_open(const char *path, lt_dlhandle *ret_handle, struct trolley_error *error)
{
    lt_dladvise advise;
    lt_dlhandle handle;
    int bad;

    if (lt_dlinit() != 0)
        return error_set(error, TROLLEY_ERR_INTERNAL, "libltdl: %s", lt_dlerror());
    if (lt_dladvise_init(&advise) != 0)
        return error_set(error, TROLLEY_ERR_NOMEM, "libltdl: %s", lt_dlerror());
    bad = lt_dladvise_local(&advise) || lt_dladvise_resident(&advise);
    handle = bad ? NULL : lt_dlopenadvise(path, advise);
    lt_dladvise_destroy(&advise);
    if (!handle)
        return error_set(error, TROLLEY_ERR_INTERNAL, "%s: libltdl refuses it: %s", path,
                         lt_dlerror());
    *ret_handle = handle;
    return 0;
}

int loader_symbol(const char *path, const char *symbol, void **ret_symbol,
                  struct trolley_error *error)
{
    lt_dlhandle handle = NULL;
    int r;

    loader_lock();
    r = trust_path(path, error);
    if (r == 0) r = loader_check_file(path, error);
    if (r == 0) r = loader_bind(path, error);
    if (r == 0) r = loader_open(path, &handle, error);
    if (r == 0) {
        void *found = lt_dlsym(handle, symbol);

        if (found)
            *ret_symbol = found;
        else
            r = error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                          "%s: no symbol %s (not a plugin of this major version, or the symbol is "
                          "not exported)",
                          path, symbol);
    }
    loader_unlock();
    return r;
}

int loader_plugin(const char *path, const char *name, const struct trolley_plugin **ret_plugin,
                  struct trolley_error *error)
{
    const struct trolley_plugin *plugin;
    void *symbol;
    int r;

    r = loader_symbol(path, "trolley_plugin_v1", &symbol, error);
    if (r < 0) return r;
    plugin = ((const struct trolley_plugin *(*)(void))symbol)();
    r = descriptor_check(path, name, plugin, error);
    if (r < 0) return r;
    *ret_plugin = plugin;
    return 0;
}
