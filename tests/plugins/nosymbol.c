/* nosymbol.c: exports something else. SPDX-License-Identifier: MIT */
#include <trolley/types.h>

int32_t trolley_plugin_v0(void);

int32_t trolley_plugin_v0(void)
{
    return TROLLEY_OK;
}
