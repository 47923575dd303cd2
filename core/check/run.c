/* run.c: the checks one after another, each in a process of its own. SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check/check.h"
#include "core/model/error.h"
#include "core/plugin/loader.h"
#include "core/plugin/task.h"

#define RUN_TIME_LIMIT_MS 30000
#define RUN_ROWS_MAX 64

/* One run over all checks. */
struct run {
    const char *path;
    char *name;
    struct trolley_check_options options;
    int (*each)(void *ctx, const struct trolley_check_result *result);
    void *ctx;
    struct check_note *note;
    uint32_t kinds;                /* that the plugin has, once `descriptor` has told them */
    uint32_t passed[RUN_ROWS_MAX]; /* per row: bits of the kinds it passed for, 1 for the file */
    bool wanted[RUN_ROWS_MAX];     /* reported */
    bool needed[RUN_ROWS_MAX];     /* run: wanted, or needed by one that is */
    bool failed;
};

static int run_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    (void)remove(path);
    return 0;
}

static void run_remove(const char *root)
{
    (void)nftw(root, run_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What the plugin prints is not the program's output. */
static void run_silence(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0) return;
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO) close(null);
}

__attribute__((noreturn)) static void run_child(const struct run *run, const struct check_row *row,
                                                uint32_t kind, const char *root)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    struct check check = {.note = run->note,
                          .path = run->path,
                          .name = run->name,
                          .kind = kind,
                          .seed = run->options.seed,
                          .root = root};
    const struct rlimit none = {0, 0};
    size_t i;

    for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)signal(signals[i], SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &none);
    run_silence();
    row->run(&check);
    if (!check_over(&check)) check.note->outcome = TROLLEY_CHECK_PASSED;
    _exit(0);
}

/* Waits until the child has ended, or kills it at the limit. True when it ended by itself. */
static bool run_wait(pid_t pid, int ends, uint32_t limit_ms, int *ret_status)
{
    const int64_t until = task_clock_ms() + limit_ms;
    struct pollfd poll_end = {.fd = ends, .events = POLLIN};
    bool by_itself = true;

    while (waitpid(pid, ret_status, WNOHANG) == 0) {
        if (task_clock_ms() >= until) {
            by_itself = false;
            (void)kill(pid, SIGKILL);
            while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
                ;
            break;
        }
        /* The child's end of the pipe closes with it; who inherited it only slows this down. */
        if (poll(&poll_end, 1, 20) > 0) (void)poll(NULL, 0, 1);
    }
    return by_itself;
}

/* Says what became of a child that did not come to its end. */
static void run_judge(const struct run *run, bool by_itself, int status)
{
    struct check_note *note = run->note;

    if (by_itself && WIFEXITED(status) && WEXITSTATUS(status) == 0 && note->outcome) return;
    note->doing[sizeof note->doing - 1] = '\0';
    note->outcome = TROLLEY_CHECK_FAILED;
    if (!by_itself)
        (void)snprintf(note->message, sizeof note->message, "did not end within %u ms: %s",
                       run->options.time_limit_ms, note->doing);
    else if (WIFSIGNALED(status))
        (void)snprintf(note->message, sizeof note->message, "ended by signal %d (%s): %s",
                       WTERMSIG(status), strsignal(WTERMSIG(status)), note->doing);
    else
        (void)snprintf(note->message, sizeof note->message, "ended the process, status %d: %s",
                       WEXITSTATUS(status), note->doing);
}

/* One check of one component in a process of its own; the note says how it went. */
static int run_process(const struct run *run, const struct check_row *row, uint32_t kind,
                       struct trolley_error *error)
{
    const char *tmp = getenv("TMPDIR");
    char root[256];
    int ends[2], status = 0;
    bool by_itself;
    pid_t pid;

    memset(run->note, 0, sizeof *run->note);
    (void)snprintf(root, sizeof root, "%.200s/trolley-check-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(root)) return error_set(error, TROLLEY_ERR_IO, "%s: %s", root, strerror(errno));
    if (pipe2(ends, O_CLOEXEC) < 0) {
        run_remove(root);
        return error_set(error, TROLLEY_ERR_IO, "pipe: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_child(run, row, kind, root);
    }
    close(ends[1]);
    if (pid > 0) {
        by_itself = run_wait(pid, ends[0], run->options.time_limit_ms, &status);
        run_judge(run, by_itself, status);
    }
    close(ends[0]);
    run_remove(root);
    return pid > 0 ? 0 : error_set(error, TROLLEY_ERR_IO, "fork: %s", strerror(errno));
}

static uint32_t run_find_row(const char *name)
{
    uint32_t i;

    for (i = 0; check_row(i); i++)
        if (strcmp(check_row(i)->name, name) == 0) break;
    return i;
}

static int run_report(struct run *run, uint32_t i, uint32_t kind, double seconds)
{
    const struct trolley_check_result result = {
        .check = check_row(i)->name,
        .component = kind ? kind_name(kind) : NULL,
        .outcome = run->note->outcome,
        .message = run->note->message,
        .seconds = seconds,
    };

    if (result.outcome == TROLLEY_CHECK_PASSED) run->passed[i] |= CHECK_KIND(kind);
    if (!run->wanted[i]) return 0;
    if (result.outcome == TROLLEY_CHECK_FAILED) run->failed = true;
    return run->each(run->ctx, &result) ? TROLLEY_ERR_CANCELLED : 0;
}

/* Row i for one component (0: the file): skipped when what it needs has not passed. */
static int run_one(struct run *run, uint32_t i, uint32_t kind, struct trolley_error *error)
{
    const struct check_row *row = check_row(i);
    const uint32_t needs = row->needs ? run_find_row(row->needs) : 0;
    const int64_t start = task_clock_ms();
    int r = 0;

    if (row->needs &&
        !(run->passed[needs] & (check_row(needs)->kinds ? CHECK_KIND(kind) : CHECK_KIND(0)))) {
        memset(run->note, 0, sizeof *run->note);
        run->note->outcome = TROLLEY_CHECK_SKIPPED;
        (void)snprintf(run->note->message, sizeof run->note->message, "%s did not pass",
                       row->needs);
    } else {
        r = run_process(run, row, kind, error);
    }
    if (r < 0) return r;
    if (row->run == check_descriptor) run->kinds = run->note->kinds;
    return run_report(run, i, kind, (double)(task_clock_ms() - start) / 1000);
}

static int run_row(struct run *run, uint32_t i, struct trolley_error *error)
{
    const struct check_row *row = check_row(i);
    uint32_t kind;
    int r = 0;

    if (!row->kinds) return run_one(run, i, 0, error);
    for (kind = TROLLEY_KIND_SEARCHER; r == 0 && kind <= TROLLEY_KIND_AUTH; kind++)
        if (row->kinds & run->kinds & CHECK_KIND(kind)) r = run_one(run, i, kind, error);
    return r;
}

/* Marks what is reported and what must run for it. */
static int run_select(struct run *run, struct trolley_error *error)
{
    const uint32_t only = run->options.only ? run_find_row(run->options.only) : 0;
    uint32_t i;

    if (run->options.only && !check_row(only))
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: there is no such check",
                         run->options.only);
    for (i = 0; check_row(i) && i < RUN_ROWS_MAX; i++)
        run->wanted[i] = run->needed[i] = !run->options.only || i == only;
    while (i-- > 0)
        if (run->needed[i] && check_row(i)->needs)
            run->needed[run_find_row(check_row(i)->needs)] = true;
    return 0;
}

static int run_all(struct run *run, struct trolley_error *error)
{
    uint32_t i;
    int r = run_select(run, error);

    for (i = 0; r == 0 && check_row(i) && i < RUN_ROWS_MAX; i++)
        if (run->needed[i]) r = run_row(run, i, error);
    if (r == TROLLEY_ERR_CANCELLED) return error_set(error, r, "%s: stopped", run->path);
    if (r < 0 || !run->failed) return r;
    return error_set(error, TROLLEY_ERR_INVALID_CONFIG, "%s: the plugin has faults", run->path);
}

/* The file's name without .so. */
static char *run_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);

    if (length > 3 && strcmp(name + length - 3, ".so") == 0) length -= 3;
    return strndup(name, length);
}

const char *trolley_plugin_check_name(uint32_t i, const char **ret_about)
{
    const struct check_row *row = check_row(i);

    if (row && ret_about) *ret_about = row->about;
    return row ? row->name : NULL;
}

int trolley_plugin_check(const char *path, const struct trolley_check_options *options,
                         int (*each)(void *ctx, const struct trolley_check_result *result),
                         void *ctx, struct trolley_error *error)
{
    struct run run = {.each = each, .ctx = ctx};
    char *real = realpath(path, NULL);
    int r;

    if (!real) return error_set(error, TROLLEY_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    if (options) run.options = *options;
    if (!run.options.time_limit_ms) run.options.time_limit_ms = RUN_TIME_LIMIT_MS;
    if (!run.options.seed) run.options.seed = 1;
    run.path = real;
    run.name = run_name(real);
    run.note =
        mmap(NULL, sizeof *run.note, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!run.name || run.note == MAP_FAILED)
        r = error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    else
        r = run_all(&run, error);
    if (run.note != MAP_FAILED) (void)munmap(run.note, sizeof *run.note);
    free(run.name);
    free(real);
    return r;
}
