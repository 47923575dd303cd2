/* SPDX-License-Identifier: MIT */
#include "core/model/tree_store.h"

#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#define TREE_VALUES_MAX UINT32_C(1000000) /* of one element */

uint32_t tree_uid_tag(uint32_t level)
{
    static const uint32_t tags[] = {0, 0x0020000D, 0x0020000E, 0x00080018};

    return tags[level];
}

/* ---- tables ---- */

static void tree_table_put(struct tree_table *table, uint64_t hash, void *item)
{
    size_t i = (size_t)hash & (table->size - 1);

    while (table->slots[i])
        i = (i + 1) & (table->size - 1);
    table->slots[i] = item;
    table->used++;
}

/* Makes room for one more. `hash_of` gives the hash of an item that is in the table. */
static int tree_table_reserve(struct trolley_tree *tree, struct tree_table *table,
                              uint64_t (*hash_of)(const struct trolley_tree *tree,
                                                  const void *item))
{
    struct tree_table bigger = {.size = table->size ? table->size * 2 : 64};
    size_t i;

    if (table->used < table->size / 4 * 3) return 0;
    bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
    if (!bigger.slots) return TROLLEY_ERR_NOMEM;
    for (i = 0; i < table->size; i++)
        if (table->slots[i])
            tree_table_put(&bigger, hash_of(tree, table->slots[i]), table->slots[i]);
    free(table->slots);
    *table = bigger;
    return 0;
}

/* ---- elements ---- */

static char *tree_text_copy(char **to, const char *text)
{
    char *copy = *to;
    size_t length = strlen(text) + 1;

    memcpy(copy, text, length);
    *to += length;
    return copy;
}

/* One block: the element, its values' pointers, their text. */
static int tree_element_copy(struct trolley_tree *tree, const struct trolley_element *element,
                             struct trolley_element **ret_copy)
{
    uint32_t count = element->values.count, i;
    size_t size = sizeof *element + count * sizeof(char *);
    struct trolley_element *copy;
    const char **values, *text;
    void *memory;
    char *to;
    int r;

    if (count > TREE_VALUES_MAX) return TROLLEY_ERR_TOO_LARGE;
    for (i = 0; i < count; i++)
        size += (text = trolley_span_text(&element->values, i)) ? strlen(text) + 1 : 1;
    if (element->private_creator) size += strlen(element->private_creator) + 1;
    r = arena_alloc(&tree->arena, size, &memory);
    if (r < 0) return r;
    copy = memory;
    values = (const char **)(copy + 1);
    to = (char *)(values + count);
    *copy = *element;
    copy->values = (struct trolley_span){values, count, sizeof *values};
    for (i = 0; i < count; i++)
        values[i] =
            tree_text_copy(&to, (text = trolley_span_text(&element->values, i)) ? text : "");
    if (element->private_creator)
        copy->private_creator = tree_text_copy(&to, element->private_creator);
    *ret_copy = copy;
    return 0;
}

/* ---- nodes ---- */

static uint32_t tree_node_hash(const struct trolley_tree *tree, const struct trolley_node *parent,
                               const char *uid)
{
    uint64_t hash = hash_bytes(&tree->key, uid, strlen(uid));

    return (uint32_t)(hash ^ hash >> 32) + (parent ? parent->hash * 0x9E3779B1u : 0);
}

static uint64_t tree_node_hash_of(const struct trolley_tree *tree, const void *item)
{
    (void)tree;
    return ((const struct trolley_node *)item)->hash;
}

static const struct trolley_node *tree_node_parent(const struct trolley_node *node)
{
    return node->level == TROLLEY_LEVEL_STUDY ? NULL : node->up.parent;
}

struct trolley_node *tree_node_find(const struct trolley_tree *tree,
                                    const struct trolley_node *parent, const char *uid)
{
    const struct tree_table *table = &tree->nodes;
    uint32_t hash = tree_node_hash(tree, parent, uid);
    size_t i;

    if (table->size == 0) return NULL;
    for (i = hash & (table->size - 1); table->slots[i]; i = (i + 1) & (table->size - 1)) {
        struct trolley_node *node = table->slots[i];
        if (node->hash == hash && tree_node_parent(node) == parent && strcmp(node->uid, uid) == 0)
            return node;
    }
    return NULL;
}

static void tree_node_link(struct trolley_tree *tree, struct trolley_node *parent,
                           struct trolley_node *node)
{
    struct trolley_node **first = parent ? &parent->first_child : &tree->first;
    struct trolley_node **last = parent ? &parent->last_child : &tree->last;

    if (*last)
        (*last)->next = node;
    else
        *first = node;
    *last = node;
    tree->counts[node->level]++;
    tree_table_put(&tree->nodes, node->hash, node);
}

/* A node with its own UID among its elements. Nobody shares that one: it stays out of the table. */
static int tree_node_new(struct trolley_tree *tree, struct trolley_node *parent, const char *uid,
                         struct trolley_node **ret_node)
{
    uint32_t level = parent ? parent->level + 1 : TROLLEY_LEVEL_STUDY;
    struct trolley_element *own, element = {.size = sizeof element,
                                            .tag = tree_uid_tag(level),
                                            .vr = "UI",
                                            .values = {&uid, 1, sizeof uid}};
    struct trolley_node *node;
    void *memory;
    int r = tree_element_copy(tree, &element, &own);

    if (r == 0) r = arena_alloc(&tree->arena, sizeof *node, &memory);
    if (r < 0) return r;
    node = memory;
    *node = (struct trolley_node){.level = level, .uid = trolley_span_text(&own->values, 0)};
    if (parent)
        node->up.parent = parent;
    else
        node->up.tree = tree;
    node->hash = tree_node_hash(tree, parent, uid);
    r = tree_element_insert(tree, node, 0, own);
    if (r == 0) *ret_node = node;
    return r;
}

int tree_node_get(struct trolley_tree *tree, struct trolley_node *parent, const char *uid,
                  struct trolley_node **ret_node)
{
    struct trolley_node *node = tree_node_find(tree, parent, uid);
    int r = 0;

    if (!node) {
        r = tree_table_reserve(tree, &tree->nodes, tree_node_hash_of);
        if (r == 0) r = tree_node_new(tree, parent, uid, &node);
        if (r < 0) return r;
        tree_node_link(tree, parent, node);
    }
    *ret_node = node;
    return 0;
}

/* ---- elements, shared ---- */

static uint64_t tree_element_hash(const struct trolley_tree *tree, const void *item)
{
    const struct trolley_element *element = item;
    uint64_t hash = (uint64_t)element->tag << 32 | element->flags;
    uint32_t i;

    for (i = 0; i < element->values.count; i++) {
        const char *text = trolley_span_text(&element->values, i);
        hash = hash * UINT64_C(0x9E3779B97F4A7C15) +
               hash_bytes(&tree->key, text ? text : "", text ? strlen(text) : 0);
    }
    return hash ^ hash >> 32;
}

static bool tree_text_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool tree_element_same_values(const struct trolley_element *a, const struct trolley_element *b)
{
    uint32_t i;

    if (a->values.count != b->values.count) return false;
    for (i = 0; i < a->values.count; i++)
        if (!tree_text_equal(trolley_span_text(&a->values, i), trolley_span_text(&b->values, i)))
            return false;
    return true;
}

static bool tree_element_equal(const struct trolley_element *a, const struct trolley_element *b)
{
    return a->tag == b->tag && a->flags == b->flags && strcmp(a->vr, b->vr) == 0 &&
           tree_text_equal(a->private_creator, b->private_creator) &&
           tree_element_same_values(a, b);
}

int tree_element_intern(struct trolley_tree *tree, const struct trolley_element *element,
                        const struct trolley_element **ret_element)
{
    struct tree_table *table = &tree->elements;
    struct trolley_element *copy;
    uint64_t hash;
    size_t i;
    int r = tree_table_reserve(tree, table, tree_element_hash);

    if (r < 0) return r;
    hash = tree_element_hash(tree, element);
    for (i = (size_t)hash & (table->size - 1); table->slots[i]; i = (i + 1) & (table->size - 1)) {
        const struct trolley_element *there = table->slots[i];
        if (tree_element_equal(there, element)) {
            *ret_element = there;
            return 0;
        }
    }
    r = tree_element_copy(tree, element, &copy);
    if (r < 0) return r;
    tree_table_put(table, hash, copy);
    *ret_element = copy;
    return 0;
}

uint32_t tree_element_place(const struct trolley_node *node, uint32_t tag,
                            const char *private_creator, bool *ret_found)
{
    uint32_t low = 0, high = node->count;
    const char *creator = private_creator ? private_creator : "";

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct trolley_element *element = node->elements[middle];
        const char *other = element->private_creator ? element->private_creator : "";
        if (element->tag < tag || (element->tag == tag && strcmp(other, creator) < 0))
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found =
        low < node->count && node->elements[low]->tag == tag &&
        (!private_creator || tree_text_equal(node->elements[low]->private_creator, creator));
    return low;
}

int tree_element_reserve(struct trolley_tree *tree, struct trolley_node *node, uint32_t count)
{
    void *memory;
    int r;

    if (count <= node->capacity) return 0;
    r = arena_alloc(&tree->arena, count * sizeof *node->elements, &memory);
    if (r < 0) return r;
    if (node->count) memcpy(memory, node->elements, node->count * sizeof *node->elements);
    node->elements = memory;
    node->capacity = count;
    return 0;
}

int tree_element_insert(struct trolley_tree *tree, struct trolley_node *node, uint32_t place,
                        const struct trolley_element *element)
{
    int r = 0;

    if (node->count == node->capacity)
        r = tree_element_reserve(tree, node, node->capacity + node->capacity / 2 + 4);
    if (r < 0) return r;
    memmove(node->elements + place + 1, node->elements + place,
            (node->count - place) * sizeof *node->elements);
    node->elements[place] = element;
    node->count++;
    return 0;
}
