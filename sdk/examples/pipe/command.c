/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <trolley/helpers.h>
#include <unistd.h>

#define LOOK_MS 100 /* between two looks at the task's cancellation */

/* A running command. */
struct command {
    pid_t pid;
    int pidfd;  /* readable once it has ended */
    int errors; /* our end of its stderr, not blocking; -1 when it is closed */
};

static int64_t clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The host's signal dispositions and mask are not the command's. */
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

static int set_files(posix_spawn_file_actions_t *files, int input, int errors)
{
    int r = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);

    if (r == 0)
        r = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (r == 0) r = posix_spawn_file_actions_adddup2(files, errors, STDERR_FILENO);
    return r;
}

/* Returns 0 or an errno. */
static int spawn(char *const *argv, int input, int errors, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int r = posix_spawn_file_actions_init(&files);

    if (r != 0) return r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = set_files(&files, input, errors);
        if (r == 0) r = set_signals(&attributes);
        if (r == 0) r = posix_spawn(ret_pid, argv[0], &files, &attributes, argv, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return r;
}

static int command_start(char *const *argv, int input, struct trolley_task *task,
                         struct command *command)
{
    int ends[2], r;

    if (lseek(input, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return trolley_fail(task, TROLLEY_ERR_IO, "pipe: %s", strerror(errno));
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    r = spawn(argv, input, ends[1], &command->pid);
    (void)close(ends[1]);
    if (r != 0) {
        (void)close(ends[0]);
        return trolley_fail(task, TROLLEY_ERR_IO, "cannot run %s: %s", argv[0], strerror(r));
    }
    command->errors = ends[0];
    command->pidfd = pidfd_open(command->pid, 0);
    return 0;
}

/* Reads what is there; only the beginning is kept, the rest must not block the command. */
static void command_hear(struct command *command, struct kit_buffer *said)
{
    char piece[4096];
    ssize_t n;

    while (command->errors >= 0 && (n = read(command->errors, piece, sizeof piece)) != 0) {
        size_t room = COMMAND_SAID_MAX - said->length;

        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) break;
        if (room) (void)kit_buffer_append(said, piece, (size_t)n < room ? (size_t)n : room);
    }
    if (command->errors >= 0) (void)close(command->errors);
    command->errors = -1;
}

/* Waits for the end; a child of the command that holds its stderr open is not waited for. */
static int command_wait(struct command *command, const char *name, int64_t timeout_ms,
                        struct trolley_task *task, struct kit_buffer *said)
{
    const int64_t deadline = clock_ms() + timeout_ms;

    for (;;) {
        struct pollfd fds[] = {{command->pidfd, POLLIN, 0}, {command->errors, POLLIN, 0}};

        if (poll(fds, 2, LOOK_MS) < 0 && errno != EINTR)
            return trolley_fail(task, TROLLEY_ERR_IO, "poll: %s", strerror(errno));
        command_hear(command, said);
        if (fds[0].revents) return 0;
        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        if (clock_ms() >= deadline)
            return trolley_fail(task, TROLLEY_ERR_TIMEOUT,
                                "%s has not ended within %lld ms (raise `timeout`)", name,
                                (long long)timeout_ms);
    }
}

int command_run(char *const *argv, int input, int64_t timeout_ms, struct trolley_task *task,
                struct command_end *ret_end)
{
    struct command command;
    int r;

    memset(ret_end, 0, sizeof *ret_end);
    r = command_start(argv, input, task, &command);
    if (r < 0) return r;
    if (command.pidfd < 0)
        r = trolley_fail(task, TROLLEY_ERR_IO, "pidfd_open: %s", strerror(errno));
    else
        r = command_wait(&command, argv[0], timeout_ms, task, &ret_end->said);
    if (r < 0) (void)kill(-command.pid, SIGKILL);
    while (waitpid(command.pid, &ret_end->status, 0) < 0 && errno == EINTR) {
    }
    if (command.errors >= 0) (void)close(command.errors);
    if (command.pidfd >= 0) (void)close(command.pidfd);
    return r;
}
