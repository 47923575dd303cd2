/* search_alone.c: a searcher alone, asked twice: search_alone INI SEARCHER PATIENTID. With a
 * searcher of type `cached` the second answer comes from memory. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

static int find(struct trolley *trolley, const char *patient, struct trolley_error *error)
{
    struct trolley_find_result found = {0};
    struct trolley_query_builder *query = NULL;
    int r = trolley_query_new(&query, error);

    if (r == 0) r = trolley_query_set(query, "PatientID", patient, error);
    if (r == 0) r = trolley_find(trolley, query, NULL, NULL, &found, error);
    if (r == 0)
        printf("%llu studies\n",
               (unsigned long long)trolley_tree_count(found.tree, TROLLEY_LEVEL_STUDY));
    trolley_tree_free(found.tree);
    trolley_query_free(query);
    return r;
}

int main(int argc, char **argv)
{
    struct trolley_parts parts = {0};
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    int r;

    if (argc != 4) return 2;
    parts.searcher = argv[2];
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_compose(setup, &parts, &trolley, &error);
    if (r == 0) r = find(trolley, argv[3], &error);
    if (r == 0) r = find(trolley, argv[3], &error);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
