/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/trolley.h"

int main(void)
{
    puts(trolley_status_name(0));
    return 0;
}
