/* Ten thousand damaged copies of a sample file: each is read or refused with file and line.
 * SPDX-License-Identifier: MIT */
#include "tests/unit/config_fixture.h"

#include <kit/buffer.h>
#include <stdio.h>
#include <string.h>
#include <trolley/helpers.h>

#define ROUNDS 10000
#define TEXT_MAX 4096

static const char sample[] = "\xef\xbb\xbf; a sample\r\n"
                             "[settings]\n"
                             "trolley = hospital\n"
                             "plugin_path = /opt/a:/opt/b\n"
                             "[session pacs] ; comment\n"
                             "auth = basic\n"
                             "user = \"reader ; \\\" \\\\\"\n"
                             "password_command = secret-tool lookup 'service name' \"pacs\"\n"
                             "header = X-Key: a;b\n"
                             "connect_timeout = PT1M0.5S\n"
                             "max_document = 256MiB\n"
                             "[searcher S\xc3\xa4nger]\n"
                             "type = qido-rs\n"
                             "max-retries = 4\n"
                             "[downloader a]\n"
                             "type = wado-rs\n"
                             "max_instance = 2GiB\n"
                             "[downloader b]\n"
                             "type = c-get\n"
                             "[storage archive]\n"
                             "type = tree\n"
                             "file_mode = 0640\n"
                             "durability = batch\n"
                             "[trolley hospital]\n"
                             "searcher = S\xc3\xa4nger\n"
                             "downloader = a, b\n"
                             "storage = archive\n";

static uint32_t random_state = 2463534242;

static uint32_t random_below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return bound ? random_state % (uint32_t)bound : 0;
}

/* Changes, inserts, removes or repeats bytes somewhere. */
static size_t mutate(char *text, size_t length)
{
    static const char bytes[] = "\n\n[]=;#\"\\:, \t\r\001\xff'0aZ._-";
    const size_t at = random_below(length + 1);
    size_t count = 1 + random_below(random_below(8) ? 4 : 300);

    switch (random_below(4)) {
    case 0:
        if (at < length) text[at] = bytes[random_below(sizeof bytes)];
        return length;
    case 1:
        if (length == TEXT_MAX) return length;
        memmove(text + at + 1, text + at, length - at);
        text[at] = bytes[random_below(sizeof bytes)];
        return length + 1;
    case 2:
        if (count > length - at) count = length - at;
        memmove(text + at, text + at + count, length - at - count);
        return length - count;
    default:
        if (count > at) count = at;
        if (count > TEXT_MAX - length) count = TEXT_MAX - length;
        memmove(text + at + count, text + at, length - at);
        memcpy(text + at, text + at - count, count);
        return length + count;
    }
}

/* A refusal has a status and begins with the path (and, for what the file says, its line). */
static void check_refusal(int r, const struct trolley_error *error, const char *path)
{
    const size_t length = strlen(path);
    int line = 0;

    assert_true(r < 0);
    assert_int_equal(error->status, r);
    assert_memory_equal(error->message, path, length);
    if (r == TROLLEY_ERR_INVALID_CONFIG) {
        assert_int_equal(sscanf(error->message + length, ":%d: ", &line), 1);
        assert_true(line > 0);
    }
}

/* Resolves and shows all sections; returns how many were right. */
static size_t resolve_all(const struct config_file *file)
{
    const struct config_section *section;
    size_t right = 0;

    for (section = config_file_first(file); section; section = section->next) {
        const struct trolley_span *tables[] = {config_host_options(section->kind), NULL};
        struct section *resolved = NULL;
        struct trolley_error error = {0};
        struct kit_buffer text = {0};
        int r = section_resolve(file, section, tables, &resolved, &error);

        if (r < 0) {
            check_refusal(r, &error, config_file_path(file));
            continue;
        }
        assert_int_equal(section_show(resolved, &text), 0);
        assert_non_null(strstr(section_where(resolved, "type"), ".ini:"));
        kit_buffer_free(&text);
        section_free(resolved);
        right++;
    }
    return right;
}

static void test_mutations(void **state)
{
    size_t round, i, read = 0, right = 0;

    (void)state;
    for (round = 0; round < ROUNDS; round++) {
        char text[TEXT_MAX];
        size_t length = sizeof sample - 1;
        struct config_file *file = NULL;
        struct trolley_error error = {0};
        const char *path;
        int r;

        memcpy(text, sample, length);
        for (i = round ? 1 + random_below(6) : 0; i > 0; i--)
            length = mutate(text, length);
        path = fixture_write("mutated.ini", text, length, 0600);
        r = config_file_read(path, &file, &error);
        if (r < 0) {
            assert_null(file);
            check_refusal(r, &error, path);
            continue;
        }
        i = resolve_all(file);
        if (round == 0) assert_int_equal(i, 7);
        right += i;
        read++;
        config_file_free(file);
    }
    /* Most files survive as files, and most sections of these: the mutations are neither too mild
     * nor too wild to reach what is behind the reader. */
    assert_in_range(read, ROUNDS / 20, ROUNDS - ROUNDS / 20);
    assert_true(right > read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutations)};

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
