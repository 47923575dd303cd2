/* Secrets from value, environment, file and command; what failures say. SPDX-License-Identifier:
 * MIT
 */
#include "tests/unit/config_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/config/command.h"

#define SESSION "[session s]\nuser = reader\n" /* the key is in line 3 */

struct seen {
    struct trolley_task task;
    char secret[70000];
    uint64_t length;
    int32_t verdict; /* what the sink returns */
    int64_t left;
    int32_t cancelled;
    int32_t status;
    char message[1024];
};

static struct seen *seen_of(struct trolley_task *task)
{
    return task->impl;
}

static int32_t seen_cancelled(struct trolley_task *task)
{
    return seen_of(task)->cancelled;
}

static int64_t seen_left(struct trolley_task *task)
{
    return seen_of(task)->left;
}

static void seen_fail(struct trolley_task *task, const struct trolley_failure *failure)
{
    seen_of(task)->status = failure->status;
    (void)snprintf(seen_of(task)->message, sizeof seen_of(task)->message, "%s", failure->message);
}

static int32_t seen_secret(void *ctx, const char *text, uint64_t length)
{
    struct seen *seen = ctx;

    assert_true(length < sizeof seen->secret);
    memcpy(seen->secret, text, length);
    seen->secret[length] = '\0';
    seen->length = length;
    return seen->verdict;
}

static void seen_open(struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    seen->left = -1;
    seen->task = (struct trolley_task){.size = sizeof seen->task,
                                       .impl = seen,
                                       .cancelled = seen_cancelled,
                                       .remaining_ms = seen_left,
                                       .fail = seen_fail};
}

static int32_t ask(struct section *section, int32_t refresh, struct seen *seen)
{
    const struct trolley_config *config = section_config(section);
    const struct trolley_secret_sink sink = {seen, seen_secret};

    return config->secret(config, "password", refresh, &sink, &seen->task);
}

static struct section *session(const char *key, const char *value)
{
    static const struct trolley_span *tables[2];
    char text[2048];

    tables[0] = config_host_options("session");
    (void)snprintf(text, sizeof text, SESSION "%s = %s\n", key, value);
    return fixture_resolve(text, tables);
}

static struct seen seen;

static void expect_secret(const char *key, const char *value, const char *secret)
{
    struct section *section = session(key, value);
    int32_t r;

    seen_open(&seen);
    r = ask(section, 0, &seen);
    if (r != 0) fail_msg("%s = %s: %s", key, value, seen.message);
    assert_int_equal(seen.length, strlen(secret));
    assert_string_equal(seen.secret, secret);
    assert_null(section_config(section)->text(section_config(section), "password"));
    fixture_drop(section);
}

/* The message has file, line, section, the key as it is written, and `cause`; never "hunter2". */
static void expect_failure(const char *key, const char *value, int status, const char *cause)
{
    struct section *section = session(key, value);
    char place[512];

    seen_open(&seen);
    assert_int_equal(ask(section, 0, &seen), status);
    assert_int_equal(seen.status, status);
    assert_int_equal(seen.length, 0);
    (void)snprintf(place, sizeof place,
                   "%s/test.ini:3: [session s] key `%s`: ", fixture_directory(), key);
    if (strncmp(seen.message, place, strlen(place)) != 0 || !strstr(seen.message, cause) ||
        strstr(seen.message, "hunter2"))
        fail_msg("%s = %s: %s", key, value, seen.message);
    fixture_drop(section);
}

static void test_value(void **state)
{
    struct section *section;

    (void)state;
    expect_secret("password", "\"hunter2 ; really\"", "hunter2 ; really");
    section = session("ca_file", "x");
    seen_open(&seen);
    assert_int_equal(ask(section, 0, &seen), TROLLEY_ERR_NOT_FOUND);
    fixture_drop(section);
    section = session("password", "hunter2");
    seen_open(&seen);
    seen.verdict = TROLLEY_ERR_AUTH;
    assert_int_equal(ask(section, 0, &seen), TROLLEY_ERR_AUTH);
    fixture_drop(section);
}

static void test_environment(void **state)
{
    (void)state;
    setenv("TROLLEY_TEST_SECRET", "hunter2\n", 1);
    expect_secret("password_env", "TROLLEY_TEST_SECRET", "hunter2\n");
    setenv("TROLLEY_TEST_SECRET", "", 1);
    expect_failure("password_env", "TROLLEY_TEST_SECRET", TROLLEY_ERR_INVALID_CONFIG,
                   "environment variable TROLLEY_TEST_SECRET is empty");
    unsetenv("TROLLEY_TEST_SECRET");
    expect_failure("password_env", "TROLLEY_TEST_SECRET", TROLLEY_ERR_INVALID_CONFIG,
                   "environment variable TROLLEY_TEST_SECRET is not set");
}

static void test_file(void **state)
{
    char *large = malloc(65538);

    (void)state;
    fixture_write("secret", "hunter2\n", 8, 0600);
    expect_secret("password_file", "secret", "hunter2");
    fixture_write("secret", "hunter2\r\n", 9, 0600);
    expect_secret("password_file", "secret", "hunter2");
    fixture_write("secret", "two\nlines\n\n", 11, 0600);
    expect_secret("password_file", "secret", "two\nlines\n");
    assert_string_equal(fixture_warnings(), "");
    fixture_write("secret", "hunter2", 7, 0604);
    expect_secret("password_file", "secret", "hunter2");
    assert_non_null(strstr(fixture_warnings(), "key `password_file`: anyone can read or write "));
    fixture_write("secret", "\n", 1, 0600);
    expect_failure("password_file", "secret", TROLLEY_ERR_INVALID_CONFIG, "/secret is empty");
    fixture_write("secret", "hunter2\0", 8, 0600);
    expect_failure("password_file", "secret", TROLLEY_ERR_INVALID_CONFIG, "NUL");
    memset(large, 'x', 65537);
    fixture_write("secret", large, 65537, 0600);
    expect_failure("password_file", "secret", TROLLEY_ERR_TOO_LARGE, "larger than 64 KiB");
    fixture_write("secret", large, 65536, 0600);
    large[65536] = '\0';
    expect_secret("password_file", "secret", large);
    expect_failure("password_file", "absent", TROLLEY_ERR_IO, "/absent: No such file");
    expect_failure("password_file", ".", TROLLEY_ERR_IO, "Is a directory");
    free(large);
}

static void test_command(void **state)
{
    (void)state;
    expect_secret("password_command", "echo hunter2", "hunter2");
    expect_secret("password_command", "printf '%s' \"a  b\"", "a  b");
    expect_secret("password_command", "echo $HOME;", "$HOME;");
    expect_secret("password_command", "sh -c 'sleep 3 & echo hunter2'", "hunter2");
    expect_secret("password_command", "sh -c 'printf x; sleep 0.1; printf y'", "xy");
    expect_failure("password_command", "sh -c 'echo hunter2; exit 3'", TROLLEY_ERR_IO,
                   "`sh` failed with exit status 3");
    expect_failure("password_command", "sh -c 'kill -9 $$'", TROLLEY_ERR_IO,
                   "`sh` died of signal 9");
    expect_failure("password_command", "/nonexistent/tool hunter2", TROLLEY_ERR_IO,
                   "cannot run `/nonexistent/tool`: No such file");
    expect_failure("password_command", "cat", TROLLEY_ERR_INVALID_CONFIG, "is empty");
    expect_failure("password_command", "sh -c 'head -c 65537 /dev/zero | tr \"\\000\" x'",
                   TROLLEY_ERR_TOO_LARGE, "`sh` says more than 65536 bytes");
    expect_failure("password_command", "sh -c 'echo hunter2; printf \"a\\000b\"'",
                   TROLLEY_ERR_INVALID_CONFIG, "NUL");
}

/* Run at first use only, and again when asked; a failed refresh leaves the old one. */
static void test_cache(void **state)
{
    char command[512];
    struct section *section;

    (void)state;
    (void)snprintf(command, sizeof command,
                   "sh -c 'cd %s && echo >> runs && test $(wc -l < runs) -ne 3 && wc -l < runs'",
                   fixture_directory());
    section = session("password_command", command);
    (void)snprintf(command, sizeof command, "%s/runs", fixture_directory());
    assert_int_equal(access(command, F_OK), -1);
    seen_open(&seen);
    assert_int_equal(ask(section, 0, &seen), 0);
    assert_string_equal(seen.secret, "1");
    assert_int_equal(ask(section, 0, &seen), 0);
    assert_string_equal(seen.secret, "1");
    assert_int_equal(ask(section, 1, &seen), 0);
    assert_string_equal(seen.secret, "2");
    assert_int_equal(ask(section, 1, &seen), TROLLEY_ERR_IO);
    assert_int_equal(ask(section, 0, &seen), 0);
    assert_string_equal(seen.secret, "2");
    fixture_drop(section);
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether a process runs: there, and no zombie. */
static bool runs(long pid)
{
    char path[64], line[256] = "";
    FILE *file;
    const char *state;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    file = fopen(path, "r");
    if (!file) return false;
    state = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return state && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';
}

/* A command that hangs is killed with all that it started. */
static void test_time_out(void **state)
{
    char line[512], pid[32] = "";
    char shell[] = "sh", option[] = "-c";
    char *const words[] = {shell, option, line, NULL};
    struct trolley_error error;
    char data[64];
    size_t length = 99;
    FILE *file;
    const int64_t start = now_ms();
    int i;

    (void)state;
    (void)snprintf(line, sizeof line, "echo hunter2; sleep 60 & echo $! > %s/pid; wait",
                   fixture_directory());
    assert_int_equal(config_command_run(words, 400, data, sizeof data, &length, NULL, &error),
                     TROLLEY_ERR_TIMEOUT);
    assert_true(now_ms() - start < 5000);
    assert_int_equal(length, 99);
    assert_null(strstr(error.message, "hunter2"));
    assert_null(memmem(data, 7, "hunter2", 7));
    (void)snprintf(line, sizeof line, "%s/pid", fixture_directory());
    file = fopen(line, "r");
    assert_non_null(file);
    assert_non_null(fgets(pid, sizeof pid, file));
    fclose(file);
    for (i = 0; i < 200 && runs(strtol(pid, NULL, 10)); i++)
        usleep(10000);
    assert_false(runs(strtol(pid, NULL, 10)));
}

static void test_task(void **state)
{
    struct section *section = session("password_command", "sleep 60");
    const int64_t start = now_ms();

    (void)state;
    seen_open(&seen);
    seen.left = 100;
    assert_int_equal(ask(section, 0, &seen), TROLLEY_ERR_TIMEOUT);
    assert_non_null(strstr(seen.message, "`sleep` takes too long"));
    seen.left = -1;
    seen.cancelled = 1;
    assert_int_equal(ask(section, 0, &seen), TROLLEY_ERR_CANCELLED);
    assert_true(now_ms() - start < 5000);
    fixture_drop(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value), cmocka_unit_test(test_environment),
        cmocka_unit_test(test_file),  cmocka_unit_test(test_command),
        cmocka_unit_test(test_cache), cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_task),
    };

    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
