/* SPDX-License-Identifier: MIT */
#include "core/model/tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <kit/uid.h>
#include <trolley/helpers.h>

#include "core/model/dictionary.h"
#include "core/model/error.h"
#include "core/model/tree_store.h"

/* Sizes in contract 1.0. */
#define TREE_RECORD_LEAST (offsetof(struct trolley_record, elements) + sizeof(struct trolley_span))
#define TREE_ELEMENT_LEAST (offsetof(struct trolley_element, values) + sizeof(struct trolley_span))

/* ---- building ---- */

int tree_new(struct trolley_tree **ret_tree)
{
    struct trolley_tree *tree = calloc(1, sizeof *tree);

    if (!tree) return TROLLEY_ERR_NOMEM;
    tree->arena.cap = TREE_CAP;
    hash_key_init(&tree->key);
    *ret_tree = tree;
    return 0;
}

void trolley_tree_free(struct trolley_tree *tree)
{
    if (!tree) return;
    arena_free(&tree->arena);
    free(tree->nodes.slots);
    free(tree->elements.slots);
    free(tree);
}

/* Element i as this side knows it, in the form the tree keeps. */
static int tree_read_element(const struct trolley_record *record, uint32_t i,
                             struct trolley_element *element)
{
    const void *theirs = trolley_span_at(&record->elements, i);
    int r = trolley_read_open(element, sizeof *element, theirs, TREE_ELEMENT_LEAST);

    if (r < 0) return r;
    element->size = sizeof *element;
    element->vr[2] = element->vr[3] = '\0';
    if (element->vr[0] == '\0') memcpy(element->vr, trolley_vr(element->tag), 2);
    if (!(element->tag & UINT32_C(0x10000))) element->private_creator = NULL;
    if (element->values.count == 0) element->flags |= TROLLEY_ELEMENT_NULL;
    return 0;
}

/* Copies a UID without padding; false when it is not one. */
static bool tree_trim_uid(const char *text, char uid[KIT_UID_MAX + 1])
{
    size_t length;

    if (!text) return false;
    text += strspn(text, " ");
    length = strcspn(text, " ");
    if (length > KIT_UID_MAX || text[length + strspn(text + length, " ")] != '\0') return false;
    memcpy(uid, text, length);
    uid[length] = '\0';
    return kit_uid_valid(uid);
}

static int tree_find_uid(const struct trolley_record *record, uint32_t level,
                         char uid[KIT_UID_MAX + 1], struct trolley_error *error)
{
    uint32_t i, tag = tree_uid_tag(level);
    struct trolley_element element;

    for (i = 0; i < record->elements.count; i++) {
        int r = tree_read_element(record, i, &element);
        if (r < 0) return error_set(error, r, "a record's element %u is malformed", i);
        if (element.tag != tag) continue;
        if (tree_trim_uid(trolley_span_text(&element.values, 0), uid)) return 0;
        return error_set(error, TROLLEY_ERR_PROTOCOL, "a record's %s is no UID: \"%.80s\"",
                         trolley_keyword(tag),
                         element.values.count ? trolley_span_text(&element.values, 0) : "");
    }
    return error_set(error, TROLLEY_ERR_PROTOCOL, "a record has no %s", trolley_keyword(tag));
}

static bool tree_is_empty(const struct trolley_element *element)
{
    uint32_t i;

    for (i = 0; i < element->values.count; i++) {
        const char *text = trolley_span_text(&element->values, i);
        if (text && *text) return false;
    }
    return true;
}

/* An attribute that is there stays, unless it is empty and the new one is not. */
static int tree_merge(struct trolley_tree *tree, struct trolley_node *node,
                      const struct trolley_element *element, uint32_t *conflicts)
{
    const char *creator = element->private_creator ? element->private_creator : "";
    const struct trolley_element *lasting;
    bool found;
    int r;
    uint32_t place = tree_element_place(node, element->tag, creator, &found);

    if (found && tree_is_empty(element)) return 0;
    r = tree_element_intern(tree, element, &lasting);
    if (r < 0) return r;
    if (!found) return tree_element_insert(tree, node, place, lasting);
    if (tree_is_empty(node->elements[place]))
        node->elements[place] = lasting;
    else if (!tree_element_same_values(node->elements[place], lasting))
        (*conflicts)++;
    return 0;
}

/* The level an attribute of a record is kept at. UIDs of levels are the nodes' own: 0. */
static uint32_t tree_element_level(const struct trolley_element *element, uint32_t record_level)
{
    uint32_t level;

    for (level = TROLLEY_LEVEL_STUDY; level <= record_level; level++)
        if (element->tag == tree_uid_tag(level)) return 0;
    level = dictionary_level(element->tag);
    return level < record_level ? level : record_level;
}

static int tree_add_elements(struct trolley_tree *tree, const struct trolley_record *record,
                             struct trolley_node *const *nodes, uint32_t *conflicts)
{
    struct trolley_element element;
    uint32_t i, level;
    int r = 0;

    for (i = 0; r == 0 && i < record->elements.count; i++) {
        r = tree_read_element(record, i, &element);
        if (r < 0) break;
        level = tree_element_level(&element, record->level);
        if (level) r = tree_merge(tree, nodes[level], &element, conflicts);
    }
    return r;
}

int tree_add(struct trolley_tree *tree, const struct trolley_record *theirs,
             uint32_t *ret_conflicts, struct trolley_error *error)
{
    struct trolley_node *nodes[TROLLEY_LEVEL_INSTANCE + 1] = {NULL};
    char uids[TROLLEY_LEVEL_INSTANCE + 1][KIT_UID_MAX + 1];
    struct trolley_record record;
    uint32_t level, conflicts = 0;
    int r = trolley_read_open(&record, sizeof record, theirs, TREE_RECORD_LEAST);

    if (r < 0 || record.level < TROLLEY_LEVEL_STUDY || record.level > TROLLEY_LEVEL_INSTANCE)
        return error_set(error, TROLLEY_ERR_INVALID_ARG, "a record is malformed or has no level");
    for (level = TROLLEY_LEVEL_STUDY; level <= record.level; level++) {
        r = tree_find_uid(&record, level, uids[level], error);
        if (r < 0) return r;
    }
    for (level = TROLLEY_LEVEL_STUDY; r == 0 && level <= record.level; level++)
        r = tree_node_get(tree, nodes[level - 1], uids[level], &nodes[level]);
    if (r == 0) r = tree_add_elements(tree, &record, nodes, &conflicts);
    if (r < 0) return error_set(error, r, "keeping what was found: %s", trolley_status_name(r));
    if (ret_conflicts) *ret_conflicts = conflicts;
    return 0;
}

/* ---- reading ---- */

const struct trolley_node *trolley_tree_first(const struct trolley_tree *tree)
{
    return tree ? tree->first : NULL;
}

uint64_t trolley_tree_count(const struct trolley_tree *tree, uint32_t level)
{
    if (!tree || level > TROLLEY_LEVEL_INSTANCE) return 0;
    return tree->counts[level];
}

const struct trolley_node *trolley_node_next(const struct trolley_node *node)
{
    return node ? node->next : NULL;
}

const struct trolley_node *trolley_node_first_child(const struct trolley_node *node)
{
    return node ? node->first_child : NULL;
}

const struct trolley_node *trolley_node_parent(const struct trolley_node *node)
{
    return node && node->level != TROLLEY_LEVEL_STUDY ? node->up.parent : NULL;
}

uint32_t trolley_node_level(const struct trolley_node *node)
{
    return node ? node->level : 0;
}

const char *trolley_node_uid(const struct trolley_node *node)
{
    return node ? node->uid : NULL;
}

const struct trolley_node *trolley_tree_study(const struct trolley_tree *tree, const char *uid)
{
    return tree && uid ? tree_node_find(tree, NULL, uid) : NULL;
}

const struct trolley_node *trolley_node_child(const struct trolley_node *parent, const char *uid)
{
    const struct trolley_node *node = parent;

    if (!parent || !uid) return NULL;
    while (node->level != TROLLEY_LEVEL_STUDY)
        node = node->up.parent;
    return tree_node_find(node->up.tree, parent, uid);
}

const struct trolley_element *tree_look_up(const struct trolley_node *node, uint32_t tag)
{
    for (; node; node = trolley_node_parent(node)) {
        bool found;
        uint32_t place = tree_element_place(node, tag, NULL, &found);
        if (found) return node->elements[place];
    }
    return NULL;
}

const char *trolley_node_text(const struct trolley_node *node, uint32_t tag, uint32_t i)
{
    const struct trolley_element *element = tree_look_up(node, tag);

    return element ? trolley_span_text(&element->values, i) : NULL;
}

char *tree_join_copy(char *to, const char *end, const char *text, size_t length)
{
    size_t room = (size_t)(end - to), take = length < room ? length : room;

    while (take > 0 && take < length && ((unsigned char)text[take] & 0xC0) == 0x80)
        take--;
    memcpy(to, text, take);
    return to + take;
}

int64_t trolley_node_join(const struct trolley_node *node, const char *keyword, char *buf,
                          uint64_t size)
{
    const struct trolley_element *element = NULL;
    uint32_t tag = keyword ? trolley_tag(keyword) : 0, i;
    const char *end = size ? buf + size - 1 : buf;
    bool full = size == 0;
    uint64_t whole = 0;
    char *to = buf;

    if (tag) element = tree_look_up(node, tag);
    if (!element) return -1;
    for (i = 0; i < element->values.count; i++) {
        const char *text = trolley_span_text(&element->values, i);
        size_t length = strlen(text), separator = i > 0;
        const char *before = to;
        whole += separator + length;
        if (full) continue;
        to = tree_join_copy(to, end, "\\", separator);
        to = tree_join_copy(to, end, text, length);
        full = (size_t)(to - before) < separator + length;
    }
    if (size) *to = '\0';
    return (int64_t)whole;
}

const struct trolley_element *trolley_node_element(const struct trolley_node *node, uint32_t i)
{
    return node && i < node->count ? node->elements[i] : NULL;
}
