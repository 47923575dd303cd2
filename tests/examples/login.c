/* login.c: does the log-in of an INI file work? login INI. The session's section says how to log in
 * (auth = basic, vitrea, ...); a program has nothing to do for it. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

static void print_backend(void *ctx, const char *component, int status, const char *message,
                          double seconds)
{
    (void)ctx;
    (void)seconds;
    printf("%s: %s %s\n", component, status == 0 ? "well" : trolley_status_name(status), message);
}

int main(int argc, char **argv)
{
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    int r;

    if (argc != 2) return 2;
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_ping(trolley, print_backend, NULL, &error);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r == TROLLEY_ERR_AUTH ? 4 : r < 0;
}
