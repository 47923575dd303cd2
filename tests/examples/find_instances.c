/* find_instances.c: one study down to its instances, and typed values of one:
 * find_instances INI STUDYUID. SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <trolley.h>

/* Each object leads to its children and its parent; values of upper levels are seen from below. */
static void print_first(const struct trolley_tree *tree)
{
    const struct trolley_node *study = trolley_tree_first(tree);
    const struct trolley_node *series = trolley_node_first_child(study);
    const struct trolley_node *instance = trolley_node_first_child(series);
    int64_t rows = 0;

    if (trolley_node_integer(instance, trolley_tag("Rows"), 0, &rows) == 0)
        printf("Rows of %s: %" PRId64 "\n", trolley_node_uid(instance), rows);
    printf("PatientID: %s\n", trolley_node_get(instance, "PatientID"));
    printf("back to the study: %s\n",
           trolley_node_uid(trolley_node_parent(trolley_node_parent(instance))));
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
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "StudyInstanceUID", argv[2], &error);
    if (r == 0) r = trolley_query_set_level(query, "instance", &error);
    if (r == 0) r = trolley_query_include(query, "Rows", &error);
    if (r == 0) r = trolley_find(trolley, query, NULL, NULL, &found, &error);
    if (r == 0) {
        printf("%" PRIu64 " studies, %" PRIu64 " series, %" PRIu64 " instances\n",
               trolley_tree_count(found.tree, TROLLEY_LEVEL_STUDY),
               trolley_tree_count(found.tree, TROLLEY_LEVEL_SERIES),
               trolley_tree_count(found.tree, TROLLEY_LEVEL_INSTANCE));
        print_first(found.tree);
    } else {
        fprintf(stderr, "%s\n", error.message);
    }
    trolley_tree_free(found.tree);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
