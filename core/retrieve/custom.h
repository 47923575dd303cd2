/* custom.h: a storage that the caller of the library passes as a table of operations, made to look
 * like one of a plugin. SPDX-License-Identifier: MIT */
#ifndef CORE_RETRIEVE_CUSTOM_H
#define CORE_RETRIEVE_CUSTOM_H

#include "core/plugin/setup.h"

/*
 * An instance with these operations on `self`; free with instance_free, which leaves `self` alone.
 * `ops` is read now.
 * Errors: INVALID_ARG (an operation of <trolley/storage.h> that is required is not there), NOMEM.
 */
int custom_storage(const struct trolley_storage_ops *ops, void *self,
                   struct instance **ret_instance, struct trolley_error *error);

#endif
