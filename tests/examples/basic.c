/* basic.c: find some studies, download the first of them: basic INI PATTERN FOLDER.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>
#include <trolley/helpers.h>

/* Downloads the first study of a find. */
static int download_first(struct trolley *trolley, const struct trolley_tree *tree,
                          const char *folder, struct trolley_error *error)
{
    const struct trolley_node *study = trolley_tree_first(tree);
    struct trolley_download_options options = {.output = folder};
    struct trolley_counts counts;
    struct trolley_ref ref;
    int r;

    if (!study) {
        printf("nothing found\n");
        return 0;
    }
    (void)trolley_node_ref(study, &ref);
    options.refs = (struct trolley_span){&ref, 1, sizeof ref};
    r = trolley_download(trolley, &options, &counts, error);
    printf("%llu of %llu instances\n", (unsigned long long)(counts.stored + counts.skipped),
           (unsigned long long)counts.expected);
    return r;
}

int main(int argc, char **argv)
{
    struct trolley_find_result found = {0};
    struct trolley_query_builder *query = NULL;
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    int r;

    if (argc != 4) return 2;
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "PatientName", argv[2], &error);
    if (r == 0) r = trolley_find(trolley, query, NULL, NULL, &found, &error);
    if (r == 0) r = download_first(trolley, found.tree, argv[3], &error);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_tree_free(found.tree);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
