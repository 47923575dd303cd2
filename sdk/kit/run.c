/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "text.h"

#define LOOK_MS 100 /* between two looks at the task's cancellation */

/* A running program. */
struct running {
    pid_t pid;
    int pidfd; /* readable once it has ended */
    int said;  /* our end of its output, not blocking; -1 when it is closed */
};

static int64_t clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The host's signal dispositions and mask are not the program's. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int r;

    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGKILL);
    (void)sigdelset(&all, SIGSTOP);
    (void)sigemptyset(&none);
    r = posix_spawnattr_setsigdefault(attributes, &all);
    if (r == 0) r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0) r = posix_spawnattr_setpgroup(attributes, 0);
    if (r == 0)
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETPGROUP);
    return r;
}

static int set_files(posix_spawn_file_actions_t *files, int input, int output)
{
    int r = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);

    if (r == 0) r = posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
    if (r == 0) r = posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
    return r;
}

/* Returns 0 or an errno. */
static int spawn(const struct kit_run *run, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int r = posix_spawn_file_actions_init(&files);

    if (r != 0) return r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = set_files(&files, run->input, output);
        if (r == 0) r = set_signals(&attributes);
        if (r == 0)
            r = posix_spawn(ret_pid, run->argv[0], &files, &attributes, run->argv,
                            run->environment ? run->environment : environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return r;
}

static int run_start(const struct kit_run *run, struct trolley_task *task, struct running *running)
{
    int ends[2], r;

    if (lseek(run->input, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return trolley_fail(task, TROLLEY_ERR_IO, "pipe: %s", strerror(errno));
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    r = spawn(run, ends[1], &running->pid);
    (void)close(ends[1]);
    if (r != 0) {
        (void)close(ends[0]);
        return trolley_fail(task, TROLLEY_ERR_IO, "cannot run %s: %s", run->argv[0], strerror(r));
    }
    running->said = ends[0];
    running->pidfd = pidfd_open(running->pid, 0);
    return 0;
}

/* Reads what is there; only the beginning is kept, the rest must not block the program. One that
 * never stops writing must not keep us here. */
static void run_hear(struct running *running, struct kit_buffer *said)
{
    char piece[4096];
    ssize_t n = -1;
    int turns;

    for (turns = 0; running->said >= 0; turns++) {
        const size_t room = KIT_RUN_SAID_MAX - said->length;

        if (turns == 64) return;
        n = read(running->said, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) break;
        if (room) (void)kit_buffer_append(said, piece, (size_t)n < room ? (size_t)n : room);
    }
    if (running->said >= 0) (void)close(running->said);
    running->said = -1;
}

/* Waits for the end; a child of the program that holds its output open is not waited for. */
static int run_wait(struct running *running, const char *name, int64_t timeout_ms,
                    struct trolley_task *task, struct kit_buffer *said)
{
    const int64_t deadline = clock_ms() + timeout_ms;

    for (;;) {
        struct pollfd fds[] = {{running->pidfd, POLLIN, 0}, {running->said, POLLIN, 0}};

        if (poll(fds, 2, LOOK_MS) < 0 && errno != EINTR)
            return trolley_fail(task, TROLLEY_ERR_IO, "poll: %s", strerror(errno));
        run_hear(running, said);
        if (fds[0].revents) return 0;
        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        if (clock_ms() >= deadline)
            return trolley_fail(task, TROLLEY_ERR_TIMEOUT,
                                "%s has not ended within %lld ms (raise `timeout`)", name,
                                (long long)timeout_ms);
    }
}

int kit_run(const struct kit_run *run, struct trolley_task *task, struct kit_run_end *ret_end)
{
    struct running running;
    int r;

    memset(ret_end, 0, sizeof *ret_end);
    r = run_start(run, task, &running);
    if (r < 0) return r;
    if (running.pidfd < 0)
        r = trolley_fail(task, TROLLEY_ERR_IO, "pidfd_open: %s", strerror(errno));
    else
        r = run_wait(&running, run->argv[0], run->timeout_ms, task, &ret_end->said);
    if (r < 0) (void)kill(-running.pid, SIGKILL);
    while (waitpid(running.pid, &ret_end->status, 0) < 0 && errno == EINTR) {
    }
    if (running.said >= 0) (void)close(running.said);
    if (running.pidfd >= 0) (void)close(running.pidfd);
    return r;
}

int kit_run_describe(const struct kit_run_end *end, struct kit_buffer *out)
{
    const bool exited = WIFEXITED(end->status);
    size_t length = end->said.length;
    int r =
        kit_buffer_printf(out, "%s %d", exited ? "ended with exit status" : "was ended by signal",
                          exited ? WEXITSTATUS(end->status) : WTERMSIG(end->status));

    while (length && strchr("\r\n\t ", end->said.data[length - 1]))
        length--;
    if (length > 700) length = 700;
    if (r == 0 && length) r = kit_buffer_text(out, ": ");
    if (r == 0 && length) r = kit_text_escape(out, end->said.data, length);
    return r;
}
