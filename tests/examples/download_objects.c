/* download_objects.c: objects that were found, of any level: download_objects INI PATIENTID FOLDER.
 * Four downloads into four folders below FOLDER. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

#define MOST 100

static int download(struct trolley *trolley, const struct trolley_ref *refs, uint32_t count,
                    const char *folder, const char *name, struct trolley_error *error)
{
    struct trolley_download_options options = {.refs = {refs, count, sizeof *refs}};
    struct trolley_counts counts;
    char output[4096];
    int r;

    (void)snprintf(output, sizeof output, "%s/%s", folder, name);
    options.output = output;
    r = trolley_download(trolley, &options, &counts, error);
    printf("%s: %llu instances\n", name, (unsigned long long)counts.stored);
    return r;
}

/* References of a node and its siblings, at most `most`. */
static uint32_t references(const struct trolley_node *node, struct trolley_ref *refs, uint32_t most)
{
    uint32_t count = 0;

    for (; node && count < most; node = trolley_node_next(node))
        if (trolley_node_ref(node, &refs[count]) == 0) count++;
    return count;
}

static int download_some(struct trolley *trolley, const struct trolley_tree *tree,
                         const char *folder, struct trolley_error *error)
{
    const struct trolley_node *study = trolley_tree_first(tree);
    const struct trolley_node *series = trolley_node_first_child(study);
    const struct trolley_node *instance = trolley_node_first_child(series);
    struct trolley_ref refs[MOST];
    int r = download(trolley, refs, references(study, refs, MOST), folder, "studies", error);

    if (r == 0) r = download(trolley, refs, references(study, refs, 1), folder, "study", error);
    if (r == 0) r = download(trolley, refs, references(series, refs, 1), folder, "series", error);
    if (r == 0)
        r = download(trolley, refs, references(instance, refs, 3), folder, "instances", error);
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
    if (r == 0) r = trolley_query_set(query, "PatientID", argv[2], &error);
    if (r == 0) r = trolley_query_set_level(query, "instance", &error);
    if (r == 0) r = trolley_find(trolley, query, NULL, NULL, &found, &error);
    if (r == 0) r = download_some(trolley, found.tree, argv[3], &error);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_tree_free(found.tree);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
