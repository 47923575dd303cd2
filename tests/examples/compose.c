/* compose.c: a trolley put together here, not in the INI file: compose INI SEARCHER DOWNLOADER
 * STORAGE PATIENTID. With a storage of type `flat` the files lie in one folder.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

int main(int argc, char **argv)
{
    struct trolley_download_options options = {0};
    struct trolley_query_builder *query = NULL;
    struct trolley_counts counts = {0};
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_parts parts = {0};
    struct trolley_error error;
    const char *downloader;
    int r;

    if (argc != 6) return 2;
    downloader = argv[3];
    parts.searcher = argv[2];
    parts.downloaders = &downloader;
    parts.downloader_count = 1;
    parts.storage = argv[4];
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_compose(setup, &parts, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "PatientID", argv[5], &error);
    options.query = query;
    if (r == 0) r = trolley_download(trolley, &options, &counts, &error);
    printf("%llu of %llu instances\n", (unsigned long long)counts.stored,
           (unsigned long long)counts.expected);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
