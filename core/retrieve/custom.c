/* SPDX-License-Identifier: MIT */
#include "core/retrieve/custom.h"

#include <stddef.h>
#include <stdlib.h>
#include <trolley/helpers.h>

/* The size of the table in contract 1.0. */
#define OPS_SIZE_1_0 (offsetof(struct trolley_storage_ops, sync) + sizeof(void *))

/* One allocation, that of its first member. */
struct custom {
    struct instance instance;
    struct component component; /* of no section and no plugin */
};

static char custom_title[] = "storage of the caller";

static void custom_destroy(void *self)
{
    (void)self; /* the caller's */
}

int custom_storage(const struct trolley_storage_ops *ops, void *self,
                   struct instance **ret_instance, struct trolley_error *error)
{
    struct trolley_storage_ops read;
    struct custom *made;

    if (trolley_read_open(&read, sizeof read, ops, OPS_SIZE_1_0) < 0 || !read.open || !read.write ||
        !read.commit || !read.abort || !read.exists)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "the storage passed lacks its size, open, write, commit, abort or exists");
    made = calloc(1, sizeof *made);
    if (!made) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    made->component.title = custom_title;
    made->component.plugin.kind = TROLLEY_KIND_STORAGE;
    made->component.plugin.destroy = custom_destroy;
    made->instance.component = &made->component;
    made->instance.self = self;
    made->instance.ops.storage = read;
    *ret_instance = &made->instance;
    return 0;
}
