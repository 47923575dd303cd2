/* test_loader.c: each way to be broken has its own message. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/loader.h"
#include "core/plugin/registry.h"
#include "core/plugin/trust.h"

/* The directory of the mock plugins: libtool leaves the objects in .libs. */
#define MOCKS TEST_BUILDDIR "/tests/plugins/.libs"

static int load(const char *name, const struct trolley_plugin **plugin, struct trolley_error *error)
{
    char path[512];

    (void)snprintf(path, sizeof path, MOCKS "/%s.so", name);
    return loader_plugin(path, name, plugin, error);
}

static void test_good_plugin_loads(void **state)
{
    const struct trolley_plugin *plugin, *again;
    struct trolley_component component;
    struct trolley_error error;

    (void)state;
    assert_int_equal(load("good", &plugin, &error), 0);
    assert_string_equal(plugin->name, "good");
    assert_true(descriptor_component(plugin, TROLLEY_KIND_SEARCHER, &component));
    assert_false(descriptor_component(plugin, TROLLEY_KIND_STORAGE, &component));
    assert_int_equal(load("good", &again, &error), 0);
    assert_ptr_equal(plugin, again);
}

static void test_faults_have_their_own_words(void **state)
{
    static const struct {
        const char *name;
        int status;
        const char *words;
    } cases[] = {
        {"absent", TROLLEY_ERR_NOT_FOUND, "No such file"},
        {"nosymbol", TROLLEY_ERR_INVALID_CONFIG, "no symbol trolley_plugin_v1"},
        {"undefined", TROLLEY_ERR_INVALID_CONFIG, "the_function_that_is_nowhere"},
        {"misnamed", TROLLEY_ERR_INVALID_CONFIG, "calls itself `another`"},
        {"twice", TROLLEY_ERR_INVALID_CONFIG, "two components of kind searcher"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct trolley_plugin *plugin = NULL;
        struct trolley_error error;

        assert_int_equal(load(cases[i].name, &plugin, &error), cases[i].status);
        assert_null(plugin);
        if (!strstr(error.message, cases[i].words)) fail_msg("%s", error.message);
        if (!strstr(error.message, cases[i].name)) fail_msg("%s", error.message);
    }
}

/* A directory of the test's own, below one that is trusted. */
static char *make_dir(char *dir, size_t size)
{
    (void)snprintf(dir, size, "%s/trolley-loader-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    return mkdtemp(dir);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_text_is_no_shared_object(void **state)
{
    const struct trolley_plugin *plugin;
    struct trolley_error error;
    char dir[256], path[512];

    (void)state;
    assert_non_null(make_dir(dir, sizeof dir));
    (void)snprintf(path, sizeof path, "%s/text.so", dir);
    write_file(path, "this is a text of more than sixty-four bytes, and no shared object at all\n");
    assert_int_equal(loader_plugin(path, "text", &plugin, &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "not a shared object"));
    unlink(path);
    rmdir(dir);
}

static void test_open_to_others_is_refused(void **state)
{
    struct trolley_error error;
    char dir[256], path[512];

    (void)state;
    assert_non_null(make_dir(dir, sizeof dir));
    (void)snprintf(path, sizeof path, "%s/x.so", dir);
    write_file(path, "x");
    assert_int_equal(trust_path(path, &error), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(trust_path(path, &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "can be written by others"));
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(trust_path(path, &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, dir));
    assert_int_equal(trust_path("relative/x.so", &error), TROLLEY_ERR_INVALID_CONFIG);
    unlink(path);
    rmdir(dir);
}

/* Which plugins registry_each showed. */
struct seen {
    int good, shadowed, broken;
};

static void see(void *ctx, const struct trolley_plugin_info *info)
{
    struct seen *seen = ctx;

    if (strcmp(info->name, "good") == 0 && info->plugin) {
        seen->good++;
        seen->shadowed += info->shadowed_by != NULL;
    }
    if (info->problem) seen->broken++;
}

static void test_first_directory_wins(void **state)
{
    const char *dirs[] = {MOCKS, MOCKS};
    const struct trolley_span path = {dirs, 2, sizeof dirs[0]};
    const struct trolley_plugin *plugin;
    struct registry registry;
    struct trolley_error error;
    struct seen seen = {0, 0, 0};
    char *file;

    (void)state;
    assert_int_equal(registry_init(&registry, &path, &error), 0);
    assert_int_equal(registry_load(&registry, "good", &plugin, &file, &error), 0);
    assert_string_equal(file, MOCKS "/good.so");
    free(file);
    assert_int_equal(registry_each(&registry, see, &seen, &error), 0);
    assert_int_equal(seen.good, 2);
    assert_int_equal(seen.shadowed, 1);
    assert_int_equal(seen.broken, 2 * 4);
    assert_int_equal(registry_load(&registry, "goot", &plugin, NULL, &error),
                     TROLLEY_ERR_NOT_FOUND);
    assert_non_null(strstr(error.message, "did you mean `good`"));
    assert_int_equal(registry_load(&registry, "../good", &plugin, NULL, &error),
                     TROLLEY_ERR_INVALID_CONFIG);
    registry_clear(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_plugin_loads),
        cmocka_unit_test(test_faults_have_their_own_words),
        cmocka_unit_test(test_text_is_no_shared_object),
        cmocka_unit_test(test_open_to_others_is_refused),
        cmocka_unit_test(test_first_directory_wins),
    };

    setenv("TROLLEY_PLUGINDIR", "/nonexistent", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
