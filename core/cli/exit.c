/* SPDX-License-Identifier: MIT */
#include "core/cli/exit.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* A signal handler sees nothing but globals. */
static struct trolley_setup *volatile exit_setup;
static struct trolley_prefetch *volatile exit_prefetch;
static volatile sig_atomic_t exit_signal;

int exit_of(int status, bool delivered)
{
    switch (status) {
    case TROLLEY_OK:
        return EXIT_COMPLETE;
    case TROLLEY_ERR_INVALID_ARG:
    case TROLLEY_ERR_INVALID_CONFIG:
    case TROLLEY_ERR_UNSUPPORTED_PARAM:
        return delivered ? EXIT_PARTIAL : EXIT_USAGE;
    case TROLLEY_ERR_AUTH:
        return delivered ? EXIT_PARTIAL : EXIT_AUTH;
    default:
        return delivered ? EXIT_PARTIAL : EXIT_FAILED;
    }
}

static int exit_rank(int status)
{
    switch (status) {
    case EXIT_COMPLETE:
        return 0;
    case EXIT_PARTIAL:
        return 1;
    case EXIT_FAILED:
        return 2;
    case EXIT_AUTH:
        return 3;
    case EXIT_USAGE:
        return 4;
    default:
        return 5;
    }
}

int exit_worse(int a, int b)
{
    return exit_rank(a) >= exit_rank(b) ? a : b;
}

static void exit_on_signal(int number)
{
    exit_signal = number;
    if (exit_prefetch)
        trolley_prefetch_stop(exit_prefetch);
    else if (exit_setup)
        trolley_setup_cancel(exit_setup);
}

void exit_signals(void)
{
    struct sigaction cancel = {.sa_handler = exit_on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int fd;

    for (fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    sigemptyset(&cancel.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &cancel, NULL);
    sigaction(SIGTERM, &cancel, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file past ulimit -f is an error like any other */
}

void exit_cancels(struct trolley_setup *setup)
{
    exit_setup = setup;
    if (setup && exit_signal) trolley_setup_cancel(setup);
}

void exit_stops(struct trolley_prefetch *prefetch)
{
    exit_prefetch = prefetch;
    if (prefetch && exit_signal) trolley_prefetch_stop(prefetch);
}

int exit_signalled(void)
{
    return exit_signal ? 128 + exit_signal : 0;
}
