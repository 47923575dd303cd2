/*
 * trolley_tree.h: what was found, read by node, attribute and type; references to it; and DICOM's
 * dictionary. A part of trolley.h, whose conventions hold here too. SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_TREE_H
#define TROLLEY_TREE_H

#include <stdint.h>
#include <trolley/record.h>
#include <trolley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct trolley_error;

/*
 * What a find brought: studies, their series, their instances. It is only read: several threads may
 * use one tree at once. Nodes and all texts belong to the tree and live until it is freed. Every
 * function here takes NULL, as an empty tree or as no node.
 */
struct trolley_tree;
struct trolley_node; /* a study, series or instance */

/* Frees a tree with all its nodes. */
void trolley_tree_free(struct trolley_tree *tree);

/* The first study; NULL when the tree is empty. */
const struct trolley_node *trolley_tree_first(const struct trolley_tree *tree);

/* How many nodes of a level (enum trolley_level) it has. */
uint64_t trolley_tree_count(const struct trolley_tree *tree, uint32_t level);

/* The next of the same parent, in the order in which they came; NULL behind the last. */
const struct trolley_node *trolley_node_next(const struct trolley_node *node);

/* Its first child; NULL for an instance, and where the find did not go so deep. */
const struct trolley_node *trolley_node_first_child(const struct trolley_node *node);

/* The study of a series, the series of an instance; NULL for a study. */
const struct trolley_node *trolley_node_parent(const struct trolley_node *node);

/* Its level, an enum trolley_level; 0 for NULL. */
uint32_t trolley_node_level(const struct trolley_node *node);

/* Its Study, Series or SOP Instance UID. Borrowed. */
const char *trolley_node_uid(const struct trolley_node *node);

/* The node with that UID: a study of the tree, or below `parent`. NULL when absent. */
const struct trolley_node *trolley_tree_study(const struct trolley_tree *tree, const char *uid);
const struct trolley_node *trolley_node_child(const struct trolley_node *parent, const char *uid);

/* Value i (from 0) of an attribute, looked for at the node and its parents; NULL when absent.
 * Borrowed. */
const char *trolley_node_text(const struct trolley_node *node, uint32_t tag, uint32_t i);

/* As above by keyword, values joined with '\' into buf (cut to size). Returns the whole length, -1
 * when absent. */
int64_t trolley_node_join(const struct trolley_node *node, const char *keyword, char *buf,
                          uint64_t size);

/* The node's own attributes in order of tag: NULL past the end. Borrowed. */
const struct trolley_element *trolley_node_element(const struct trolley_node *node, uint32_t i);

/*
 * Typed values of an attribute, by tag: trolley_tag("StudyDate") makes one of a keyword. Like
 * trolley_node_text they look at the node and its parents, and i counts its values from 0. They
 * only read, so that several threads may use one tree. Statuses of those that return one:
 * TROLLEY_ERR_NOT_FOUND (absent, empty, or fewer values), TROLLEY_ERR_PROTOCOL (a text that is no
 * value of that type; trolley_node_text has it).
 */

/* How many values it has, empty ones too; 0 when absent. */
uint32_t trolley_node_count(const struct trolley_node *node, uint32_t tag);

/* Its first value by keyword, "00100010" or "0010,0010"; NULL when absent or unknown. Borrowed. */
const char *trolley_node_get(const struct trolley_node *node, const char *attribute);

/* A whole number: IS, US, UL, SS, SL, UV, SV and what else is written as one. TOO_LARGE beyond
 * int64. */
int trolley_node_integer(const struct trolley_node *node, uint32_t tag, uint32_t i,
                         int64_t *ret_value);

/* A number: DS, FL, FD and whole ones. Independent of the locale. TOO_LARGE beyond double. */
int trolley_node_decimal(const struct trolley_node *node, uint32_t tag, uint32_t i,
                         double *ret_value);

struct trolley_date {
    int32_t year, month, day; /* 2020, 1 to 12, 1 to 31 */
};

/* A day that exists: DA, and the date of a DT that is known to the day; the old form "2020.03.01"
 * too [PS3.5 6.2]. */
int trolley_node_date(const struct trolley_node *node, uint32_t tag, uint32_t i,
                      struct trolley_date *ret_date);

struct trolley_time {
    int32_t hour, minute, second, microsecond; /* second 60 is a leap second */
};

/* A time of day: TM, "hh[mm[ss[.ffffff]]]", what is left out as 0; the old form "hh:mm:ss" too. */
int trolley_node_time(const struct trolley_node *node, uint32_t tag, uint32_t i,
                      struct trolley_time *ret_time);

enum trolley_person_group { /* [PS3.5 6.2.1.2] */
                            TROLLEY_PERSON_ALPHABETIC = 0,
                            TROLLEY_PERSON_IDEOGRAPHIC = 1,
                            TROLLEY_PERSON_PHONETIC = 2
};
enum trolley_person_part {
    TROLLEY_PERSON_FAMILY = 0,
    TROLLEY_PERSON_GIVEN = 1,
    TROLLEY_PERSON_MIDDLE = 2,
    TROLLEY_PERSON_PREFIX = 3,
    TROLLEY_PERSON_SUFFIX = 4
};

/*
 * One part of a person's name: enum trolley_person_group and trolley_person_part, without the
 * padding around it, into buf, cut to size between characters and ended by NUL. Returns its whole
 * length, 0 when that part is empty, -1 when the attribute is absent.
 */
int64_t trolley_node_person(const struct trolley_node *node, uint32_t tag, uint32_t i,
                            uint32_t group, uint32_t part, char *buf, uint64_t size);

/*
 * References: which objects are meant, for trolley_download and trolley_fetch. Of an object that
 * was found; its texts belong to the tree.
 * Errors: INVALID_ARG for a NULL node.
 */
int trolley_node_ref(const struct trolley_node *node, struct trolley_ref *ret_ref);

/*
 * Of UIDs alone: a study; with `series` a series; with `instance` too one instance. The texts are
 * borrowed: they live as long as the reference is used.
 * Errors: INVALID_ARG (a malformed UID, no study, or an instance without its series).
 */
int trolley_ref_make(const char *study, const char *series, const char *instance,
                     struct trolley_ref *ret_ref, struct trolley_error *error);

/* DICOM's dictionary: 0, NULL and "UN" when unknown. */
uint32_t trolley_tag(const char *keyword);
const char *trolley_keyword(uint32_t tag);
const char *trolley_vr(uint32_t tag);

/* Keyword i of the dictionary, in order of tag; NULL past the last. Static. */
const char *trolley_keyword_at(uint32_t i);

/* Keyword, "00100010" or "0010,0010" to a tag. TROLLEY_ERR_INVALID_ARG names the nearest keyword.
 */
int trolley_parse_attribute(const char *text, uint32_t *ret_tag, struct trolley_error *error);

#ifdef __cplusplus
}
#endif
#endif
