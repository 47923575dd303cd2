/* replay.c: feeds every file of a corpus to a fuzzer's entry, without libFuzzer. Takes folders or
 * files; without arguments those of CORPUS. SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Of just the file's size, so that reading past the end is seen. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *room = malloc(INPUT_MAX), *data;
    size_t length;

    if (!file || !room) {
        perror(path);
        exit(1);
    }
    length = fread(room, 1, INPUT_MAX, file);
    (void)fclose(file);
    data = realloc(room, length ? length : 1);
    if (!data) exit(1);
    (void)LLVMFuzzerTestOneInput(data, length);
    free(data);
    return 1;
}

static int replay(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (!folder) return replay_file(path);
    while ((entry = readdir(folder))) {
        char name[4096];

        if (entry->d_name[0] == '.') continue;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += replay_file(name);
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int i, count = argc > 1 ? 0 : replay(CORPUS);

    for (i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
