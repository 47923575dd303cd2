/* outcomes.c: the fate of every instance, errors that the INI file says to ignore among them:
 * outcomes INI STUDYUID FOLDER. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

static const char *outcome_name(uint32_t kind)
{
    static const char *const names[] = {"?",      "stored",  "skipped",    "replaced", "missing",
                                        "failed", "ignored", "unexpected", "duplicate"};

    return kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}

static void print_outcome(void *ctx, const struct trolley_outcome *outcome)
{
    (void)ctx;
    printf("%s %s %s\n", outcome_name(outcome->kind), outcome->instance ? outcome->instance : "-",
           outcome->message ? outcome->message : "");
}

int main(int argc, char **argv)
{
    struct trolley_download_options options = {.outcome = print_outcome};
    struct trolley_counts counts = {0};
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    struct trolley_ref ref;
    int r;

    if (argc != 4) return 2;
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_ref_make(argv[2], NULL, NULL, &ref, &error);
    if (r == 0) {
        options.refs = (struct trolley_span){&ref, 1, sizeof ref};
        options.output = argv[3];
        r = trolley_download(trolley, &options, &counts, &error);
    }
    printf("%llu stored, %llu ignored\n", (unsigned long long)counts.stored,
           (unsigned long long)counts.ignored);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
