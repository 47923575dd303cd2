/* undefined.c: needs a function that no library has. SPDX-License-Identifier: MIT */
#include <trolley/plugin.h>

const struct trolley_plugin *the_function_that_is_nowhere(void);

const struct trolley_plugin *trolley_plugin_v1(void)
{
    return the_function_that_is_nowhere();
}
