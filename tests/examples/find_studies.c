/* find_studies.c: CT studies of some days, with fields that are not returned unless asked for:
 * find_studies INI FROM..TO. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <trolley.h>

static void print_study(const struct trolley_node *study)
{
    char family[128] = "", doctor[256] = "";
    struct trolley_date day = {0};

    (void)trolley_node_person(study, trolley_tag("PatientName"), 0, TROLLEY_PERSON_ALPHABETIC,
                              TROLLEY_PERSON_FAMILY, family, sizeof family);
    (void)trolley_node_join(study, "ReferringPhysicianName", doctor, sizeof doctor);
    (void)trolley_node_date(study, trolley_tag("StudyDate"), 0, &day);
    printf("%s %04d-%02d-%02d family=%s born=%s doctor=%s\n", trolley_node_uid(study), day.year,
           day.month, day.day, family,
           trolley_node_get(study, "PatientBirthDate") ? trolley_node_get(study, "PatientBirthDate")
                                                       : "?",
           doctor);
}

int main(int argc, char **argv)
{
    struct trolley_find_result found = {0};
    struct trolley_query_builder *query = NULL;
    struct trolley_setup *setup = NULL;
    struct trolley *trolley = NULL;
    struct trolley_error error;
    const struct trolley_node *study;
    int r;

    if (argc != 3) return 2;
    r = trolley_setup_open(argv[1], &setup, &error);
    if (r == 0) r = trolley_get(setup, NULL, &trolley, &error);
    if (r == 0) r = trolley_query_new(&query, &error);
    if (r == 0) r = trolley_query_set(query, "ModalitiesInStudy", "CT", &error);
    if (r == 0) r = trolley_query_set(query, "StudyDate", argv[2], &error);
    if (r == 0) r = trolley_query_include(query, "PatientBirthDate", &error);
    if (r == 0) r = trolley_query_include(query, "ReferringPhysicianName", &error);
    if (r == 0) r = trolley_find(trolley, query, NULL, NULL, &found, &error);
    for (study = trolley_tree_first(found.tree); study; study = trolley_node_next(study))
        print_study(study);
    if (r < 0) fprintf(stderr, "%s\n", error.message);
    trolley_tree_free(found.tree);
    trolley_query_free(query);
    trolley_free(trolley);
    trolley_setup_close(setup);
    return r < 0;
}
