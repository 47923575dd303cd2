/* logging.c: what the library logs, with times, and the remarks of one find: logging INI PATIENTID.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>
#include <trolley.h>

/* Called by any thread. */
static void log_line(void *ctx, uint32_t level, const char *component, const char *message)
{
    static const char *const names[] = {"?", "error", "warning", "info", "debug"};
    time_t now = time(NULL);
    struct tm parts;
    char clock[16];

    localtime_r(&now, &parts);
    (void)strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    fprintf(ctx, "%s %s trolley.%s: %s\n", clock, level < 5 ? names[level] : "?", component,
            message);
}

/* Remarks are part of an answer: what the user of this find should know. */
static void remark(void *ctx, const struct trolley_remark *remark)
{
    fprintf(ctx, "remark of %s: %s\n", remark->component, remark->message);
}

int main(int argc, char **argv)
{
    struct trolley_find_result found = {0};
    struct trolley_query_builder *query = NULL;
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    int r;

    if (argc != 3) return 2;
    trolley_set_log(log_line, stderr, TROLLEY_LOG_DEBUG);
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "PatientID", argv[2], &error);
    if (r == 0) r = trolley_find(trolley, query, remark, stdout, &found, &error);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_tree_free(found.tree);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
