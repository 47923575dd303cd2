/* SPDX-License-Identifier: MIT */
#include "core/config/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/model/error.h"

#define COMMAND_STEP_MS 20 /* how often the child and the task are looked at */

extern char **environ;

struct command {
    const char *name;
    pid_t pid;
    int fd;
    char *data;
    size_t size, length;
    bool ended; /* reaped, with its status */
    bool eof;
    int status;
    struct trolley_error *error;
};

static int64_t command_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The child starts with default signals, none blocked, and in its own group, so that it can be
 * killed with all that it started. */
static int command_attributes(posix_spawnattr_t *attributes)
{
    sigset_t signals;
    int r;

    (void)sigemptyset(&signals);
    r = posix_spawnattr_setsigmask(attributes, &signals);
    (void)sigaddset(&signals, SIGPIPE);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    if (r == 0) r = posix_spawnattr_setsigdefault(attributes, &signals);
    if (r == 0) r = posix_spawnattr_setpgroup(attributes, 0);
    if (r == 0)
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP);
    return r;
}

static int command_files(posix_spawn_file_actions_t *actions, int output)
{
    int r = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);

    if (r == 0)
        r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    /* Sockets of libraries that set no FD_CLOEXEC stay ours. */
    if (r == 0) r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
    return r;
}

/* Returns 0 or an errno. */
static int command_spawn(struct command *command, char *const *words, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r = posix_spawn_file_actions_init(&actions);

    if (r != 0) return r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = command_attributes(&attributes);
        if (r == 0) r = command_files(&actions, output);
        if (r == 0)
            r = posix_spawnp(&command->pid, words[0], &actions, &attributes, words, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

static int command_start(struct command *command, char *const *words)
{
    int ends[2];
    int r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(command->error, TROLLEY_ERR_IO, "no pipe for `%s`: %s", command->name,
                         strerror(errno));
    r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? errno : command_spawn(command, words, ends[1]);
    close(ends[1]);
    if (r != 0) {
        close(ends[0]);
        return error_set(command->error, TROLLEY_ERR_IO, "cannot run `%s`: %s", command->name,
                         strerror(r));
    }
    command->fd = ends[0];
    return 0;
}

/* Takes what is there to read. A full buffer whose program goes on is an error. */
static int command_read(struct command *command)
{
    char more;
    ssize_t n;

    while (!command->eof) {
        if (command->length < command->size)
            n = read(command->fd, command->data + command->length, command->size - command->length);
        else
            n = read(command->fd, &more, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return 0;
        if (n < 0)
            return error_set(command->error, TROLLEY_ERR_IO, "reading from `%s`: %s", command->name,
                             strerror(errno));
        if (n == 0)
            command->eof = true;
        else if (command->length == command->size)
            return error_set(command->error, TROLLEY_ERR_TOO_LARGE, "`%s` says more than %zu bytes",
                             command->name, command->size);
        else
            command->length += (size_t)n;
    }
    return 0;
}

static void command_reap(struct command *command, int flags)
{
    pid_t pid;

    if (command->ended) return;
    do
        pid = waitpid(command->pid, &command->status, flags);
    while (pid < 0 && errno == EINTR);
    if (pid == 0) return;
    command->ended = true;
    /* Somebody else took the status: not known to be good. */
    if (pid < 0) command->status = -1;
}

/* Until the program has ended and said all. A child of it that holds the pipe is not waited for. */
static int command_wait(struct command *command, int64_t deadline, struct trolley_task *task)
{
    struct pollfd poll_fd = {command->fd, POLLIN, 0};
    int r;

    for (;;) {
        command_reap(command, WNOHANG);
        r = command_read(command);
        if (r < 0 || command->ended) return r;
        if (task && task->cancelled && task->cancelled(task))
            return error_set(command->error, TROLLEY_ERR_CANCELLED, "cancelled while `%s` runs",
                             command->name);
        if (command_now() >= deadline)
            return error_set(command->error, TROLLEY_ERR_TIMEOUT,
                             "`%s` takes too long and was stopped", command->name);
        (void)poll(&poll_fd, command->eof ? 0 : 1, COMMAND_STEP_MS);
    }
}

static int command_verdict(const struct command *command)
{
    if (command->status == -1)
        return error_set(command->error, TROLLEY_ERR_IO, "`%s`: its exit status got lost",
                         command->name);
    if (WIFSIGNALED(command->status))
        return error_set(command->error, TROLLEY_ERR_IO, "`%s` died of signal %d", command->name,
                         WTERMSIG(command->status));
    if (WEXITSTATUS(command->status) != 0)
        return error_set(command->error, TROLLEY_ERR_IO, "`%s` failed with exit status %d",
                         command->name, WEXITSTATUS(command->status));
    return 0;
}

int config_command_run(char *const *words, int limit_ms, char *data, size_t size,
                       size_t *ret_length, struct trolley_task *task, struct trolley_error *error)
{
    struct command command = {.name = words[0], .data = data, .size = size, .error = error};
    const int64_t left = task && task->remaining_ms ? task->remaining_ms(task) : -1;
    const int64_t deadline = command_now() + (left >= 0 && left < limit_ms ? left : limit_ms);
    int r = command_start(&command, words);

    if (r < 0) return r;
    r = command_wait(&command, deadline, task);
    if (!command.ended) {
        (void)kill(-command.pid, SIGKILL);
        command_reap(&command, 0);
    }
    close(command.fd);
    if (r == 0) r = command_verdict(&command);
    if (r == 0)
        *ret_length = command.length;
    else
        explicit_bzero(data, command.length);
    return r;
}
