/* download_references.c: a study, a series or an instance by UID alone, by a downloader alone:
 * download_references INI DOWNLOADER FOLDER STUDYUID [SERIESUID [INSTANCEUID]].
 *
 * No searcher, no [trolley] section: what the server sends is taken as all there is, and counts as
 * unverified. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

int main(int argc, char **argv)
{
    struct trolley_download_options options = {0};
    struct trolley_counts counts = {0};
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_parts parts = {0};
    struct trolley_error error;
    struct trolley_ref ref;
    const char *downloader;
    int r;

    if (argc < 5 || argc > 7) return 2;
    downloader = argv[2];
    parts.downloaders = &downloader;
    parts.downloader_count = 1;
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_compose(setup, &parts, &trolley, &error);
    if (r == 0)
        r = trolley_ref_make(argv[4], argc > 5 ? argv[5] : NULL, argc > 6 ? argv[6] : NULL, &ref,
                             &error);
    if (r == 0) {
        options.refs = (struct trolley_span){&ref, 1, sizeof ref};
        options.output = argv[3];
        r = trolley_download(trolley, &options, &counts, &error);
    }
    printf("%llu instances, %s\n", (unsigned long long)counts.stored,
           counts.verified ? "verified" : "unverified");
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
